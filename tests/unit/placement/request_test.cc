#include "placement/request.h"

#include <gtest/gtest.h>

#include <functional>

#include "fixtures.h"

namespace stellwerk::placement {
namespace {

using Change = std::function<void(Request&)>;

// "field: description" of every violation.
std::vector<std::string> wrong_with(const Change& change) {
  Request request = plain_request();
  change(request);
  std::vector<std::string> wrong;
  for (const FieldViolation& one : check_request(request)) {
    wrong.push_back(one.field + ": " + one.description);
  }
  return wrong;
}
void expect_wrong(const Change& change, const std::string& what) {
  EXPECT_EQ(wrong_with(change), std::vector<std::string>{what});
}
void expect_right(const Change& change) {
  EXPECT_EQ(wrong_with(change), std::vector<std::string>());
}

TEST(CheckRequest, FindsNothingWrongWithAPlainOne) {
  expect_right([](Request&) {});
}

TEST(CheckRequest, BoundsVcpus) {
  expect_right([](Request& r) { r.vcpus = VcpuCount(1); });
  expect_right([](Request& r) { r.vcpus = VcpuCount(4096); });
  expect_wrong([](Request& r) { r.vcpus = VcpuCount(0); },
               "vcpus: 0 asked; 1 to 4096 are possible");
  expect_wrong([](Request& r) { r.vcpus = VcpuCount(-1); },
               "vcpus: -1 asked; 1 to 4096 are possible");
  expect_wrong([](Request& r) { r.vcpus = VcpuCount(4097); },
               "vcpus: 4097 asked; 1 to 4096 are possible");
}

TEST(CheckRequest, BoundsMemory) {
  expect_right([](Request& r) { r.memory = kMostMemory; });
  expect_wrong([](Request& r) { r.memory = Bytes(); },
               "memory: 0 bytes asked; 1 byte to 64 TiB are possible");
  expect_wrong([](Request& r) { r.memory = Bytes(-5); },
               "memory: -5 bytes asked; 1 byte to 64 TiB are possible");
  expect_wrong([](Request& r) { r.memory = kMostMemory + Bytes(1); },
               "memory: 70368744177665 bytes asked; 1 byte to 64 TiB are possible");
  expect_right([](Request& r) {
    r.memory = Bytes();
    r.page_size = PageSize::k1GiB;
    r.pages = 1;
  });
}

TEST(CheckRequest, BoundsDiskAndPool) {
  expect_right([](Request& r) { r.disk = Bytes(); });
  expect_right([](Request& r) { r.disk = kMostDisk; });
  expect_wrong([](Request& r) { r.disk = Bytes(-1); },
               "disk: -1 bytes asked; nothing to 1024 TiB is possible");
  EXPECT_EQ(wrong_with([](Request& r) { r.disk = kMostDisk + Bytes(1); }).size(), 1u);
  expect_right([](Request& r) {
    r.pool = "ceph";
    r.pool_bytes = kMostDisk * 1024;
  });
  expect_wrong([](Request& r) { r.pool_bytes = Bytes(1); },
               "pool: bytes of a pool are asked, and no pool is named");
  expect_wrong(
      [](Request& r) {
        r.pool = "ceph";
        r.pool_bytes = Bytes(-1);
      },
      "pool_bytes: -1 bytes asked");
}

TEST(CheckRequest, BoundsBandwidthAndCount) {
  expect_right([](Request& r) { r.bandwidth = MegabitsPerSecond(10'000'000); });
  expect_wrong([](Request& r) { r.bandwidth = MegabitsPerSecond(-1); },
               "bandwidth: -1 Mbit/s asked; 0 to 10,000,000 are possible");
  EXPECT_EQ(wrong_with([](Request& r) { r.bandwidth = MegabitsPerSecond(10'000'001); }).size(), 1u);
  expect_right([](Request& r) { r.count = 1000; });
  expect_wrong([](Request& r) { r.count = 0; },
               "count: 0 asked; 1 to 1000 instances are possible in one request");
  expect_wrong([](Request& r) { r.count = 1001; },
               "count: 1001 asked; 1 to 1000 instances are possible in one request");
}

TEST(CheckRequest, SharesNodesEvenly) {
  for (const int32_t nodes : {0, 1, 2, 4}) {
    expect_right([&](Request& r) {
      r.vcpus = VcpuCount(4);
      r.numa_nodes = nodes;
    });
  }
  expect_wrong([](Request& r) { r.numa_nodes = -1; },
               "numa_nodes: -1 asked; 1, 2 or 4 are possible");
  for (const int32_t nodes : {3, 5, 8}) {
    EXPECT_EQ(wrong_with([&](Request& r) { r.numa_nodes = nodes; }).size(), 1u) << nodes;
  }
  expect_wrong([](Request& r) { r.numa_nodes = 4; },
               "numa_nodes: 2 vCPUs cannot be shared evenly by 4 nodes; ask for a multiple");
  expect_wrong(
      [](Request& r) {
        r.numa_nodes = 2;
        r.page_size = PageSize::k2MiB;
        r.pages = 3;
      },
      "pages: 3 pages cannot be shared evenly by 2 nodes; ask for a multiple");
}

TEST(CheckRequest, NeedsPagesOfANamedSize) {
  expect_wrong([](Request& r) { r.pages = 1; },
               "pages: huge pages are asked, and no size of page is named");
  expect_wrong([](Request& r) { r.page_size = PageSize::k1GiB; },
               "pages: 0 huge pages asked; 1 to 65536 are possible");
  expect_right([](Request& r) {
    r.page_size = PageSize::k1GiB;
    r.pages = 65536;
  });
  EXPECT_EQ(wrong_with([](Request& r) {
              r.page_size = PageSize::k1GiB;
              r.pages = 65537;
            }).size(),
            1u);
}

TEST(CheckRequest, NamesEachClassOfDevicesOnce) {
  expect_right([](Request& r) { r.devices = {{"gpu", 1}, {"nic", 64}}; });
  expect_wrong(
      [](Request& r) {
        r.devices = {{"gpu", 0}};
      },
      "devices: 0 of gpu asked; 1 to 64 are possible");
  expect_wrong(
      [](Request& r) {
        r.devices = {{"gpu", 65}};
      },
      "devices: 65 of gpu asked; 1 to 64 are possible");
  expect_wrong(
      [](Request& r) {
        r.devices = {{"gpu", 1}, {"gpu", 1}};
      },
      "devices: gpu is asked twice; ask once for all of them");
}

TEST(CheckRequest, RefusesWishesThatContradict) {
  const LabelMatch fast{"ssd", "fast"};
  const LabelMatch slow{"ssd", "slow"};
  const LabelMatch any{"ssd", std::nullopt};
  const auto wishing = [](std::vector<LabelMatch> required, std::vector<LabelMatch> forbidden) {
    return [=](Request& r) {
      r.wishes.required_labels = required;
      r.wishes.forbidden_labels = forbidden;
    };
  };
  expect_right(wishing({fast}, {slow}));
  expect_right(wishing({any}, {slow}));
  expect_right(wishing({any, fast}, {}));
  const std::string contradiction = "forbidden_labels: label ssd is required and forbidden";
  expect_wrong(wishing({fast}, {fast}), contradiction);
  expect_wrong(wishing({fast}, {any}), contradiction);
  expect_wrong(wishing({any}, {any}), contradiction);
  expect_wrong(wishing({fast, slow}, {}), "required_labels: label ssd cannot have two values");
}

TEST(CheckRequest, NamesEveryMistakeAtOnceAndEachFieldOnce) {
  EXPECT_EQ(wrong_with([](Request& r) {
              r.vcpus = VcpuCount(0);
              r.memory = Bytes();
              r.disk = Bytes(-1);
              r.count = 0;
              r.devices = {{"gpu", 0}, {"gpu", 0}};
            }).size(),
            5u);
}

TEST(ClaimOf, TakesWhatWasAsked) {
  Request request = plain_request();
  request.numa_nodes = 2;
  request.page_size = PageSize::k2MiB;
  request.pages = 4;
  request.bandwidth = MegabitsPerSecond(100);
  request.devices = {{"gpu", 1}};
  const Claim expected{.host = host_uid(3),
                       .cpu_class = CpuClass::kShared,
                       .vcpus = VcpuCount(2),
                       .memory = gibibytes(4),
                       .disk = gigabytes(20),
                       .by_node = true,
                       .page_size = PageSize::k2MiB,
                       .pages = 4,
                       .bandwidth = MegabitsPerSecond(100),
                       .devices = {{"gpu", 1}}};
  EXPECT_EQ(claim_of(request, host_uid(3)), expected);
  request.numa_nodes = 0;
  EXPECT_FALSE(claim_of(request, host_uid(3)).by_node);
}

}  // namespace
}  // namespace stellwerk::placement

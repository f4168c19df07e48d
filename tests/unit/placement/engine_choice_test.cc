// Which of several hosts the engine takes.
#include <gtest/gtest.h>

#include "fixtures.h"
#include "world.h"

namespace stellwerk::placement {
namespace {

Host with_devices(Host host) {
  host.facts.devices = {{"gpu", 2}};
  return host;
}

TEST(Choice, LeavesDevicesToThoseWhoAskForThem) {
  Engine engine = engine_of({with_devices(plain_host(1)), plain_host(2)});
  EXPECT_EQ(host_of(engine.place(plain_request())), host_uid(2));
  Request request = plain_request();
  request.devices = {{"gpu", 1}};
  EXPECT_EQ(host_of(engine.place(request)), host_uid(1));
}

TEST(Choice, TakesTheRackWhosePowerIsNearlyUsedUpLast) {
  const Topology topology = topology_of({{"dc1/a/r1", {"f1"}}, {"dc1/a/r2", {"f2"}}},
                                        {{"f1", watts(1000)}, {"f2", watts(1000)}});
  Host crowded = in_rack(plain_host(1), "dc1/a/r1");
  crowded.power = {.idle = watts(900), .peak = watts(905)};
  Engine engine = engine_of({crowded, in_rack(plain_host(2), "dc1/a/r2")},
                            {.policy = Policy::kFirstFit}, topology);
  EXPECT_EQ(host_of(engine.place(plain_request())), host_uid(2));
  Request large = plain_request();
  large.memory = gibibytes(14);
  engine.charge({claim_on(host_uid(2), large)});
  EXPECT_EQ(host_of(engine.place(plain_request())), host_uid(1));
}

// Racks are passed over by their least score: none that is better, however little.
TEST(Choice, PassesOverNoRackThatIsBetterByTheLeast) {
  Host slightly_fuller = in_rack(plain_host(2), "dc1/a/r2");
  slightly_fuller.reserve.memory = kibibytes(2);
  const Topology topology = topology_of({{"dc1/a/r1"}, {"dc1/a/r2"}});
  const Host plain = in_rack(plain_host(1), "dc1/a/r1");
  const Host equal = in_rack(plain_host(2), "dc1/a/r2");
  const Settings best_fit{.policy = Policy::kBestFit};
  Engine engine = engine_of({plain, slightly_fuller}, best_fit, topology);
  const Ask ask = ask_for(plain_request());
  const int32_t first = score_of(Policy::kBestFit, engine.fleet().hosts()[0], ask, engine.mixes());
  const int32_t second = score_of(Policy::kBestFit, engine.fleet().hosts()[1], ask, engine.mixes());
  ASSERT_EQ(second, first - 1);
  EXPECT_EQ(host_of(engine.place(plain_request())), host_uid(2));
  Engine level = engine_of({plain, equal}, best_fit, topology);
  EXPECT_EQ(host_of(level.place(plain_request())), host_uid(1));
}

std::vector<Host> ten_hosts() {
  std::vector<Host> hosts;
  for (uint8_t i = 1; i <= 10; ++i) hosts.push_back(plain_host(i));
  return hosts;
}

TEST(Choice, SeesHowMuchOfTheFleetIsInUse) {
  Engine engine = engine_of(ten_hosts());
  Request small = plain_request();
  small.vcpus = VcpuCount(1);
  small.memory = mebibytes(64);
  small.disk = Bytes();
  const auto charge_each = [&](int times) {
    for (int i = 0; i < times; ++i) {
      for (uint8_t host = 1; host <= 9; ++host) engine.charge({claim_on(host_uid(host), small)});
    }
  };
  EXPECT_EQ(engine.mixes().fullness, 0);
  charge_each(8);
  EXPECT_EQ(engine.mixes().fullness, kFullFleet);
  for (int i = 0; i < 8; ++i) {
    for (uint8_t host = 1; host <= 9; ++host) engine.release({claim_on(host_uid(host), small)});
  }
  for (int i = 0; i < 40; ++i) {
    engine.charge({claim_on(host_uid(1), small)});
    engine.release({claim_on(host_uid(1), small)});
  }
  EXPECT_EQ(engine.mixes().fullness, 0);
}

TEST(Choice, GoesByWhatIsExpectedOfTheFleetIfItIsSaid) {
  EXPECT_EQ(engine_of(ten_hosts(), {.expect_full = true}).mixes().fullness, kFullFleet);
  EXPECT_EQ(engine_of(ten_hosts(), {.expect_full = false}).mixes().fullness, 0);
}

}  // namespace
}  // namespace stellwerk::placement

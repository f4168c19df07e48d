// A small fleet that the tests of explanations share. Every name that a member of a project must
// not see holds `kSecret`.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "placement/explain.h"

namespace stellwerk::placement::testing {

inline constexpr std::string_view kSecret = "zq";

template <class Id>
Id id_of(uint8_t number) {
  std::array<uint8_t, 16> bytes{};
  bytes[8] = number;
  bytes.back() = number;
  return Id(Uuid(bytes));
}

inline std::vector<NumaNode> nodes_of(int64_t count, int64_t cores_each, Bytes memory_each) {
  std::vector<NumaNode> nodes;
  const int64_t cores = count * cores_each;
  for (int64_t n = 0; n < count; ++n) {
    nodes.push_back({.id = static_cast<int32_t>(n), .memory = memory_each});
    for (int64_t c = n * cores_each; c < (n + 1) * cores_each; ++c) {
      nodes.back().cores.push_back({{static_cast<int32_t>(c), static_cast<int32_t>(cores + c)}});
    }
  }
  return nodes;
}

// Racks zq1/a/r1, zq1/a/r2, zq1/b/r1, zq2/a/r1 on feeds zq1/f1 and zq2/f1.
struct Yard {
  Topology topology;
  std::vector<Host> hosts;
  Settings settings;

  Yard() {
    topology.sites = {{.uid = id_of<SiteUid>(1), .id = "zq1"},
                      {.uid = id_of<SiteUid>(2), .id = "zq2"}};
    topology.zones = {
        {.uid = id_of<ZoneUid>(1), .site = id_of<SiteUid>(1), .id = "zq1/a"},
        {.uid = id_of<ZoneUid>(2), .site = id_of<SiteUid>(1), .id = "zq1/b"},
        {.uid = id_of<ZoneUid>(3), .site = id_of<SiteUid>(2), .id = "zq2/a"},
    };
    topology.feeds = {
        {.uid = id_of<FeedUid>(1),
         .site = id_of<SiteUid>(1),
         .id = "zq1/f1",
         .budget = watts(9000)},
        {.uid = id_of<FeedUid>(2),
         .site = id_of<SiteUid>(2),
         .id = "zq2/f1",
         .budget = watts(9000)},
    };
    add_rack(1, 1, "zq1/a/r1", 1);
    add_rack(2, 1, "zq1/a/r2", 1);
    add_rack(3, 2, "zq1/b/r1", 1);
    add_rack(4, 3, "zq2/a/r1", 2);
  }

  void add_rack(uint8_t number, uint8_t zone, std::string id, uint8_t feed) {
    topology.racks.push_back({.uid = id_of<RackUid>(number),
                              .zone = id_of<ZoneUid>(zone),
                              .id = std::move(id),
                              .feeds = {id_of<FeedUid>(feed)}});
  }

  // 4 cores with 2 threads each, 16 GiB, 100 GB of SSD; rack 0: it stands nowhere.
  Host& add(uint8_t number, uint8_t rack = 0) {
    Host host;
    host.uid = id_of<HostUid>(number);
    host.id = "zq-host-" + std::to_string(number);
    host.facts.cores = 4;
    host.facts.threads = 8;
    host.facts.numa = nodes_of(1, 4, gibibytes(16));
    host.facts.memory = gibibytes(16);
    host.facts.disk = gigabytes(100);
    host.facts.disk_type = DiskType::kSsd;
    if (rack > 0) host.rack = id_of<RackUid>(rack);
    hosts.push_back(host);
    return hosts.back();
  }

  Engine engine() const {
    Engine engine(settings, topology, hosts);
    for (const Host& host : hosts) engine.set_accepting(host.uid, true);
    return engine;
  }
};

// 2 shared vCPUs, 4 GiB, 20 GB.
inline Request plain_request() {
  return {.vcpus = VcpuCount(2), .memory = gibibytes(4), .disk = gigabytes(20)};
}

// Takes it from the host, whatever it has.
inline void occupy(Engine& engine, uint8_t host, const Request& request) {
  engine.charge({.claim = claim_of(request, id_of<HostUid>(host)), .backup = {}, .group = {}});
}

}  // namespace stellwerk::placement::testing

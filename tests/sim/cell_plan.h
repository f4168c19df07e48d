// What one simulated cell is built of: how many hosts, where they stand, what feeds them, and the
// level of the failover guarantee. Drawn from the seed; a scenario would write it down instead.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model.h"
#include "tests/sim/random.h"

namespace stellwerk::sim {

struct CellPlan {
  struct Zone {
    std::string site;
    std::string id;  // its own label, as of feeds and racks
  };
  struct Feed {
    std::string site;
    std::string id;
    Milliwatts budget;
  };
  struct Rack {
    std::string zone;
    std::string id;
    std::vector<std::string> feeds;
    std::optional<Milliwatts> limit;
  };
  struct Host {
    std::string id;
    std::string rack;  // empty: nowhere
    Labels labels;
    HostPower power;
    Bytes memory;
  };

  std::optional<DomainLevel> guarantee;
  std::vector<std::string> sites;
  std::vector<Zone> zones;
  std::vector<Feed> feeds;
  std::vector<Rack> racks;
  std::vector<Host> hosts;
};

CellPlan draw_cell(Random random);

}  // namespace stellwerk::sim

// What operators do to the fleet and projects to their groups, drawn at random: a part of
// `Operations`.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/cell_plan.h"
#include "tests/sim/operation.h"
#include "tests/sim/random.h"

namespace stellwerk::sim {

class FleetOperations {
 public:
  FleetOperations(const CellPlan& plan, Random random) : plan_(plan), random_(random) {}

  // The plan's sites, racks, feeds, and where its hosts stand.
  std::vector<Operation> preparations() const;
  Operation any();
  Operation create_group(const std::string& project);
  Operation change_group(const std::string& project);

  // Names that are there, most of the time.
  std::string some_group();
  std::string some_rack();
  std::string some_place();
  std::string some_host() { return random_.pick(plan_.hosts).id; }
  LabelMatch some_label();

 private:
  Operation change_host();
  Operation change_rack();
  Operation change_feed();
  Operation change_place();
  std::vector<std::string> some_feeds(const std::string& zone);
  Milliwatts some_power(int64_t low, int64_t high);

  const CellPlan& plan_;
  Random random_;
};

}  // namespace stellwerk::sim

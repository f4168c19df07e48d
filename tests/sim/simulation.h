// One whole run from one seed: machines, their daemons, callers, and everything that goes wrong, in
// two phases, once the cell has what it needs. First faults: any event may be followed by the
// death of a daemon or a power cut. Then liveness: nothing fails any more, and the cell must come
// to rest within a bound.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/cell_plan.h"
#include "tests/sim/client.h"
#include "tests/sim/host_daemon.h"
#include "tests/sim/inspector.h"
#include "tests/sim/invariants.h"
#include "tests/sim/stage.h"

namespace stellwerk::sim {

struct RunResult {
  std::optional<std::string> failure;
  std::string log;
  std::string log_tail;
  uint64_t events = 0;
};

class Simulation {
 public:
  explicit Simulation(uint64_t seed, Bug bug = Bug::kNone);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  RunResult run();

 private:
  void begin_faults();
  void tick();
  void let_hosts_join();
  void fail_by_chance();
  // Any machine, the controller's more often than not.
  Service& any_daemon();
  void stop_faults();
  void inspect();
  void judge(const Inspector::Finding& finding);

  Random random_;
  const CellPlan plan_;
  Schedule schedule_;
  EventLog log_;
  Mishaps mishaps_;
  World world_;
  Guests guests_;
  Random delays_;
  SimStore store_;
  Invariants invariants_;
  Stage stage_;
  Daemon daemon_;
  std::vector<std::unique_ptr<HostDaemon>> hosts_;  // the other machines'
  Client client_;
  Inspector inspector_;

  Random strangers_;
  Random victims_;
  bool faults_ = false;
  bool at_rest_ = false;
  std::optional<MonotonicTime> settled_at_;
  MonotonicTime faults_stopped_at_;
};

}  // namespace stellwerk::sim

// One whole run from one seed: a machine, a daemon, its callers, and everything that goes wrong, in
// two phases, once the cell has what it needs. First faults: any event may be followed by the
// death of the daemon or a power cut. Then liveness: nothing fails any more, and the cell must come
// to rest within a bound.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/sim/client.h"
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
  void fail_by_chance();
  void stop_faults();
  void inspect();
  void judge(const Inspector::Finding& finding);

  Random random_;
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
  Client client_;
  Inspector inspector_;

  Random strangers_;
  bool faults_ = false;
  bool at_rest_ = false;
  std::optional<MonotonicTime> settled_at_;
  MonotonicTime faults_stopped_at_;
};

}  // namespace stellwerk::sim

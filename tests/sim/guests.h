// How guests behave: they obey ACPI after a while, or not; they shut down, crash, panic or stop on
// a failing disk by themselves.
#pragma once

#include <optional>

#include "tests/sim/mishaps.h"
#include "tests/sim/schedule.h"
#include "tests/sim/world.h"

namespace stellwerk::sim {

class Guests {
 public:
  Guests(Schedule& schedule, World& world, Mishaps& mishaps, Random random);

  // A guest that listens ends some seconds from now. A paused one does not hear it.
  void ask_to_shut_down(Process& process);
  // Whether a guest born now will be deaf to such requests.
  bool born_deaf() { return random_.chance(200); }
  void end(std::vector<Process>::iterator process, Cause cause);

  // One simulated second: what guests of any owner do by themselves.
  void live_on();
  // A domain of another owner, or one of `cell` that no record names.
  void start_stranger(const std::optional<CellUid>& cell);

 private:
  std::vector<Process>::iterator any_running();

  Schedule& schedule_;
  World& world_;
  Mishaps& mishaps_;
  Random random_;
};

}  // namespace stellwerk::sim

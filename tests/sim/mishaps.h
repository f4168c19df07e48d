// What goes wrong by chance, and how often. Every seed draws its own rates, some of them zero, so
// that a thousand seeds also cover runs in which only one thing goes wrong. Nothing goes wrong
// before `begin` and after `stop`.
#pragma once

#include <cstdint>

#include "core/time.h"
#include "tests/sim/random.h"

namespace stellwerk::sim {

// How one call into a driver or the store goes.
enum class Fate : uint8_t {
  kDone,
  kRefused,     // an error, and nothing happened
  kAnswerLost,  // it happened, and the caller hears of a deadline
  kLate,        // the caller hears of a deadline, and then it happens
};

class Mishaps {
 public:
  explicit Mishaps(Random random);

  // `late`: whether the callee lives on without the caller (libvirt's daemon does).
  Fate driver_call(bool late);
  Fate commit();
  // Whether what a dying process had asked for still happens.
  bool outlives_caller();
  bool observation_fails();
  bool port_stays();
  // Asked after every event of the simulation.
  bool daemon_dies();
  bool power_fails();
  // Asked for every message between controller and agent.
  bool message_is_repeated();
  // Asked once a simulated second.
  bool link_breaks();
  bool guest_shuts_down();
  bool guest_crashes();
  bool guest_panics();
  bool disk_fails();

  void begin() { rates_ = drawn_; }
  void stop() { rates_ = {}; }

 private:
  struct Rates {  // in 1,000, or in 100,000 where named so
    uint64_t refused, answer_lost, late;
    uint64_t commit_refused, commit_lost;
    uint64_t outlives, observation, port, repeated;
    uint64_t death_of_daemon, power_cut;  // in 100,000
    uint64_t link, shutdown, crash, panic, disk;
  };
  static Rates draw_rates(Random& random);

  Random random_;
  const Rates drawn_;
  Rates rates_{};
};

}  // namespace stellwerk::sim

// What every part of one simulation shares, by reference; owned by `Simulation`.
#pragma once

#include "tests/sim/bugs.h"
#include "tests/sim/event_log.h"
#include "tests/sim/guests.h"
#include "tests/sim/mishaps.h"
#include "tests/sim/random.h"
#include "tests/sim/schedule.h"
#include "tests/sim/sim_store.h"
#include "tests/sim/world.h"

namespace stellwerk::sim {

class Invariants;

struct Stage {
  Schedule& schedule;
  EventLog& log;
  World& world;
  Mishaps& mishaps;
  Random& delays;
  SimStore& store;
  Guests& guests;
  Invariants& invariants;
  Bug bug;
};

}  // namespace stellwerk::sim

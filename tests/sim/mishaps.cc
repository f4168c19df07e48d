#include "tests/sim/mishaps.h"

#include <utility>

namespace stellwerk::sim {

Mishaps::Mishaps(Random random) : random_(std::move(random)), drawn_(draw_rates(random_)) {}

Mishaps::Rates Mishaps::draw_rates(Random& random) {
  // Zero in a third of the seeds.
  const auto up_to = [&](uint64_t most) { return random.chance(333) ? 0 : random.below(most) + 1; };
  return {.refused = up_to(80),
          .answer_lost = up_to(60),
          .late = up_to(60),
          .commit_refused = up_to(60),
          .commit_lost = up_to(60),
          .outlives = up_to(800),
          .observation = up_to(60),
          .port = up_to(300),
          .repeated = up_to(50),
          .death_of_daemon = up_to(800),
          .power_cut = up_to(60),
          .link = up_to(20),
          .shutdown = up_to(20),
          .crash = up_to(20),
          .panic = up_to(10),
          .disk = up_to(10)};
}

Fate Mishaps::driver_call(bool late) {
  if (random_.chance(rates_.refused)) return Fate::kRefused;
  if (random_.chance(rates_.answer_lost)) return Fate::kAnswerLost;
  if (late && random_.chance(rates_.late)) return Fate::kLate;
  return Fate::kDone;
}

Fate Mishaps::commit() {
  if (random_.chance(rates_.commit_refused)) return Fate::kRefused;
  if (!random_.chance(rates_.commit_lost)) return Fate::kDone;
  return random_.chance(500) ? Fate::kAnswerLost : Fate::kLate;
}

bool Mishaps::outlives_caller() {
  return random_.chance(rates_.outlives);
}
bool Mishaps::observation_fails() {
  return random_.chance(rates_.observation);
}
bool Mishaps::port_stays() {
  return random_.chance(rates_.port);
}
bool Mishaps::daemon_dies() {
  return random_.below(100'000) < rates_.death_of_daemon;
}
bool Mishaps::power_fails() {
  return random_.below(100'000) < rates_.power_cut;
}
bool Mishaps::message_is_repeated() {
  return random_.chance(rates_.repeated);
}
bool Mishaps::link_breaks() {
  return random_.chance(rates_.link);
}
bool Mishaps::guest_shuts_down() {
  return random_.chance(rates_.shutdown);
}
bool Mishaps::guest_crashes() {
  return random_.chance(rates_.crash);
}
bool Mishaps::guest_panics() {
  return random_.chance(rates_.panic);
}
bool Mishaps::disk_fails() {
  return random_.chance(rates_.disk);
}

}  // namespace stellwerk::sim

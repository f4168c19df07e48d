// The way between controller and agent: in order, with delays, until it breaks; what is under way
// then is lost. A message may also be delivered once more, later: the receiver has to tell.
#pragma once

#include <utility>

#include "tests/sim/stage.h"

namespace stellwerk::sim {

class Link {
 public:
  Link(const Stage& stage, Life& life) : stage_(stage), life_(life) {}

  bool is_up() const { return up_; }
  void connect() { up_ = true; }
  void break_off() {
    up_ = false;
    ++session_;
  }

  void to_agent(Action deliver) {
    if (stage_.mishaps.message_is_repeated()) {
      const auto late = std::chrono::milliseconds(1500);
      life_.after(late, deliver);
    }
    send(to_agent_, std::move(deliver));
  }
  void to_controller(Action deliver) { send(to_controller_, std::move(deliver)); }

 private:
  void send(MonotonicTime& newest, Action deliver) {
    if (!up_) return;
    const Duration delay = stage_.delays.between(Duration(50), Duration(5000));
    newest = std::max(newest, stage_.schedule.now() + delay);
    life_.at(newest, [this, session = session_, deliver = std::move(deliver)] {
      if (session == session_) deliver();
    });
  }

  const Stage& stage_;
  Life& life_;
  bool up_ = false;
  uint64_t session_ = 0;
  MonotonicTime to_agent_;  // when the newest message arrives
  MonotonicTime to_controller_;
};

}  // namespace stellwerk::sim

// Feeds one state machine: what arrives within the same instant or a moment later is delivered
// together, and TimePassed when the machine asked to be woken.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/time.h"
#include "tests/sim/stage.h"

namespace stellwerk::sim {

template <class Input, class TimePassed>
class Mailbox {
 public:
  // Carries one delivery out and returns when to be woken.
  using Deliver = std::function<std::optional<MonotonicTime>(std::span<const Input>)>;

  Mailbox(const Stage& stage, Life& life, Deliver deliver)
      : stage_(stage), life_(life), deliver_(std::move(deliver)) {}

  void post(Input input) {
    inputs_.push_back(std::move(input));
    if (std::exchange(planned_, true)) return;
    life_.after(stage_.delays.between(Duration(0), Duration(800)), [this] { deliver(); });
  }

  // `when` is by the machine's clock; an earlier wish is forgotten.
  void wake(std::optional<MonotonicTime> when) {
    const uint64_t wish = ++wishes_;
    if (!when) return;
    life_.after(*when - stage_.world.now().monotonic, [this, wish] {
      if (wish == wishes_) post(TimePassed{});
    });
  }

 private:
  void deliver() {
    planned_ = false;
    const std::vector<Input> inputs = std::exchange(inputs_, {});
    wake(deliver_(inputs));
  }

  const Stage& stage_;
  Life& life_;
  const Deliver deliver_;
  std::vector<Input> inputs_;
  bool planned_ = false;
  uint64_t wishes_ = 0;
};

}  // namespace stellwerk::sim

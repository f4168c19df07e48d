// What will happen, ordered by simulated time, then by the order in which it was planned: the one
// source of order in a simulation. Time moves only when an event runs.
//
// A `Life` is the span of one simulated process: what was planned within it and has not happened
// when it ends never happens.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "core/time.h"

namespace stellwerk::sim {

using Action = std::function<void()>;

class Schedule {
 public:
  MonotonicTime now() const { return now_; }
  // A time in the past means now.
  void at(MonotonicTime when, Action action);
  void after(Duration delay, Action action) { at(now_ + delay, std::move(action)); }
  // Runs the earliest event; false if there is none.
  bool run_one();

 private:
  MonotonicTime now_;
  uint64_t planned_ = 0;
  std::map<std::pair<MonotonicTime, uint64_t>, Action> events_;
};

class Life {
 public:
  explicit Life(Schedule& schedule) : schedule_(schedule) {}
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  void at(MonotonicTime when, Action action);
  void after(Duration delay, Action action) { at(schedule_.now() + delay, std::move(action)); }
  // Wraps an action that somebody else will call, perhaps after the end.
  template <class... Arguments>
  std::function<void(Arguments...)> within(std::function<void(Arguments...)> action) {
    return [token = std::weak_ptr(token_), action = std::move(action)](Arguments... arguments) {
      if (!token.expired()) action(std::forward<Arguments>(arguments)...);
    };
  }
  // Tells, also afterwards, whether this life goes on.
  std::function<bool()> watch() const {
    return [token = std::weak_ptr(token_)] { return !token.expired(); };
  }

 private:
  struct Token {};
  Schedule& schedule_;
  std::shared_ptr<Token> token_ = std::make_shared<Token>();
};

}  // namespace stellwerk::sim

// One thread that owns a sans-I/O state machine: inputs from any thread go into a queue, are handed
// over in batches, and the machine's wish to be woken is kept by a timer.
//
// Invariant: `Step`, what it calls and everything given to `run` happen in this one thread, so what
// only they touch needs no lock.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "core/time.h"

namespace stellwerk::daemon {

template <class Input, class TimePassed>
class EventLoop {
 public:
  // Returns when TimePassed is to be delivered, at the latest.
  using Step = std::function<std::optional<MonotonicTime>(std::span<const Input>)>;
  using Begin = std::function<std::optional<MonotonicTime>()>;

  EventLoop(const Clock& clock, Step step) : clock_(clock), step_(std::move(step)) {}
  ~EventLoop() { stop(); }
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Once. `begin` runs before anything else does.
  void start(Begin begin) {
    boost::asio::post(io_, [this, begin = std::move(begin)] {
      wake_at(begin());
      begun_ = true;
      if (!inbox_.empty()) drain();
    });
    thread_ = std::thread([this] {
      own_thread_ = std::this_thread::get_id();
      io_.run();
    });
  }

  // What has not happened by then never does. Not from the loop's own thread.
  void stop() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  // Any thread.
  void post(Input input) {
    boost::asio::post(io_,
                      [this, input = std::move(input)]() mutable { deliver(std::move(input)); });
  }
  void run(std::function<void()> work) { boost::asio::post(io_, std::move(work)); }

  // Any thread: makes the machine step, and calls `done` in the loop's thread after that.
  void after_a_step(std::function<void()> done) {
    boost::asio::post(io_, [this, done = std::move(done)]() mutable {
      waiting_for_a_step_.push_back(std::move(done));
      deliver(TimePassed{});
    });
  }

  bool is_own_thread() const { return std::this_thread::get_id() == own_thread_; }

  // Only from the loop's thread: like `post`, but before anything that others posted meanwhile.
  void deliver(Input input) {
    inbox_.push_back(std::move(input));
    if (!std::exchange(drain_due_, true)) boost::asio::post(io_, [this] { drain(); });
  }

 private:
  void drain() {
    drain_due_ = false;
    if (!begun_ || inbox_.empty()) return;
    const std::vector<Input> inputs = std::exchange(inbox_, {});
    wake_at(step_(inputs));
    for (const auto& done : std::exchange(waiting_for_a_step_, {})) done();
  }

  void wake_at(std::optional<MonotonicTime> time) {
    timer_.cancel();
    if (!time) return;
    timer_.expires_after(std::max(*time - clock_.now().monotonic, Duration::zero()));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) deliver(TimePassed{});
    });
  }

  const Clock& clock_;
  const Step step_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(io_);
  boost::asio::steady_timer timer_{io_};
  std::vector<Input> inbox_;
  std::vector<std::function<void()>> waiting_for_a_step_;
  bool drain_due_ = false;
  bool begun_ = false;
  std::atomic<std::thread::id> own_thread_;
  std::thread thread_;
};

}  // namespace stellwerk::daemon

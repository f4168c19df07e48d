// Feeds systemd's watchdog from the control loops themselves: a token goes through one step of
// every loop that is watched, one after the other, and only its coming back feeds. A loop that
// hangs keeps the token, and the daemon is killed and started again.
//
// Invariant: `feed` is called once for each time that every watched loop has made a step since the
// last feeding. What blocks in another thread (a slow disk, libvirt) holds nothing up. Everything
// here happens in the thread of `io`, which is thereby watched, too.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <vector>

#include "core/time.h"

namespace stellwerk::daemon {

class Watchdog {
 public:
  // Only posts; has `done` called, from any thread, when its loop has made one more step.
  using Round = std::function<void(std::function<void()> done)>;

  // `pause` lies between the token's return and its next start.
  struct Options {
    Duration pause;
    std::function<void()> feed;
  };
  // `io` outlives the watchdog. When `io` has stopped and the loops have, nothing refers to it.
  Watchdog(boost::asio::io_context& io, Options options);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // From the token's next start on.
  void watch(Round loop);
  // Once: the token starts at once.
  void start();

 private:
  void pass_through(size_t loop);
  void pause();

  boost::asio::io_context& io_;
  const Options options_;
  boost::asio::steady_timer timer_;
  std::vector<Round> loops_;
  size_t watched_ = 0;  // of loops_, in the present round
};

}  // namespace stellwerk::daemon

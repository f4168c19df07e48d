#include "api/daemon/watchdog.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace stellwerk::daemon {

Watchdog::Watchdog(boost::asio::io_context& io, Options options)
    : io_(io), options_(std::move(options)), timer_(io) {}

void Watchdog::watch(Round loop) {
  loops_.push_back(std::move(loop));
}

void Watchdog::start() {
  watched_ = loops_.size();
  pass_through(0);
}

void Watchdog::pass_through(size_t loop) {
  if (loop < watched_) {
    loops_[loop](
        [this, loop] { boost::asio::post(io_, [this, loop] { pass_through(loop + 1); }); });
    return;
  }
  options_.feed();
  pause();
}

void Watchdog::pause() {
  timer_.expires_after(options_.pause);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) start();
  });
}

}  // namespace stellwerk::daemon

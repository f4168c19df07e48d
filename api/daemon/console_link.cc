#include "api/daemon/console_link.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

namespace stellwerk::daemon {
namespace {

// In one turn, so that a guest that never stops leaves the others theirs.
constexpr int kReadsATurn = 8;
constexpr size_t kPiece = 16 << 10;

}  // namespace

ConsoleLink::ConsoleLink(boost::asio::io_context& io, Descriptor console, Callbacks callbacks)
    : descriptor_(console.get()),
      console_(io, console.release()),
      callbacks_(std::move(callbacks)) {}

bool ConsoleLink::is_alive(int descriptor) {
  pollfd look{.fd = descriptor, .events = POLLRDHUP, .revents = 0};
  return ::poll(&look, 1, 0) == 0;
}

void ConsoleLink::start() {
  if (ended_) return;
  console_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        if (!error) self->read();
                      });
}

void ConsoleLink::read() {
  std::array<char, kPiece> buffer;
  for (int i = 0; i < kReadsATurn; ++i) {
    const ssize_t got = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (got > 0) {
      callbacks_.heard({buffer.data(), static_cast<size_t>(got)});
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    return end();
  }
  start();
}

void ConsoleLink::flush() {
  if (ended_ || writing_) return;
  const std::string bytes = callbacks_.pending();
  if (bytes.empty()) return;
  const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent > 0) callbacks_.written(static_cast<size_t>(sent));
  if (sent == static_cast<ssize_t>(bytes.size())) return;
  // Any other error shows when reading, too.
  if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return;
  writing_ = true;
  console_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        self->writing_ = false;
                        if (!error) self->flush();
                      });
}

void ConsoleLink::end() {
  if (std::exchange(ended_, true)) return;
  callbacks_.ended(this);
  close();
}

void ConsoleLink::close() {
  ended_ = true;
  boost::system::error_code ignored;
  console_.close(ignored);
}

}  // namespace stellwerk::daemon

#include "api/cli/console_loop.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

#include "api/cli/table.h"

namespace stellwerk::cli {
namespace {

constexpr size_t kLargestInput = 4096;
// Of what is typed ahead of a guest that takes nothing. More is dropped, as a terminal does.
constexpr size_t kMostTypedAhead = 64 << 10;

}  // namespace

ConsoleLoop::ConsoleLoop(Context& context, client::ConsoleSession& session,
                         ConsoleLoopOptions options)
    : context_(context),
      session_(session),
      options_(std::move(options)),
      terminal_(options_.reads_input || options_.escape ? context.environment.in_descriptor : -1) {}

absl::Status ConsoleLoop::run() {
  std::thread input([this] { watch_input(); });
  std::thread sender([this] { send_input(); });
  bool written = true;
  while (const auto response = session_.read()) {
    if (written && !show(*response)) {
      written = false;
      session_.cancel();
    }
  }
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  signals_.wake();
  input.join();
  sender.join();
  absl::Status end = session_.finish();
  if (!options_.raw_output) write_out(harmless_.end());
  if (!written) return data_loss("cannot write the output");
  if (signal_ != 0) {
    return make_status(absl::StatusCode::kCancelled, fmt::format("ended by signal {}", signal_));
  }
  if (left_) {
    tell("left");
    return absl::OkStatus();
  }
  return end;
}

// Until the session has ended, for a signal may come at any time.
void ConsoleLoop::watch_input() {
  int in = options_.reads_input || terminal_.is_raw() ? context_.environment.in_descriptor : -1;
  for (;;) {
    bool room = false;
    {
      const std::lock_guard lock(mutex_);
      if (ended_) return;
      room = terminal_.is_raw() || typed_.size() < kMostTypedAhead;
    }
    std::array<pollfd, 2> files{{{.fd = signals_.descriptor(), .events = POLLIN, .revents = 0},
                                 {.fd = room ? in : -1, .events = POLLIN, .revents = 0}}};
    if (::poll(files.data(), files.size(), -1) < 0) continue;
    if (files[0].revents != 0) {
      if (const int signal = signals_.take(); signal != 0) {
        signal_ = signal;
        session_.cancel();
      }
    }
    if (files[1].revents != 0 && !take_input(terminal_.is_raw())) in = -1;
  }
}

// False: there is no more.
bool ConsoleLoop::take_input(bool is_terminal) {
  std::array<char, kLargestInput> buffer;
  const ssize_t got = ::read(context_.environment.in_descriptor, buffer.data(), buffer.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  std::string_view bytes(buffer.data(), got > 0 ? static_cast<size_t>(got) : 0);
  const size_t escape =
      is_terminal && options_.escape ? bytes.find(*options_.escape) : std::string_view::npos;
  const std::lock_guard lock(mutex_);
  if (options_.reads_input && typed_.size() < kMostTypedAhead) {
    typed_ += bytes.substr(0, escape);
  }
  if (got <= 0) typed_all_ = true;
  changed_.notify_all();
  if (escape != std::string_view::npos) leave();
  return got > 0 && escape == std::string_view::npos;
}

void ConsoleLoop::leave() {
  left_ = true;
  session_.cancel();
}

void ConsoleLoop::send_input() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ended_ || left_ || typed_all_ || !typed_.empty(); });
    if (ended_ || left_) return;
    if (typed_.empty()) {
      if (options_.reads_input) session_.end_input();
      return;
    }
    const std::string bytes = typed_.substr(0, kLargestInput);
    typed_.erase(0, bytes.size());
    lock.unlock();
    signals_.wake();  // there is room for more
    const bool sent = session_.type(bytes);
    lock.lock();
    if (!sent) return;
  }
}

void ConsoleLoop::tell(std::string_view text) {
  if (!options_.notices) return;
  const std::string_view line_end = terminal_.is_raw() ? "\r\n" : "\n";
  context_.err() << (terminal_.is_raw() ? line_end : "") << '[' << Cell(options_.name).text()
                 << ": " << Cell(text).text() << ']' << line_end << std::flush;
}

bool ConsoleLoop::show(const v1::AttachConsoleResponse& response) {
  if (response.notice() != v1::AttachConsoleResponse::NOTICE_UNSPECIFIED) {
    tell(response.message());
  }
  return write_out(options_.raw_output ? response.output() : harmless_.pass(response.output()));
}

bool ConsoleLoop::write_out(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::write(context_.environment.out_descriptor, bytes.data(), bytes.size());
    if (written > 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN || errno == EINTR) {
      // Others may have made our terminal non-blocking. Not for ever: the session may end.
      pollfd file{.fd = context_.environment.out_descriptor, .events = POLLOUT, .revents = 0};
      ::poll(&file, 1, 100);
      const std::lock_guard lock(mutex_);
      if (left_ || signal_ != 0) return true;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace stellwerk::cli

// stellwerkd for the tests of its own end: it kills itself, or hangs, at a failpoint.
//
// STELLWERK_FAILPOINTS="store.commit.before:3,storage.create-disk.during:1": SIGKILL at the n-th
// passage, counted in whichever thread it happens.
// STELLWERK_HANG="controller.step=/run/hang": the thread that comes by while that file is there
// removes it and stays for ever.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/daemon/program.h"
#include "core/failpoint.h"
#include "core/parse_number.h"

namespace {

// Passages left until the end. The map itself never changes once threads exist.
using Countdown = std::map<std::string, std::atomic<int>, std::less<>>;

bool read_one(std::string_view text, Countdown& countdown) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto passages = stellwerk::parse_number<int>(text.substr(colon + 1));
  if (!passages || *passages < 1) return false;
  countdown[std::string(text.substr(0, colon))] = *passages;
  return true;
}

bool read_all(std::string_view text, Countdown& countdown) {
  while (!text.empty()) {
    const size_t comma = text.find(',');
    if (!read_one(text.substr(0, comma), countdown)) return false;
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return true;
}

struct Hang {
  std::string failpoint;
  std::string file;
};

std::optional<Hang> read_hang(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  return Hang{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

void pass(const Hang& hang, std::string_view name) {
  if (name != hang.failpoint || ::unlink(hang.file.c_str()) != 0) return;
  while (true) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  static Countdown countdown;
  const char* const text = std::getenv("STELLWERK_FAILPOINTS");
  if (text != nullptr && !read_all(text, countdown)) {
    fmt::print(stderr, "STELLWERK_FAILPOINTS: \"{}\" is not NAME:N[,NAME:N…] with N from 1\n",
               text);
    return 2;
  }
  static std::optional<Hang> hang;
  if (const char* const wanted = std::getenv("STELLWERK_HANG")) {
    hang = read_hang(wanted);
    if (!hang) {
      fmt::print(stderr, "STELLWERK_HANG: \"{}\" is not NAME=FILE\n", wanted);
      return 2;
    }
  }
  stellwerk::set_failpoint_hook([](std::string_view name) {
    if (hang) pass(*hang, name);
    const auto found = countdown.find(name);
    if (found != countdown.end() && --found->second == 0) ::kill(::getpid(), SIGKILL);
  });
  return stellwerk::daemon::run_program(argc, argv);
}

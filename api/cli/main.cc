#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "api/cli/run.h"
#include "api/cli/spawn.h"

namespace {

volatile sig_atomic_t interrupted = 0;

class SignalInterrupt final : public stellwerk::cli::Interrupt {
 public:
  void arm() override {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; };
    action.sa_flags = SA_RESETHAND;  // the second one ends the process at once
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
  }
  bool raised() const override { return interrupted != 0; }
};

size_t width_of_standard_error() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::optional<std::string> environment_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// The one that lies beside this program, or else the one that PATH leads to.
absl::StatusOr<std::string> run_stellwerkd(const std::vector<std::string>& arguments,
                                           stellwerk::Duration patience) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path beside = self.parent_path() / "stellwerkd";
  const bool there = !error && std::filesystem::exists(beside, error);
  return stellwerk::cli::output_of(there ? beside.string() : "stellwerkd", arguments, patience);
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  // gRPC's own log is for its developers; errors reach the user as statuses.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  const stellwerk::SystemClock clock;
  SignalInterrupt interrupt;
  stellwerk::cli::Environment environment{.in = std::cin,
                                          .out = std::cout,
                                          .err = std::cerr,
                                          .out_is_terminal = isatty(STDOUT_FILENO) == 1,
                                          .err_is_terminal = isatty(STDERR_FILENO) == 1,
                                          .err_width = width_of_standard_error,
                                          .variable = environment_variable,
                                          .clock = clock,
                                          .interrupt = interrupt,
                                          .call_policy = {},
                                          .stellwerkd = run_stellwerkd,
                                          .in_descriptor = STDIN_FILENO,
                                          .out_descriptor = STDOUT_FILENO};
  return stellwerk::cli::run(std::vector<std::string>(argv + 1, argv + argc), environment);
}

// Runs command lines in this process, against a FakeDaemon, and catches what they print.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "api/cli/run.h"
#include "fake_daemon.h"

namespace stellwerk::test {

// Stands still at 2026-11-23T05:00:00Z. Only for tests of timeouts does the monotonic clock run.
class TestClock final : public Clock {
 public:
  explicit TestClock(bool runs) : runs_(runs) {}
  Now now() const override;

 private:
  bool runs_;
};
inline constexpr int64_t kTestSeconds = 1795410000;

// Presses Ctrl-C once `when` holds of what was printed so far, or after ten seconds. Used by the
// thread that runs the command.
class TestInterrupt final : public cli::Interrupt {
 public:
  void arm() override;
  bool raised() const override;

  std::function<bool(const std::string& out, const std::string& err)> when;
  const std::ostringstream* out = nullptr;
  const std::ostringstream* err = nullptr;
  bool gave_up() const;

 private:
  std::optional<MonotonicTime> deadline_;
};

struct Ran {
  int code = -1;
  std::string out;
  std::string err;
};

class CliTest : public ::testing::Test {
 protected:
  // With --endpoint before the arguments.
  Ran run(std::vector<std::string> arguments);
  // Exactly these arguments.
  Ran run_bare(const std::vector<std::string>& arguments);

  std::string write_file(const std::string& name, const std::string& content);

  FakeDaemon daemon;
  std::string input;                  // standard input
  std::istream* odd_input = nullptr;  // instead of it, unless null
  bool time_runs = false;
  bool out_is_terminal = false;
  bool out_is_full = false;  // like /dev/full
  bool err_is_terminal = false;
  std::map<std::string, std::string> variables;
  TestInterrupt interrupt;
  absl::StatusOr<std::string> stellwerkd_says = absl::NotFoundError("there is no stellwerkd");
  std::vector<std::string> stellwerkd_arguments;
  client::CallPolicy policy{.deadline = std::chrono::seconds(20),
                            .attempts = 5,
                            .first_pause = std::chrono::milliseconds(20)};
};

google::protobuf::Timestamp seconds_ago(int64_t seconds);
// web-1 of project default: RUNNING, generation 1, carried out.
v1::Instance running_instance();
v1::WatchEventsResponse watch_response(const std::string& token);
v1::Event event(const std::string& type, const std::string& message, uint64_t sequence);

}  // namespace stellwerk::test

// What a command runs in: the process's surroundings, injected, and what the global options say.
// One thread.
#pragma once

#include <functional>
#include <istream>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "api/client/client.h"
#include "core/time.h"

namespace stellwerk::cli {

// Ctrl-C, for the commands that end in good order.
class Interrupt {
 public:
  virtual ~Interrupt() = default;
  virtual void arm() = 0;  // from here on, a signal is noted instead of ending the process
  virtual bool raised() const = 0;
};

struct Environment {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::function<size_t()> err_width;  // columns of err's terminal now; zero: not known
  std::function<std::optional<std::string>(const char* name)> variable;
  const Clock& clock;
  Interrupt& interrupt;
  client::CallPolicy call_policy;
  // What stellwerkd prints when it is run with these arguments.
  std::function<absl::StatusOr<std::string>(const std::vector<std::string>&, Duration patience)>
      stellwerkd;
  // The files behind `in` and `out`, for what goes through them as it comes; -1: none.
  int in_descriptor = -1;
  int out_descriptor = -1;
};

enum class OutputFormat { kTable, kWide, kJson, kYaml };

struct Context {
  Environment& environment;
  client::Client& client;
  OutputFormat format = OutputFormat::kTable;
  std::string project = "default";  // "-": all, for lists
  bool colour = false;
  std::string request_id;  // of the mutation that was sent last

  std::ostream& out() const { return environment.out; }
  std::ostream& err() const { return environment.err; }
  Now now() const { return environment.clock.now(); }
};

// What the command line asks for; runs after all of it has been read.
using Command = std::function<absl::Status(Context&)>;

}  // namespace stellwerk::cli

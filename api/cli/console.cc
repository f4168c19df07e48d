#include "api/cli/console.h"

#include <unistd.h>

#include <memory>

#include "api/cli/console_loop.h"
#include "api/cli/instance_change.h"
#include "api/cli/table.h"
#include "api/client/console_session.h"
#include "api/client/harmless_text.h"
#include "core/console.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

using v1::AttachConsoleRequest;

struct ConsoleOptions {
  std::string id;
  bool read_only = false;
  bool force = false;
  bool no_history = false;
  std::string escape = "^]";
};

struct LogOptions {
  std::string id;
  bool follow = false;
  bool raw = false;
  int32_t bytes = kConsoleHistory;
};

std::string check_escape(const std::string& text) {
  if (parse_escape(text)) return "";
  return fmt::format("{} is neither one character, nor ^ and a letter, nor none",
                     stellwerk::quoted(text));
}

// Its errors tell more than those of a stream, and it waits for a daemon that is just starting.
absl::Status look_up(Context& context, const std::string& name) {
  return get(context, &v1::Instances::Stub::GetInstance, name).status();
}

AttachConsoleRequest::Start start_of(const std::string& name, const ConsoleOptions& options) {
  AttachConsoleRequest::Start start;
  start.set_name(name);
  start.set_access(options.read_only ? AttachConsoleRequest::READ
                   : options.force   ? AttachConsoleRequest::TAKE_OVER
                                     : AttachConsoleRequest::WRITE);
  if (options.no_history) start.set_skip_history(true);
  return start;
}

absl::Status attach(Context& context, const ConsoleOptions& options) {
  const std::string name = instance_name(context, options.id);
  SW_RETURN_IF_ERROR(look_up(context, name));
  const char escape = parse_escape(options.escape).value_or('\0');
  const bool typed = ::isatty(context.environment.in_descriptor) == 1;
  if (typed && escape != '\0') {
    context.err() << "attached to " << Cell(options.id).text()
                  << (options.read_only ? " read-only" : "") << "; " << options.escape
                  << " leaves it\n"
                  << std::flush;
  }
  client::ConsoleSession session(context.client, start_of(name, options));
  ConsoleLoop loop(context, session,
                   {.name = options.id,
                    .reads_input = !options.read_only,
                    .escape = escape == '\0' ? std::nullopt : std::optional(escape),
                    .raw_output = true,
                    .notices = true});
  return loop.run();
}

absl::Status follow_log(Context& context, const std::string& name, const LogOptions& options) {
  AttachConsoleRequest::Start start;
  start.set_name(name);
  start.set_access(AttachConsoleRequest::READ);
  start.set_history_bytes(options.bytes);
  client::ConsoleSession session(context.client, start);
  ConsoleLoop loop(context, session,
                   {.name = options.id,
                    .reads_input = false,
                    .escape = std::nullopt,
                    .raw_output = options.raw || !context.environment.out_is_terminal,
                    .notices = context.environment.err_is_terminal});
  const absl::Status end = loop.run();
  // Ctrl-C is how following ends.
  return absl::IsCancelled(end) ? absl::OkStatus() : end;
}

absl::Status print_log(Context& context, const LogOptions& options) {
  const std::string name = instance_name(context, options.id);
  SW_RETURN_IF_ERROR(look_up(context, name));
  if (options.follow) return follow_log(context, name, options);
  v1::GetConsoleLogRequest request;
  request.set_name(name);
  request.set_max_bytes(options.bytes);
  SW_ASSIGN_OR_RETURN(const v1::GetConsoleLogResponse answer,
                      context.client.call(&v1::Consoles::Stub::GetConsoleLog, request));
  if (options.raw || !context.environment.out_is_terminal) {
    context.out() << answer.log();
    return absl::OkStatus();
  }
  client::HarmlessText harmless;
  context.out() << harmless.pass(answer.log()) << harmless.end();
  return absl::OkStatus();
}

void add_console(CLI::App* noun, Command& chosen) {
  CLI::App* verb = add_verb(noun, {"console", "Attach to the serial console; Ctrl-] leaves it",
                                   "stellwerk instance console web-1"});
  auto options = std::make_shared<ConsoleOptions>();
  verb->add_option("NAME", options->id, "The instance")->required();
  CLI::Option* read_only = verb->add_flag("--read-only", options->read_only,
                                          "Only watch; any number may, but one types");
  verb->add_flag("--force", options->force, "Take over from whoever types now; they are told")
      ->excludes(read_only);
  verb->add_option("--escape", options->escape,
                   "The key that leaves: one character, ^ and a letter, or none")
      ->type_name("KEY")
      ->capture_default_str()
      ->check(CLI::Validator(check_escape, ""));
  verb->add_flag("--no-history", options->no_history, "Do not show what was written before");
  choose(verb, options, chosen, attach);
}

void add_log(CLI::App* noun, Command& chosen) {
  CLI::App* verb = add_verb(noun, {"log", "Print what the guest wrote last on its serial console",
                                   "stellwerk instance log web-1 --follow"});
  auto options = std::make_shared<LogOptions>();
  verb->add_option("NAME", options->id, "The instance")->required();
  verb->add_flag("--follow,-f", options->follow, "Go on with what it writes, until Ctrl-C");
  verb->add_flag("--raw", options->raw,
                 "Escape sequences and all, also to a terminal, which will obey them");
  verb->add_option("--bytes", options->bytes, "How much of the end")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{1}, int64_t{kConsoleHistory}));
  choose(verb, options, chosen, print_log);
}

}  // namespace

void add_console_verbs(CLI::App* noun, Command& chosen) {
  add_console(noun, chosen);
  add_log(noun, chosen);
}

std::optional<char> parse_escape(std::string_view text) {
  if (text == "none") return '\0';
  if (text.size() == 1 && text[0] > 0x20 && text[0] < 0x7f) return text[0];
  if (text.size() != 2 || text[0] != '^') return std::nullopt;
  const char upper = text[1] >= 'a' && text[1] <= 'z' ? static_cast<char>(text[1] - 32) : text[1];
  if (upper < 'A' || upper > '_') return std::nullopt;
  return static_cast<char>(upper - '@');
}

}  // namespace stellwerk::cli

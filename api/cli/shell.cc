#include <iterator>

#include "api/cli/commands.h"
#include "api/cli/complete.h"
#include "api/cli/exit_code.h"
#include "api/cli/manual.h"
#include "api/cli/table.h"

namespace stellwerk::cli {
namespace {

// The page on standard input, with the commands and the exit codes in their places.
absl::Status print_manual(const Context& context, const CLI::App& app) {
  std::string page((std::istreambuf_iterator<char>(context.environment.in)), {});
  const std::pair<std::string_view, std::string> sections[] = {
      {".\\\" COMMANDS\n", manual_of(app)}, {".\\\" EXIT STATUS\n", manual_of_exit_codes()}};
  for (const auto& [place, section] : sections) {
    const size_t at = page.find(place);
    if (at == std::string::npos) return usage_error("standard input has no line {}", place);
    page.replace(at, place.size(), section);
  }
  context.out() << page;
  return absl::OkStatus();
}

}  // namespace

void add_shell_commands(CLI::App& app, Command& chosen) {
  CLI::App* completion = app.add_subcommand("completion", "Print what a shell needs to complete");
  completion->require_subcommand(1);
  CLI::App* bash = completion->add_subcommand("bash", "Print the completion for bash");
  bash->footer("Example:\n  source <(stellwerk completion bash)");
  bash->callback([&chosen] {
    chosen = [](Context& context) {
      context.out() << bash_script();
      return absl::OkStatus();
    };
  });
  CLI::App* manual =
      app.add_subcommand("manual", "Fill in the commands and exit codes in a manual page");
  manual->group("");  // for the build
  manual->callback([&chosen, &app] {
    chosen = [&app](Context& context) { return print_manual(context, app); };
  });
}

}  // namespace stellwerk::cli

#include "api/cli/instance_change.h"

#include "api/cli/format.h"

namespace stellwerk::cli {

std::string instance_name(const Context& context, std::string_view id) {
  return full_name(project_name(context) + "/instances/", id);
}

void add_wait(CLI::App* verb, WaitOptions& options) {
  CLI::Option* wait =
      verb->add_flag("--wait", options.wait, "Wait until it is done, showing the phases");
  verb->add_option("--timeout", options.timeout_seconds, "How long --wait waits")
      ->type_name("SECONDS")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{1}, int64_t{7 * 86400}))
      ->needs(wait);
}

absl::StatusOr<v1::Instance> wait_if_asked(Context& context, const WaitOptions& options, Goal goal,
                                           const v1::Instance& answer) {
  if (!options.wait) return answer;
  return wait_for(
      context,
      {.answer = answer, .goal = goal, .timeout = std::chrono::seconds(options.timeout_seconds)});
}

}  // namespace stellwerk::cli

#include "api/cli/run.h"

#include <CLI/CLI.hpp>

#include <exception>
#include <map>
#include <memory>

#include "api/cli/command_line.h"
#include "api/cli/commands.h"
#include "api/cli/complete.h"
#include "api/cli/errors.h"
#include "api/cli/exit_code.h"
#include "api/cli/table.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

const std::map<std::string, OutputFormat> kFormats = {{"table", OutputFormat::kTable},
                                                      {"wide", OutputFormat::kWide},
                                                      {"json", OutputFormat::kJson},
                                                      {"yaml", OutputFormat::kYaml}};

struct GlobalOptions {
  std::string endpoint;
  std::string project;
  std::string format = "table";
};

struct CommandLine {
  CLI::App app{"Stellwerk: books virtual machines, and what they need", "stellwerk"};
  GlobalOptions global;
  Command chosen;
  bool version = false;
};

std::string footer() {
  std::string text =
      "Example:\n"
      "  stellwerk instance create web-1 --flavor SCS-1V-2 --image debian-12 --wait\n"
      "\n"
      "Exit codes:";
  for (int code = 0; !meaning_of(ExitCode{code}).empty(); ++code) {
    text += fmt::format("\n  {}  {}", code, meaning_of(ExitCode{code}));
  }
  return text;
}

std::string variable_or(const Environment& environment, const char* name,
                        std::string_view fallback) {
  const auto value = environment.variable(name);
  return value && !value->empty() ? *value : std::string(fallback);
}

void define(CommandLine& line) {
  CLI::App& app = line.app;
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.footer(footer());
  app.add_option("--project", line.global.project,
                 "Project; - for all in lists; else STELLWERK_PROJECT, else default")
      ->type_name("NAME");
  app.add_option("-o,--output", line.global.format, "How results are shown")
      ->capture_default_str()
      ->check(CLI::IsMember({"table", "wide", "json", "yaml"}));
  app.add_option("--endpoint", line.global.endpoint,
                 "The daemon's socket, unix:///path; else STELLWERK_ENDPOINT, else "
                 "unix:///run/stellwerk/stellwerkd.sock")
      ->type_name("ENDPOINT");
  app.add_flag("--version", line.version, "Print the version");
  add_instance_commands(app, line.chosen);
  add_explain_command(app, line.chosen);
  add_image_commands(app, line.chosen);
  add_network_commands(app, line.chosen);
  add_flavor_commands(app, line.chosen);
  add_host_commands(app, line.chosen);
  add_project_commands(app, line.chosen);
  add_group_commands(app, line.chosen);
  add_topology_commands(app, line.chosen);
  add_event_commands(app, line.chosen);
  add_top_command(app, line.chosen);
  add_doctor_command(app, line.chosen);
  add_simulate_command(app, line.chosen);
  add_shell_commands(app, line.chosen);
  CLI::App* version = app.add_subcommand("version", "Print the version");
  version->footer("Example:\n  stellwerk version");
  version->callback([&line] { line.version = true; });
}

// "stellwerk instance create", as far as the command line got.
std::string deepest_command(const CLI::App& app) {
  std::string path = app.get_name();
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    path += " " + at->get_name();
  }
  return path;
}

int usage(const CommandLine& line, Environment& environment, std::string_view what) {
  environment.err << "error: " << Cell(what).text() << "\nhint: " << deepest_command(line.app)
                  << " --help\n"
                  << std::flush;
  return static_cast<int>(ExitCode::kUsage);
}

bool has_colour(const Environment& environment) {
  return environment.out_is_terminal && variable_or(environment, "NO_COLOR", "").empty() &&
         variable_or(environment, "TERM", "") != "dumb";
}

// Output that nobody could read (a full disk) is a failure, too.
absl::Status flush(Environment& environment) {
  environment.out.flush();
  if (environment.out.good()) return absl::OkStatus();
  return data_loss("cannot write the output");
}

// "-" stands for all projects, of which none is the one to find or to make something in.
std::string missing_project(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  const CLI::App* noun = at->get_parent();
  const std::string of = noun == nullptr ? "" : noun->get_name();
  const bool of_projects = of == "instance" || of == "explain" || of == "image" ||
                           of == "network" || of == "group" || of == "event";
  for (const char* name : {"NAME", "--instance"}) {
    const CLI::Option* option = of_projects ? at->get_option_no_throw(name) : nullptr;
    if (option == nullptr || option->count() == 0) continue;
    const std::string& given = option->results().front();
    if (given.find('/') != std::string::npos) continue;
    return fmt::format("- (all projects) is for lists and events; name the one project of {}",
                       stellwerk::quoted(given));
  }
  return "";
}

int run_command(CommandLine& line, Environment& environment) {
  const std::string endpoint_text =
      line.global.endpoint.empty()
          ? variable_or(environment, "STELLWERK_ENDPOINT", client::kDefaultEndpoint)
          : line.global.endpoint;
  const auto endpoint = client::parse_endpoint(endpoint_text);
  if (!endpoint.ok()) return usage(line, environment, message_of(endpoint.status()));
  client::Client client(*endpoint, environment.call_policy);
  Context context{
      .environment = environment,
      .client = client,
      .format = kFormats.at(line.global.format),
      .project = line.global.project.empty()
                     ? variable_or(environment, "STELLWERK_PROJECT", "default")
                     : line.global.project,
      .colour = has_colour(environment),
      .request_id = "",
  };
  if (context.project == "-") {
    const std::string mistake = missing_project(line.app);
    if (!mistake.empty()) return usage(line, environment, mistake);
  }
  absl::Status status = line.chosen(context);
  if (status.ok()) status = flush(environment);
  print_error(environment.err, status, context.request_id);
  return static_cast<int>(exit_code_of(status));
}

int print_version(Environment& environment) {
  environment.out << "stellwerk " << STELLWERK_VERSION << '\n';
  const absl::Status status = flush(environment);
  print_error(environment.err, status, "");
  return static_cast<int>(exit_code_of(status));
}

// Says nothing of mistakes: nobody reads it while a line is typed.
int complete(const CommandLine& line, const std::vector<std::string>& words,
             Environment& environment) {
  const Position position = position_of(line.app, words);
  const auto given = [&](const char* option, const char* variable, std::string_view fallback) {
    const auto found = position.options.find(option);
    return found == position.options.end() ? variable_or(environment, variable, fallback)
                                           : found->second;
  };
  std::vector<std::string> candidates = position.fixed;
  const auto endpoint =
      client::parse_endpoint(given("endpoint", "STELLWERK_ENDPOINT", client::kDefaultEndpoint));
  if (endpoint.ok() && !position.resource.empty()) {
    client::Client client(*endpoint, environment.call_policy);
    for (const std::string& id :
         ids_of(position.resource, client, given("project", "STELLWERK_PROJECT", "default"))) {
      if (id.starts_with(words.empty() ? "" : words.back())) candidates.push_back(id);
    }
  }
  for (const std::string& candidate : candidates) {
    environment.out << Cell(candidate).text() << '\n';
  }
  return flush(environment).ok() ? 0 : static_cast<int>(ExitCode::kFailed);
}

}  // namespace

int run(const std::vector<std::string>& arguments, Environment& environment) {
  CommandLine line;
  std::vector<std::string> words;
  try {
    define(line);
    if (!arguments.empty() && arguments.front() == "__complete") {
      return complete(line, {arguments.begin() + 1, arguments.end()}, environment);
    }
    words = with_help_as_option(line.app, arguments);
    // CLI11 takes them from the back.
    line.app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      // An unknown word is the cause of what CLI11 says of the others.
      const std::string mistake = mistake_in(line.app, words);
      return usage(line, environment, mistake.empty() ? error.what() : mistake);
    }
    line.app.exit(error, environment.out, environment.err);
    environment.out.flush();
    return static_cast<int>(ExitCode::kOk);
  }
  if (line.version) return print_version(environment);
  if (!line.chosen) return usage(line, environment, "no command is given");
  try {
    return run_command(line, environment);
  } catch (const std::exception& error) {
    print_error(environment.err, internal_error("{}", error.what()), "");
    return static_cast<int>(ExitCode::kFailed);
  }
}

}  // namespace stellwerk::cli

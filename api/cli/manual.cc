#include "api/cli/manual.h"

#include <fmt/format.h>

#include "api/cli/exit_code.h"

namespace stellwerk::cli {
namespace {

// Text in which nothing is a request or an escape of roff's.
std::string roff(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else if (c == '\n') {
      result += ' ';
    } else if ((c == '.' || c == '\'') && result.empty()) {
      result += std::string("\\&") + c;
    } else {
      result += c;
    }
  }
  return result;
}

// An argument of a macro; words such as "No" would be macros themselves.
std::string argument(std::string_view text) {
  std::string quoted = "\"\\&";
  for (const char c : roff(text)) quoted += c == '"' ? std::string("\\(dq") : std::string(1, c);
  return quoted + "\"";
}

bool is_documented(const CLI::Option& option) {
  return !option.get_group().empty() && option.get_name(false, true) != "-h,--help";
}

std::string option_line(const CLI::Option& option) {
  std::string names =
      option.get_positional() ? option.get_name(true) : option.get_name(false, true);
  for (size_t at = names.find(','); at != std::string::npos; at = names.find(',', at + 2)) {
    names.replace(at, 1, ", ");
  }
  const bool valued = !option.get_positional() && option.get_items_expected_max() > 0;
  return valued ? names + " " + option.get_type_name() : names;
}

std::string options_of(const CLI::App& command) {
  std::string list;
  for (const CLI::Option* option : command.get_options()) {
    if (!is_documented(*option)) continue;
    list +=
        fmt::format(".It {}\n{}", argument(option_line(*option)), roff(option->get_description()));
    if (!option->get_default_str().empty()) {
      list += fmt::format(" (default: {})", roff(option->get_default_str()));
    }
    list += '\n';
  }
  return list.empty() ? "" : ".Bl -tag -width 4n -compact\n" + list + ".El\n";
}

std::string entry_of(const CLI::App& command, const std::string& words) {
  std::string line = words;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    line += (option->get_required() ? " " : " [") + option->get_name(true) +
            (option->get_required() ? "" : "]");
  }
  return fmt::format(".It {}\n{}\n{}", argument(line), roff(command.get_description()),
                     options_of(command));
}

}  // namespace

std::string manual_of(const CLI::App& root) {
  std::string page = ".Sh COMMANDS\n";
  for (const CLI::App* noun : root.get_subcommands({})) {
    if (noun->get_group().empty()) continue;
    page += fmt::format(".Ss {}\n{}\n.Bl -tag -width 4n\n", argument(noun->get_name()),
                        roff(noun->get_description()));
    const auto verbs = noun->get_subcommands({});
    for (const CLI::App* verb : verbs) {
      if (verb->get_group().empty()) continue;
      page += entry_of(*verb, noun->get_name() + " " + verb->get_name());
    }
    if (verbs.empty()) page += entry_of(*noun, noun->get_name());
    page += ".El\n";
  }
  return page + ".Sh OPTIONS\nThese may stand anywhere on the line.\n" + options_of(root);
}

std::string manual_of_exit_codes() {
  std::string list = ".Sh EXIT STATUS\n.Bl -tag -width 4n -compact\n";
  for (int code = 0; !meaning_of(ExitCode{code}).empty(); ++code) {
    list += fmt::format(".It {}\n{}\n", code, roff(meaning_of(ExitCode{code})));
  }
  return list + ".El\n";
}

}  // namespace stellwerk::cli

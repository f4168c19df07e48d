#include "api/cli/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/suggestion.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

enum class Role { kOption, kUnknownOption, kCommand, kUnknownCommand, kArgument };

// A word with what it is; values of options are part of them.
struct Placed {
  Role role;
  const CLI::App* command;  // to which it was given
  size_t at;                // among the words
};

bool has_subcommands(const CLI::App& command) {
  return !command.get_subcommands({}).empty();
}

// "--flavor" of "--flavor=tiny", "-o" of "-ojson".
std::string name_of_option(const std::string& word) {
  return word.starts_with("--") ? word.substr(0, word.find('=')) : word.substr(0, 2);
}

std::vector<Placed> place(const CLI::App& root, const std::vector<std::string>& words) {
  std::vector<Placed> placed;
  const CLI::App* command = &root;
  bool options_ended = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!options_ended && word == "--") {
      options_ended = true;
    } else if (!options_ended && word.size() > 1 && word.front() == '-') {
      const std::string name = name_of_option(word);
      const CLI::Option* option = find_option(command, name);
      placed.push_back({option == nullptr ? Role::kUnknownOption : Role::kOption, command, i});
      if (option != nullptr && takes_value(*option) && name == word) ++i;
    } else if (!has_subcommands(*command)) {
      placed.push_back({Role::kArgument, command, i});
    } else {
      const CLI::App* next = find_subcommand(*command, word);
      placed.push_back({next == nullptr ? Role::kUnknownCommand : Role::kCommand, command, i});
      if (next != nullptr) command = next;
    }
  }
  return placed;
}

// "stellwerk instance create".
std::string path_of(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : path_of(*parent) + " " + command.get_name();
}

std::string there_are(const CLI::App& command) {
  const std::vector<std::string> names = subcommand_names(command);
  return fmt::format("there {} {}", names.size() == 1 ? "is only" : "are:", fmt::join(names, ", "));
}

std::string unknown_command(const CLI::App& command, const std::string& word) {
  const std::string what =
      command.get_parent() == nullptr ? "noun" : "verb of " + command.get_name();
  return fmt::format("{} is no {}; {}", stellwerk::quoted(word), what, there_are(command));
}

std::string unknown_option(const CLI::App& command, const std::string& name) {
  const std::vector<std::string> names = option_names(&command);
  return fmt::format("{} is no option of {}{}", stellwerk::quoted(name), path_of(command),
                     suggestion(name, {names.begin(), names.end()}));
}

size_t arguments_of(const CLI::App& command) {
  const auto options = command.get_options();
  return static_cast<size_t>(std::ranges::count_if(
      options, [](const CLI::Option* option) { return option->get_positional(); }));
}

}  // namespace

const CLI::App* find_subcommand(const CLI::App& command, const std::string& name) {
  for (const CLI::App* one : command.get_subcommands({})) {
    if (one->get_name() == name) return one;
  }
  return nullptr;
}

const CLI::Option* find_option(const CLI::App* command, const std::string& name) {
  for (; command != nullptr; command = command->get_parent()) {
    if (const CLI::Option* option = command->get_option_no_throw(name)) return option;
  }
  return nullptr;
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

std::vector<std::string> subcommand_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* one : command.get_subcommands({})) {
    if (!one->get_group().empty()) names.push_back(one->get_name());
  }
  return names;
}

std::vector<std::string> option_names(const CLI::App* command) {
  std::vector<std::string> names;
  for (; command != nullptr; command = command->get_parent()) {
    for (const CLI::Option* option : command->get_options()) {
      if (option->get_positional() || option->get_group().empty()) continue;
      if (!option->get_lnames().empty()) names.push_back("--" + option->get_lnames().front());
    }
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<std::string> with_help_as_option(const CLI::App& root, std::vector<std::string> words) {
  for (const Placed& one : place(root, words)) {
    if (one.role != Role::kUnknownCommand || words[one.at] != "help") continue;
    words.erase(words.begin() + static_cast<ptrdiff_t>(one.at));
    words.push_back("--help");
    break;
  }
  return words;
}

std::string mistake_in(const CLI::App& root, const std::vector<std::string>& words) {
  const CLI::App* command = &root;
  std::vector<std::string> arguments;
  for (const Placed& one : place(root, words)) {
    const std::string& word = words[one.at];
    if (one.role == Role::kUnknownOption) {
      return unknown_option(*one.command, name_of_option(word));
    }
    if (one.role == Role::kUnknownCommand) return unknown_command(*one.command, word);
    if (one.role == Role::kCommand) command = find_subcommand(*one.command, word);
    if (one.role == Role::kArgument) arguments.push_back(stellwerk::quoted(word));
  }
  if (command != &root && has_subcommands(*command)) {
    return fmt::format("no verb of {} is given; {}", command->get_name(), there_are(*command));
  }
  const size_t expected = arguments_of(*command);
  if (arguments.size() <= expected) return "";
  arguments.erase(arguments.begin(), arguments.begin() + static_cast<ptrdiff_t>(expected));
  return fmt::format("too many arguments: {}", fmt::join(arguments, " "));
}

}  // namespace stellwerk::cli

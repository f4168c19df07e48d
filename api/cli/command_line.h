// The words of a command line beside the tree of commands: what each of them is, without carrying
// anything out. Pure.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace stellwerk::cli {

// Null: there is none.
const CLI::App* find_subcommand(const CLI::App& command, const std::string& name);
// The option of this name ("--label", "-o"), here or further up: options of all commands may stand
// anywhere. Null: there is none.
const CLI::Option* find_option(const CLI::App* command, const std::string& name);
bool takes_value(const CLI::Option& option);

// The verbs of a noun, the nouns of the program; without what is for the build alone.
std::vector<std::string> subcommand_names(const CLI::App& command);
// With two dashes, in alphabetical order.
std::vector<std::string> option_names(const CLI::App* command);

// `help` where a noun or a verb should stand is --help.
std::vector<std::string> with_help_as_option(const CLI::App& root, std::vector<std::string> words);
// Of words that are no command line: what is unknown among them, what is too much or which verb is
// missing. Empty when that is not what is wrong.
std::string mistake_in(const CLI::App& root, const std::vector<std::string>& words);

}  // namespace stellwerk::cli

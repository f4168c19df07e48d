// The parts of stellwerk(1) that list what the program knows of itself, in mdoc(7). Pure.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace stellwerk::cli {

// Sections COMMANDS and OPTIONS, from the tree of commands.
std::string manual_of(const CLI::App& root);
// Section EXIT STATUS.
std::string manual_of_exit_codes();

}  // namespace stellwerk::cli

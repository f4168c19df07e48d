// The part of stellwerk(1) that lists commands and options, in mdoc(7), from the tree of commands.
// Pure.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace stellwerk::cli {

// Sections COMMANDS and OPTIONS.
std::string manual_of(const CLI::App& root);

}  // namespace stellwerk::cli

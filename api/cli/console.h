// The verbs `console` and `log` of the noun instance.
#pragma once

#include <CLI/CLI.hpp>

#include <optional>
#include <string_view>

#include "api/cli/context.h"

namespace stellwerk::cli {

void add_console_verbs(CLI::App* noun, Command& chosen);

// "^]" or one character; a nul character means none ("none"). Nothing: it is neither.
std::optional<char> parse_escape(std::string_view text);

}  // namespace stellwerk::cli

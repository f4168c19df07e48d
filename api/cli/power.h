// Amounts of electrical power as people write them. Pure.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>

#include "core/status.h"
#include "core/units.h"

namespace stellwerk::cli {

// A whole number and a unit: W, kW or MW, letters in either case. The API counts whole watts.
absl::StatusOr<Milliwatts> parse_power(std::string_view text);

// "8 kW"; of watts as the API has them, which may be anything.
std::string power_text(int64_t watts);

// An option whose value is checked while the command line is read; empty: not given.
CLI::Option* add_power(CLI::App* verb, const char* name, std::string& value, const char* help);
// The same; "none" is a value, too.
CLI::Option* add_power_or_none(CLI::App* verb, const char* name, std::string& value,
                               const char* help);
// Of a checked value.
int64_t watts_of(const std::string& power);

}  // namespace stellwerk::cli

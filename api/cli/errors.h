// How errors are told: what, then one line per wrong field, then what to do.
#pragma once

#include <string_view>

#include "api/cli/context.h"

namespace stellwerk::cli {

// What to do about an error; empty where its message says all.
std::string_view hint_for(const absl::Status& status);

// Nothing for OK. `request_id` is the failed mutation's, or empty.
void print_error(std::ostream& err, const absl::Status& status, const std::string& request_id);

}  // namespace stellwerk::cli

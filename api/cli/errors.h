// How errors are told: what, then one line per wrong field, then what to do.
#pragma once

#include "api/cli/context.h"

namespace stellwerk::cli {

// Nothing for OK. `request_id` is the failed mutation's, or empty.
void print_error(std::ostream& err, const absl::Status& status, const std::string& request_id);

}  // namespace stellwerk::cli

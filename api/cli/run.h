// The whole program but for the process: reads a command line, runs its command, tells errors.
#pragma once

#include <string>
#include <vector>

#include "api/cli/context.h"

namespace stellwerk::cli {

// `arguments` without the program's name. Returns the exit status (exit_code.h). Throws nothing.
int run(const std::vector<std::string>& arguments, Environment& environment);

}  // namespace stellwerk::cli

// Completion for shells: what may stand where the cursor is, read off the same tree of commands
// that is parsed, so that the two cannot disagree.
#pragma once

#include <CLI/CLI.hpp>

#include <map>
#include <string>
#include <vector>

#include "api/cli/context.h"

namespace stellwerk::cli {

// What stands before the cursor, and what has to come next.
struct Position {
  std::vector<std::string> fixed;              // candidates that the tree knows
  std::string resource;                        // "instance", …: its ids are candidates, too
  std::map<std::string, std::string> options;  // long names with their values, so far
};
// Pure. `words` are all after the program's name up to the one under the cursor, which is the last
// and may be empty.
Position position_of(const CLI::App& root, const std::vector<std::string>& words);

// The ids of a kind of resource; none if the daemon does not answer at once.
std::vector<std::string> ids_of(const std::string& resource, client::Client& client,
                                const std::string& project);

// For ~/.bashrc or /usr/share/bash-completion/completions.
std::string bash_script();

}  // namespace stellwerk::cli

// Limits of projects on the command line, and how they are shown beside what is used.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "api/cli/table.h"
#include "core/status.h"
#include "stellwerk/v1/projects.pb.h"

namespace stellwerk::cli {

// As written: a number, a size or "none"; empty: not given.
struct LimitOptions {
  std::string instances;
  std::vector<std::string> vcpus;  // CLASS=NUMBER
  std::string memory;
  std::string disk;
  std::string addresses;
};
void add_limits(CLI::App* verb, LimitOptions& options);
// Sets them in `project`; answers the paths of those that were given. A usage error names what is
// wrong.
absl::StatusOr<std::vector<std::string>> read_limits(const LimitOptions& options,
                                                     v1::Project& project);

// "Memory:  6 GiB of 16 GiB", one pair for each.
KeyValues limits_and_use(const v1::Project& project);

}  // namespace stellwerk::cli

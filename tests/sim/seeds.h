// Which seeds are run: derived from the commit, so that every commit tries new ones and a red run
// repeats; those of the command line; and those that once failed, from seeds.txt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/bugs.h"

namespace stellwerk::sim {

struct SeedPlan {
  std::string base;  // a commit id, or any text
  uint64_t seeds = 1000;
  std::optional<uint64_t> only;
  std::optional<int64_t> minutes;  // instead of a number of seeds
  Bug bug = Bug::kNone;
  bool print_log = false;
  bool keep_going = false;  // after a seed that fails
};

// --seeds N, --seed S, --minutes M, --bug NAME, --log, --keep-going; an error names the mistake.
std::optional<std::string> parse_command_line(int argc, char** argv, SeedPlan& plan);

uint64_t derived_seed(std::string_view base, uint64_t index);
// One decimal seed a line, followed by what it once found; '#' begins a comment.
std::vector<uint64_t> read_seeds(const std::string& path);

}  // namespace stellwerk::sim

#include "tests/sim/seeds.h"

#include <fstream>
#include <sstream>

#include "core/parse_number.h"
#include "tests/sim/random.h"

namespace stellwerk::sim {
namespace {

std::optional<Bug> parse_bug(std::string_view name) {
  for (const Bug bug : kAllBugs) {
    if (to_string(bug) == name) return bug;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> parse_command_line(int argc, char** argv, SeedPlan& plan) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--log" || option == "--keep-going") {
      (option == "--log" ? plan.print_log : plan.keep_going) = true;
      continue;
    }
    if (i + 1 == argc) return std::string(option) + " needs a value, or is unknown";
    const std::string_view value = argv[++i];
    const auto number = parse_number<uint64_t>(value);
    if (option == "--bug") {
      const auto bug = parse_bug(value);
      if (!bug) return "there is no planted bug " + std::string(value);
      plan.bug = *bug;
    } else if (!number) {
      return std::string(option) + " needs a number, or is unknown";
    } else if (option == "--seeds") {
      plan.seeds = *number;
    } else if (option == "--seed") {
      plan.only = *number;
    } else if (option == "--minutes") {
      plan.minutes = static_cast<int64_t>(*number);
    } else {
      return "unknown option " + std::string(option);
    }
  }
  return std::nullopt;
}

uint64_t derived_seed(std::string_view base, uint64_t index) {
  return mix(hash_of(base) + index);
}

std::vector<uint64_t> read_seeds(const std::string& path) {
  std::vector<uint64_t> seeds;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (const auto seed = parse_number<uint64_t>(first); seed && !first.empty())
      seeds.push_back(*seed);
  }
  return seeds;
}

}  // namespace stellwerk::sim

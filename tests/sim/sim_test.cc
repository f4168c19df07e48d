// Runs the simulator. Every seed is run twice, and both logs must be the same byte for byte.
//
//   sim_test                      1,000 seeds derived from the commit id, and the stored ones
//   sim_test --seed S [--log]     one seed, with its whole log
//   sim_test --seeds N            another number of them
//   sim_test --minutes M          as many as fit
//   sim_test --keep-going         beyond the first seed that fails
//   sim_test --bug NAME           with a planted bug: must fail
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "core/time.h"
#include "tests/sim/base.h"
#include "tests/sim/seeds.h"
#include "tests/sim/simulation.h"

namespace stellwerk::sim {
namespace {

constexpr uint64_t kProgressEvery = 100;
constexpr uint64_t kSeedsForABug = 1000;

SeedPlan& plan() {
  static SeedPlan plan;
  return plan;
}

void report_failure(uint64_t seed, const std::string& what, const RunResult& run) {
  ADD_FAILURE() << "seed " << seed << ": " << what << "\nrepeat it with: build/bin/sim_test --seed "
                << seed << "\nthe last lines of its log:\n"
                << run.log_tail;
}

bool run_twice(uint64_t seed) {
  const RunResult first = Simulation(seed, plan().bug).run();
  if (plan().print_log) std::fputs(first.log.c_str(), stdout);
  if (first.failure) {
    report_failure(seed, *first.failure, first);
    return false;
  }
  const RunResult second = Simulation(seed, plan().bug).run();
  if (first.log == second.log) return true;
  report_failure(seed, "two runs of it differ", second);
  return false;
}

void show_progress(uint64_t done) {
  if (done % kProgressEvery == 0) std::fprintf(stderr, "sim: %lu seeds done\n", done);
}

TEST(Simulation, RepeatsTheSeedsThatOnceFailed) {
  if (plan().only) return;
  for (const uint64_t seed : read_seeds(STELLWERK_SIM_SEEDS)) {
    EXPECT_TRUE(run_twice(seed));
  }
}

TEST(Simulation, KeepsEveryInvariantAndComesToRestTwiceAlike) {
  if (plan().only) {
    run_twice(*plan().only);
    return;
  }
  std::fprintf(stderr, "sim: seeds derived from %s\n", plan().base.c_str());
  const SystemClock clock;
  const MonotonicTime begun = clock.now().monotonic;
  for (uint64_t i = 0;; ++i) {
    const bool enough = plan().minutes
                            ? clock.now().monotonic - begun >= std::chrono::minutes(*plan().minutes)
                            : i >= plan().seeds;
    if (enough) break;
    if (!run_twice(derived_seed(plan().base, i)) && !plan().keep_going) break;
    show_progress(i + 1);
  }
}

class PlantedBug : public testing::TestWithParam<Bug> {};

TEST_P(PlantedBug, IsFoundWithinAThousandSeeds) {
  for (uint64_t i = 0; i < kSeedsForABug; ++i) {
    const RunResult run = Simulation(derived_seed("planted", i), GetParam()).run();
    if (!run.failure) continue;
    std::fprintf(stderr, "sim: %s found by seed %lu of %lu: %s\n",
                 std::string(to_string(GetParam())).c_str(), i + 1, kSeedsForABug,
                 run.failure->c_str());
    return;
  }
  FAIL() << to_string(GetParam()) << " was planted and not found";
}

INSTANTIATE_TEST_SUITE_P(All, PlantedBug, testing::ValuesIn(kAllBugs), [](const auto& param) {
  std::string name(to_string(param.param));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace stellwerk::sim

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  stellwerk::sim::SeedPlan& plan = stellwerk::sim::plan();
  const char* base = std::getenv("STELLWERK_SIM_BASE");
  plan.base = base && *base ? base : STELLWERK_SIM_BASE;
  if (const auto mistake = stellwerk::sim::parse_command_line(argc, argv, plan)) {
    std::fprintf(stderr, "sim_test: %s\n", mistake->c_str());
    return 2;
  }
  return RUN_ALL_TESTS();
}

#include "core/cpu_baseline.h"

#include <gmock/gmock.h>

namespace stellwerk {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kFirst = "fpu cx8 cmov mmx fxsr sse sse2 syscall nx lm";
const std::string kSecond = kFirst + " pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm";
const std::string kThird = kSecond + " fma movbe xsave avx f16c abm bmi1 avx2 bmi2";
const std::string kFourth = kThird + " avx512f avx512dq avx512cd avx512bw avx512vl";

TEST(CpuBaselines, AreThoseThatTheFlagsReach) {
  EXPECT_THAT(cpu_baselines_of(kFirst), ElementsAre("x86-64-v1"));
  EXPECT_THAT(cpu_baselines_of(kSecond), ElementsAre("x86-64-v1", "x86-64-v2"));
  EXPECT_THAT(cpu_baselines_of(kThird), ElementsAre("x86-64-v1", "x86-64-v2", "x86-64-v3"));
  EXPECT_THAT(cpu_baselines_of(kFourth),
              ElementsAre("x86-64-v1", "x86-64-v2", "x86-64-v3", "x86-64-v4"));
}

TEST(CpuBaselines, NeedEveryFlagOfEveryLevelBelow) {
  EXPECT_THAT(cpu_baselines_of(kFirst + " avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"),
              ElementsAre("x86-64-v1"));
  EXPECT_THAT(cpu_baselines_of(kThird.substr(0, kThird.rfind(' '))),
              ElementsAre("x86-64-v1", "x86-64-v2"));
  EXPECT_THAT(cpu_baselines_of("fp asimd evtstrm aes"), IsEmpty());
  EXPECT_THAT(cpu_baselines_of(""), IsEmpty());
}

TEST(CpuBaseline, IsOneOfTheLevels) {
  EXPECT_EQ(check_cpu_baseline("x86-64-v3"), std::nullopt);
  for (const std::string_view bad :
       {"", "x86-64", "x86-64-v5", "x86-64-v33", "EPYC", "X86-64-V3"}) {
    const Problem problem = check_cpu_baseline(bad);
    ASSERT_TRUE(problem) << bad;
    EXPECT_THAT(*problem, ::testing::HasSubstr("x86-64-v1, x86-64-v2, x86-64-v3, x86-64-v4"));
  }
}

}  // namespace
}  // namespace stellwerk

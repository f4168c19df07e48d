#include "core/cpu_list.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace stellwerk {
namespace {

using Cpus = std::vector<int32_t>;

TEST(CpuList, IsWrittenAsTheKernelDoes) {
  EXPECT_EQ(cpu_list_text(Cpus{}), "");
  EXPECT_EQ(cpu_list_text(Cpus{5}), "5");
  EXPECT_EQ(cpu_list_text(Cpus{0, 1, 2, 3, 8}), "0-3,8");
  EXPECT_EQ(cpu_list_text(Cpus{1, 3, 4, 6}), "1,3-4,6");
}

TEST(CpuList, IsReadInAnyOrderAndWithOverlaps) {
  EXPECT_EQ(parse_cpu_list(""), Cpus{});
  EXPECT_EQ(parse_cpu_list("\n"), Cpus{});
  EXPECT_EQ(parse_cpu_list(" 0-3,8\n"), (Cpus{0, 1, 2, 3, 8}));
  EXPECT_EQ(parse_cpu_list("8,2-3,3-4"), (Cpus{2, 3, 4, 8}));
}

TEST(CpuList, IsRefusedWhereItIsNone) {
  for (const char* text : {"a", "1,", ",1", "1,,2", "3-1", "-1", "1-", "1 2", "0-8192", "1-2-3",
                           "99999999999", "0x1"}) {
    EXPECT_EQ(parse_cpu_list(text), std::nullopt) << text;
  }
}

RC_GTEST_PROP(CpuList, ComesBackAsItWas, ()) {
  const auto set = *rc::gen::container<std::set<int32_t>>(rc::gen::inRange<int32_t>(0, kMostCpus));
  const Cpus cpus(set.begin(), set.end());
  RC_ASSERT(parse_cpu_list(cpu_list_text(cpus)) == cpus);
}

}  // namespace
}  // namespace stellwerk

#include "core/group.h"

#include <gtest/gtest.h>

namespace stellwerk {
namespace {

TEST(GroupPolicy, SaysItsName) {
  EXPECT_EQ(to_string(GroupPolicy::kAffinity), "affinity");
  EXPECT_EQ(to_string(GroupPolicy::kAntiAffinity), "anti-affinity");
}

}  // namespace
}  // namespace stellwerk

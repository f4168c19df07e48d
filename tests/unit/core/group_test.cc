#include "core/group.h"

#include <gtest/gtest.h>

namespace stellwerk {
namespace {

TEST(GroupPolicy, SaysItsName) {
  EXPECT_EQ(to_string(GroupPolicy::kAffinity), "affinity");
  EXPECT_EQ(to_string(GroupPolicy::kAntiAffinity), "anti-affinity");
}

TEST(LabelMatch, IsOfAKeyOrOfAKeyWithItsValue) {
  const std::map<std::string, std::string> labels = {{"gpu", "l40s"}, {"old", ""}};
  EXPECT_TRUE(has_label(labels, {"gpu", std::nullopt}));
  EXPECT_TRUE(has_label(labels, {"gpu", "l40s"}));
  EXPECT_TRUE(has_label(labels, {"old", ""}));
  EXPECT_FALSE(has_label(labels, {"gpu", "h100"}));
  EXPECT_FALSE(has_label(labels, {"gpu", ""}));
  EXPECT_FALSE(has_label(labels, {"l40s", std::nullopt}));
}

TEST(LabelMatch, IsWrittenAsItIsAsked) {
  EXPECT_EQ(to_string(LabelMatch{"gpu", std::nullopt}), "gpu");
  EXPECT_EQ(to_string(LabelMatch{"gpu", "l40s"}), "gpu=l40s");
  EXPECT_EQ(to_string(LabelMatch{"gpu", ""}), "gpu=");
}

}  // namespace
}  // namespace stellwerk

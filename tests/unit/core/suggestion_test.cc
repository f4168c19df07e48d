#include "core/suggestion.h"

#include <gtest/gtest.h>

namespace stellwerk {
namespace {

TEST(Suggestion, IsTheNearestWord) {
  EXPECT_EQ(suggestion("gatewya", {"subnet", "gateway", "gateways"}),
            "; did you mean \"gateway\"?");
  EXPECT_EQ(suggestion("lst", {"create", "list", "show"}), "; did you mean \"list\"?");
}

TEST(Suggestion, IsNoneForWordsThatAreNotNear) {
  EXPECT_EQ(suggestion("fly", {"create", "list", "show"}), "");
  EXPECT_EQ(suggestion("", {"a"}), "");
  EXPECT_EQ(suggestion(std::string(65, 'a'), {std::string(65, 'a')}), "");
}

}  // namespace
}  // namespace stellwerk

#include "api/cli/power.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stellwerk::cli {
namespace {

using ::testing::HasSubstr;

TEST(Power, IsAWholeNumberWithAUnit) {
  EXPECT_EQ(*parse_power("120W"), watts(120));
  EXPECT_EQ(*parse_power("8kW"), watts(8'000));
  EXPECT_EQ(*parse_power("2MW"), watts(2'000'000));
  EXPECT_EQ(*parse_power("3kw"), watts(3'000));
  EXPECT_EQ(watts_of("8kW"), 8'000);
  EXPECT_EQ(watts_of(""), 0);
}

TEST(Power, IsRefusedWithWhatWouldDo) {
  const auto problem = [](const char* text) {
    return std::string(message_of(parse_power(text).status()));
  };
  EXPECT_EQ(problem("40"), "\"40\" has no unit; use W, kW or MW");
  EXPECT_EQ(problem("40VA"), "\"40VA\" has an unknown unit; use W, kW or MW");
  EXPECT_THAT(problem("1.5kW"), HasSubstr("use a smaller unit, such as 1500W"));
  EXPECT_THAT(problem("much"), HasSubstr("is no power"));
  EXPECT_THAT(problem("-1W"), HasSubstr("is no power"));
  EXPECT_THAT(problem("99999999999999999999W"), HasSubstr("more than can be counted"));
  EXPECT_THAT(problem("9999999999999999MW"), HasSubstr("more than can be counted"));
}

TEST(Power, OfAHostileAnswerIsShownToo) {
  EXPECT_EQ(power_text(8'000), "8 kW");
  EXPECT_EQ(power_text(INT64_MAX), "?");
}

}  // namespace
}  // namespace stellwerk::cli

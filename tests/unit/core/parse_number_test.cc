#include "core/parse_number.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace stellwerk {
namespace {

RC_GTEST_PROP(ParseNumber, ReadsWhatWasWritten, (int64_t number)) {
  RC_ASSERT(parse_number<int64_t>(std::to_string(number)) == number);
}

TEST(ParseNumber, TakesNothingButOneNumberThatFits) {
  EXPECT_EQ(parse_number<uint8_t>("255"), 255);
  EXPECT_EQ(parse_number<uint64_t>("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_number<int>("007"), 7);
  for (const char* text : {"", " 1", "1 ", "1\n", "+1", "-1", "0x1", "1.0", "256", "a"}) {
    EXPECT_EQ(parse_number<uint8_t>(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace stellwerk

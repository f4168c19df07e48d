#include "api/cli/size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stellwerk::cli {
namespace {

using ::testing::HasSubstr;

int64_t size_of(std::string_view text) {
  const auto size = parse_size(text);
  EXPECT_TRUE(size.ok()) << text << ": " << describe(size.status());
  return size.ok() ? size->count() : -1;
}

std::string refusal_of(std::string_view text) {
  const auto size = parse_size(text);
  EXPECT_FALSE(size.ok()) << text;
  return std::string(message_of(size.status()));
}

TEST(Size, CountsBinaryUnitsInStepsOf1024) {
  EXPECT_EQ(size_of("512MiB"), 536'870'912);
  EXPECT_EQ(size_of("20GiB"), 21'474'836'480);
  EXPECT_EQ(size_of("1TiB"), 1'099'511'627'776);
  EXPECT_EQ(size_of("3KiB"), 3072);
}

TEST(Size, TakesASingleLetterAsABinaryUnit) {
  EXPECT_EQ(size_of("20G"), size_of("20GiB"));
  EXPECT_EQ(size_of("1k"), 1024);
  EXPECT_EQ(size_of("7B"), 7);
}

TEST(Size, CountsDecimalUnitsInStepsOf1000) {
  EXPECT_EQ(size_of("10GB"), 10'000'000'000);
  EXPECT_EQ(size_of("1kB"), 1000);
}

TEST(Size, IgnoresCase) {
  EXPECT_EQ(size_of("20gib"), size_of("20GIB"));
}

TEST(Size, RefusesANumberWithoutUnitAndSaysWhatToWrite) {
  EXPECT_EQ(refusal_of("20"), "\"20\" has no unit; write 20GiB or 20MiB");
}

TEST(Size, RefusesFractions) {
  EXPECT_THAT(refusal_of("1.5GiB"), HasSubstr("use a smaller unit"));
}

TEST(Size, RefusesUnknownUnits) {
  EXPECT_THAT(refusal_of("5XiB"), HasSubstr("unknown unit \"XiB\""));
  EXPECT_THAT(refusal_of("5 GiB"), HasSubstr("unknown unit \" GiB\""));
}

TEST(Size, RefusesWhatIsNotANumber) {
  for (const char* text : {"", "GiB", "-1GiB", "+1GiB", "0x10G", " 1G"}) {
    EXPECT_THAT(refusal_of(text),
                ::testing::AnyOf(HasSubstr("is not a size"), HasSubstr("unknown unit")))
        << text;
  }
}

TEST(Size, RefusesOverflow) {
  EXPECT_THAT(refusal_of("99999999999999999999G"), HasSubstr("more than can be counted"));
  EXPECT_THAT(refusal_of("9223372036854775807KiB"), HasSubstr("more than can be counted"));
}

TEST(Size, ShowsHostileTextEscaped) {
  EXPECT_THAT(refusal_of("\x1b[2J"), HasSubstr("\"\\x1b[2J\""));
}

}  // namespace
}  // namespace stellwerk::cli

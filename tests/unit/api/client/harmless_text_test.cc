#include "api/client/harmless_text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "api/client/text.h"

namespace stellwerk::client {
namespace {

std::string harmless(std::string_view text) {
  HarmlessText filter;
  std::string out = filter.pass(text);
  return out + filter.end();
}

TEST(HarmlessText, LeavesLinesTabsAndLettersOfAllScripts) {
  EXPECT_EQ(harmless("Grüße\tвам\n日本\r\n"), "Grüße\tвам\n日本\n");
}

TEST(HarmlessText, TakesEscapeSequencesOut) {
  EXPECT_EQ(harmless("\x1b[1;31mred\x1b[0m"), "red");
  EXPECT_EQ(harmless("\x1b]0;title\x07text"), "text");
  EXPECT_EQ(harmless("\x1b]52;c;aGFjaw==\x1b\\text"), "text");
  EXPECT_EQ(harmless("\x1bP+q544e\x1b\\text\x1b"
                     "cmore"),
            "textmore");
  EXPECT_EQ(harmless("\x1b(Btext\x1b[6n"), "text");
}

TEST(HarmlessText, ShowsOtherControlCharactersAndBrokenUtf8) {
  EXPECT_EQ(harmless("a\bb\x07\x7f"), "a\\x08b\\x07\\x7f");
  EXPECT_EQ(harmless("\x9b"
                     "6n\xc2\x9b"),
            "\\x9b6n\\x9b");
  EXPECT_EQ(harmless("\xe2\x80\xae"
                     "abc"),
            "\\u{202e}abc");
  EXPECT_EQ(harmless("\xe6\x97"), "\\xe6\\x97");
}

TEST(HarmlessText, HidesNoLineBehindASequenceThatIsNeverEnded) {
  EXPECT_EQ(harmless("\x1b]0;hidden\nshown"), "\nshown");
  const std::string long_text = harmless("\x1b]" + std::string(5000, 'x') + "shown");
  EXPECT_TRUE(long_text.ends_with("xshown")) << long_text;
  EXPECT_LT(long_text.size(), 1000u);
}

RC_GTEST_PROP(HarmlessText, NeverLetsAnythingPassThatSteersATerminal, (std::string text)) {
  const std::string out = harmless(text);
  for (size_t at = 0; at < out.size();) {
    const CodePoint point = decode_utf8(std::string_view(out).substr(at));
    RC_ASSERT(point.length > 0);
    RC_ASSERT(point.value == '\n' || point.value == '\t' || !is_unprintable(point.value));
    at += point.length;
  }
}

RC_GTEST_PROP(HarmlessText, DoesNotMindWhereThePiecesEnd, (const std::vector<uint8_t>& cuts)) {
  const std::string text = "Grüße \x1b[31mrot\x1b]0;t\x1b\\ 日本\x9b\n\x1b]x";
  HarmlessText filter;
  std::string out;
  size_t at = 0;
  for (const uint8_t cut : cuts) {
    out += filter.pass(std::string_view(text).substr(at, cut % 5));
    at = std::min(text.size(), at + cut % 5);
  }
  out += filter.pass(std::string_view(text).substr(at));
  out += filter.end();
  RC_ASSERT(out == harmless(text));
}

}  // namespace
}  // namespace stellwerk::client

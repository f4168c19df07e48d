#include "api/client/text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace stellwerk::client {
namespace {

TEST(Printable, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(printable("Rathaus Köln, 東京 🚋"), "Rathaus Köln, 東京 🚋");
}

TEST(Printable, EscapesControlsOfTerminals) {
  EXPECT_EQ(printable("a\x1b[31mb\r\n\tc\x07\x7f"), "a\\x1b[31mb\\x0d\\n\\tc\\x07\\x7f");
}

TEST(Printable, EscapesC1Controls) {
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\x9b31m");
}

TEST(Printable, EscapesWhatTurnsOrHidesText) {
  EXPECT_EQ(printable("a\u202eb\u200bc\u2028\U000e0041"),
            "a\\u{202e}b\\u{200b}c\\u{2028}\\u{e0041}");
}

TEST(Printable, EscapesInvalidBytesOneByOne) {
  EXPECT_EQ(printable("\xff\xc0\x80\xed\xa0\x80"), "\\xff\\xc0\\x80\\xed\\xa0\\x80");
  EXPECT_EQ(printable("caf\xc3"), "caf\\xc3");
}

TEST(Printable, KeepsNul) {
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
}

RC_GTEST_PROP(Printable, NeverLetsAControlOrAnInvalidByteThrough, (const std::string& text)) {
  const std::string shown = printable(text);
  for (size_t at = 0; at < shown.size();) {
    const CodePoint point = decode_utf8(std::string_view(shown).substr(at));
    RC_ASSERT(point.length > 0U);
    RC_ASSERT(!is_unprintable(point.value));
    at += point.length;
  }
}

}  // namespace
}  // namespace stellwerk::client

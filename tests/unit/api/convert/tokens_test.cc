#include "api/convert/tokens.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace stellwerk::convert {
namespace {

const CellUid kCell(Uuid::v5(Uuid(), "cell"));

RC_GTEST_PROP(Tokens, ComeBack, (uint64_t sequence, uint64_t skip)) {
  RC_ASSERT(*parse_event_token(format_event_token(kCell, Sequence(sequence)), kCell) ==
            Sequence(sequence));
  const EventPlace place{.after = Sequence(sequence), .skip = skip};
  RC_ASSERT(*parse_event_page_token(format_event_page_token(kCell, place), kCell) == place);
}

TEST(Tokens, AreCellAndSequence) {
  EXPECT_EQ(format_event_token(kCell, Sequence(7)), kCell.to_string() + ":7");
}

TEST(Tokens, OfAnotherCellSaySo) {
  const CellUid other(Uuid::v5(Uuid(), "other"));
  const absl::Status status =
      parse_event_token(format_event_token(other, Sequence(7)), kCell).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(reason_of(status), "TOKEN_OF_ANOTHER_CELL");
}

RC_GTEST_PROP(Tokens, ThatAreNoneAreRefused, (const std::string& text)) {
  RC_PRE(text != format_event_token(kCell, Sequence(0)));
  RC_ASSERT(parse_event_token(text, kCell).status().code() == absl::StatusCode::kInvalidArgument);
}

TEST(Tokens, WithSomethingBehindAreRefused) {
  const std::string good = format_event_token(kCell, Sequence(7));
  for (const std::string& bad :
       {good + " ", good + ":", good + ":1", good + "x", good.substr(0, 37), good.substr(0, 36),
        kCell.to_string() + ":-1", kCell.to_string() + ":18446744073709551616"}) {
    EXPECT_FALSE(parse_event_token(bad, kCell).ok()) << bad;
  }
  EXPECT_FALSE(parse_event_page_token(good + ":x", kCell).ok());
  EXPECT_FALSE(parse_event_page_token(good + ":1:2", kCell).ok());
}

}  // namespace
}  // namespace stellwerk::convert

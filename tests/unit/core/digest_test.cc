#include "core/digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace stellwerk {
namespace {

// FIPS 180-4 examples.
TEST(Digest, MatchesThePublishedVectors) {
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

RC_GTEST_PROP(Digest, IsTheSameInHoweverManyPieces, (const std::vector<std::string>& pieces)) {
  Sha256Stream stream;
  std::string whole;
  for (const std::string& piece : pieces) {
    stream.update(piece);
    whole += piece;
  }
  RC_ASSERT(stream.finish() == sha256(whole));
}

TEST(Digest, SurvivesAMoveInTheMiddle) {
  Sha256Stream first;
  first.update("a");
  Sha256Stream second = std::move(first);
  second.update("bc");
  EXPECT_EQ(second.finish(), sha256("abc"));
}

}  // namespace
}  // namespace stellwerk

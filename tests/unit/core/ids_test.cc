#include "core/ids.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace stellwerk {
namespace {

constexpr char kDnsSpace[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

RC_GTEST_PROP(Uuid, ComesBackFromItsText, ()) {
  const auto bytes = *rc::gen::container<std::array<uint8_t, 16>>(rc::gen::arbitrary<uint8_t>());
  const Uuid uuid(bytes);
  RC_ASSERT(Uuid::parse(uuid.to_string()) == uuid);
}

RC_GTEST_PROP(Uuid, AcceptsNoTextThatIsNotAUuid, (const std::string& text)) {
  RC_PRE(text.size() != 36);
  RC_ASSERT(!Uuid::parse(text));
}

TEST(Uuid, AcceptsEitherCaseAndWritesLower) {
  const auto upper = Uuid::parse("6BA7B810-9DAD-11D1-80B4-00C04FD430C8");
  ASSERT_TRUE(upper);
  EXPECT_EQ(upper, Uuid::parse(kDnsSpace));
  EXPECT_EQ(upper->to_string(), kDnsSpace);
}

TEST(Uuid, RefusesOtherSpellings) {
  const std::string nul_inside = std::string("6ba7b810-9dad-11d1-80b4-00c04fd430c") + '\0';
  for (const std::string& text : {std::string(), std::string("6ba7b8109dad11d180b400c04fd430c8"),
                                  std::string("{ba7b810-9dad-11d1-80b4-00c04fd430c}"),
                                  std::string("6ba7b810-9dad-11d1-80b4-00c04fd430cg"),
                                  std::string("6ba7b810-9dad-11d1-80b4-00c04fd430c8 "), nul_inside,
                                  std::string(1'000'000, '6')}) {
    EXPECT_FALSE(Uuid::parse(text)) << text.substr(0, 60);
  }
}

// RFC 9562, appendix A.4.
TEST(Uuid, VersionFiveMatchesThePublishedVector) {
  EXPECT_EQ(Uuid::v5(*Uuid::parse(kDnsSpace), "www.example.com").to_string(),
            "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

TEST(Uuid, VersionFiveTellsNamesApartByEveryByte) {
  const Uuid space = *Uuid::parse(kDnsSpace);
  EXPECT_NE(Uuid::v5(space, "a"), Uuid::v5(space, std::string_view("a\0", 2)));
  EXPECT_EQ(Uuid::v5(space, "a"), Uuid::v5(space, "a"));
}

TEST(Uuid, IsNilUntilGivenAValue) {
  EXPECT_TRUE(Uuid().is_nil());
  EXPECT_TRUE(InstanceUid().is_nil());
  EXPECT_FALSE(InstanceUid::parse(kDnsSpace)->is_nil());
  EXPECT_FALSE(InstanceUid::parse("web-1"));
}

TEST(Ordinal, GrowsByOneAndIsOrdered) {
  EXPECT_EQ(Sequence().value(), 0u);
  EXPECT_EQ(Sequence(41).next(), Sequence(42));
  EXPECT_LT(Sequence(41), Sequence(42));
}

}  // namespace
}  // namespace stellwerk

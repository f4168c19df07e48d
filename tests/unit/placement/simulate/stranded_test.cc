#include "placement/simulate/stranded.h"

#include "fixtures.h"

namespace stellwerk::placement::simulate {
namespace {

TEST(Stranded, IsWhatTheOtherResourceKeepsFromBeingBooked) {
  const Volume smallest{2, 1024};
  EXPECT_EQ(stranded_of({3, 512}, smallest), (Volume{3, 0}));
  EXPECT_EQ(stranded_of({1, 4096}, smallest), (Volume{0, 4096}));
}

TEST(Stranded, IsNothingWhereTheSizeFitsOrBothAreExhausted) {
  const Volume smallest{2, 1024};
  EXPECT_EQ(stranded_of({2, 1024}, smallest), Volume());
  EXPECT_EQ(stranded_of({1, 512}, smallest), Volume());
}

TEST(Placeable, IsAsManyAsBothResourcesHold) {
  EXPECT_EQ(placeable_in({8, 4096}, {2, 1024}), 4);
  EXPECT_EQ(placeable_in({8, 3000}, {2, 1024}), 2);
  EXPECT_EQ(placeable_in({1, 4096}, {2, 1024}), 0);
  EXPECT_EQ(placeable_in({-2, 4096}, {2, 1024}), 0);
  EXPECT_EQ(placeable_in({8, 4096}, {0, 0}), 0);
}

TEST(Stranded, IsJudgedByTheSmallestCommonSize) {
  TraceParser parser("t");
  ASSERT_TRUE(parser.take(kColumns).ok());
  ASSERT_TRUE(parser.take("0,,tiny,p,1,1,0").ok());  // one row of 202 is not common
  ASSERT_TRUE(parser.take("0,,huge,p,9,9,0").ok());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(parser.take(fmt::format("0,,a{},p,2,4096,0", i)).ok());
    ASSERT_TRUE(parser.take(fmt::format("0,,b{},p,2,2048,0", i)).ok());
  }
  EXPECT_EQ(common_sizes(parser.finish()->rows()), (CommonSizes{{2, 2048}, {2, 4096}}));
}

TEST(Stranded, WithoutACommonSizeTheMostAskedCounts) {
  TraceParser parser("t");
  ASSERT_TRUE(parser.take(kColumns).ok());
  for (int i = 0; i < 150; ++i) {
    ASSERT_TRUE(parser.take(fmt::format("0,,a{},p,{},1,0", i, i + 1)).ok());
  }
  EXPECT_EQ(common_sizes(parser.finish()->rows()), (CommonSizes{{1, 1}, {150, 1}}));
}

}  // namespace
}  // namespace stellwerk::placement::simulate

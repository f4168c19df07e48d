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

TEST(Stranded, IsJudgedByTheSmallestCommonSize) {
  TraceParser parser("t");
  ASSERT_TRUE(parser.take(kColumns).ok());
  ASSERT_TRUE(parser.take("0,,tiny,p,1,1,0").ok());  // one row of 201 is not common
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(parser.take(fmt::format("0,,a{},p,2,4096,0", i)).ok());
    ASSERT_TRUE(parser.take(fmt::format("0,,b{},p,2,2048,0", i)).ok());
  }
  EXPECT_EQ(smallest_common_size(parser.finish()->rows()), (Volume{2, 2048}));
}

TEST(Stranded, WithoutACommonSizeTheMostAskedCounts) {
  TraceParser parser("t");
  ASSERT_TRUE(parser.take(kColumns).ok());
  for (int i = 0; i < 150; ++i) {
    ASSERT_TRUE(parser.take(fmt::format("0,,a{},p,{},1,0", i, i + 1)).ok());
  }
  EXPECT_EQ(smallest_common_size(parser.finish()->rows()), (Volume{1, 1}));
}

}  // namespace
}  // namespace stellwerk::placement::simulate

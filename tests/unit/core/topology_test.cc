#include "core/topology.h"

#include <gtest/gtest.h>

namespace stellwerk {
namespace {

TEST(DomainLevel, ReadsBackWhatItSays) {
  for (const DomainLevel level :
       {DomainLevel::kHost, DomainLevel::kRack, DomainLevel::kZone, DomainLevel::kSite}) {
    EXPECT_EQ(parse_domain_level(to_string(level)), level);
  }
}

TEST(DomainLevel, KnowsNoOtherWord) {
  EXPECT_EQ(parse_domain_level("cell"), std::nullopt);
  EXPECT_EQ(parse_domain_level("Rack"), std::nullopt);
  EXPECT_EQ(parse_domain_level(""), std::nullopt);
}

}  // namespace
}  // namespace stellwerk

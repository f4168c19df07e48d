#include "api/cli/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stellwerk::cli {
namespace {

TEST(Places, ArePathsOfNames) {
  EXPECT_EQ(path_of("sites/dc1"), "dc1");
  EXPECT_EQ(path_of("sites/dc1/zones/a/racks/r07"), "dc1/a/r07");
  EXPECT_EQ(path_of("hosts/node1"), "node1");
  EXPECT_EQ(path_of(""), "");
  EXPECT_EQ(path_of("sites"), "");
}

TEST(Places, AreNamesOfPathsAndFullNamesStay) {
  EXPECT_EQ(place_name(Place::kSite, "dc1"), "sites/dc1");
  EXPECT_EQ(place_name(Place::kRack, "dc1/a/r07"), "sites/dc1/zones/a/racks/r07");
  for (const char* full : {"sites/dc1/zones/a/racks/r07"}) {
    EXPECT_EQ(place_name(Place::kRack, full), full);
  }
  EXPECT_EQ(place_name(Place::kFeed, "sites/dc1/feeds/f1"), "sites/dc1/feeds/f1");
  EXPECT_EQ(place_name(Place::kZone, "sites/a"), "sites/sites/zones/a") << "a site of that id";
}

TEST(Places, ThatAreNewHaveAParentAndAnId) {
  const auto rack = new_place(Place::kRack, "dc1/a/r07");
  EXPECT_EQ(rack->parent, "dc1/a");
  EXPECT_EQ(rack->id, "r07");
  EXPECT_EQ(new_place(Place::kFeed, "sites/dc1/feeds/f1")->parent, "dc1");
  EXPECT_EQ(new_place(Place::kSite, "dc1")->id, "dc1");
  EXPECT_EQ(message_of(new_place(Place::kRack, "r07").status()),
            "\"r07\" is not SITE/ZONE/RACK, such as dc1/a/r07");
  EXPECT_FALSE(new_place(Place::kSite, "dc1/a").ok());
}

}  // namespace
}  // namespace stellwerk::cli

// Where an instance is to run: group, place, host and labels, and what is told of mistakes.
#include "tests/unit/orchestrator/controller/cell_of_hosts.h"

namespace stellwerk::controller {
namespace {

using ::testing::HasSubstr;

class WishesOf : public CellOfHosts {
 protected:
  static CreateInstance wishing(WishesRequest wishes, std::string id = "web-1") {
    CreateInstance create = plain(std::move(id));
    create.wishes = std::move(wishes);
    return create;
  }
  std::string host_for(WishesRequest wishes) {
    return host_of(cell_.create(wishing(std::move(wishes), "w-" + std::to_string(++made_))));
  }

  int made_ = 0;
};

TEST_F(WishesOf, AnInstanceAreKeptByItsPlacementAndShown) {
  EXPECT_EQ(host_for({.within = "dc2"}), "host-3");
  EXPECT_EQ(host_for({.within = "dc1/b"}), "host-2");
  EXPECT_EQ(host_for({.within = "dc1/a/r01"}), "host-1");
  EXPECT_EQ(host_for({.host = "host-2"}), "host-2");
  EXPECT_EQ(host_for({.within = "dc1", .host = "host-2"}), "host-2");
  EXPECT_EQ(host_for({.preferred_site = "dc2"}), "host-3");
  make({UpdateHost{.id = "host-2", .labels = Labels{{"gpu", "l40s"}}}});
  EXPECT_EQ(host_for({.required_labels = {{"gpu", "l40s"}}}), "host-2");
  EXPECT_EQ(host_for({.within = "dc1", .forbidden_labels = {{"gpu", std::nullopt}}}), "host-1");

  const auto view = std::get<InstanceView>(*cell_.read(GetInstance{"default", "w-4"}));
  EXPECT_EQ(view.wished_host_id, "host-2");
  EXPECT_EQ(view.instance.wishes.host, view.instance.claim.host);
  const auto labelled = std::get<InstanceView>(*cell_.read(GetInstance{"default", "w-7"}));
  ASSERT_EQ(labelled.instance.wishes.required_labels.size(), 1U);
  EXPECT_EQ(labelled.instance.wishes.required_labels[0].key, "gpu");
}

TEST_F(WishesOf, AnInstanceMadeWithAGroupAreTheGroupsRules) {
  make({CreateGroup{"default", "apart", {{.level = DomainLevel::kHost}}, {}}});
  CreateInstance create = wishing({.within = "dc1/a"}, "a");
  create.group = "apart";
  const Instance first = cell_.create(create);
  EXPECT_EQ(std::get<InstanceView>(*cell_.read(GetInstance{"default", "a"})).group_id, "apart");
  create.id = "b";
  EXPECT_EQ(reason_of(cell_.run(create).status()), "NO_HOST_FITS");
  EXPECT_EQ(std::get<GroupView>(*cell_.read(GetGroup{"default", "apart"})).count, 1);
  ASSERT_TRUE(cell_.run(DeleteInstance{"default", "a"}).ok());
  finish(first);
  EXPECT_TRUE(cell_.run(create).ok()) << "the group's place is free again";
}

TEST_F(WishesOf, APlaceThatIsNotThereIsToldWithThoseThatAre) {
  const auto told = [this](WishesRequest wishes) {
    return cell_.mistakes(wishing(std::move(wishes)));
  };
  EXPECT_EQ(told({.within = "dc9"}),
            "instance.wishes.within: there is no site \"dc9\"; ListSites tells operators which "
            "there are\n");
  EXPECT_EQ(told({.within = "dc9/a/r1"}),
            "instance.wishes.within: there is no site \"dc9\"; ListSites tells operators which "
            "there are\n");
  EXPECT_EQ(told({.within = "dc1/z"}),
            "instance.wishes.within: there is no zone \"dc1/z\"; ListZones tells operators which "
            "there are\n");
  EXPECT_EQ(told({.within = "dc1/a/r99"}),
            "instance.wishes.within: there is no rack \"dc1/a/r99\"; ListRacks tells operators "
            "which there are\n");
  EXPECT_EQ(told({.host = "host-9"}),
            "instance.wishes.host: there is no host \"host-9\"; ListHosts tells operators which "
            "there are\n");
  EXPECT_EQ(told({.preferred_site = "dc9"}),
            "instance.wishes.preferred_site: there is no site \"dc9\"; ListSites tells operators "
            "which there are\n");
}

TEST_F(WishesOf, AllThatIsWrongIsToldAtOnce) {
  make({CreateGroup{"default", "apart", {{.level = DomainLevel::kHost}}, {}}});
  CreateInstance create = wishing({.within = "dc1/z",
                                   .host = "host-9",
                                   .required_labels = {{"gpu", std::nullopt}},
                                   .forbidden_labels = {{"gpu", std::nullopt}},
                                   .preferred_site = "dc9"});
  create.group = "appart";
  const std::string told = cell_.mistakes(create);
  for (const char* line :
       {"instance.wishes.within: there is no zone", "instance.wishes.host: there is no host",
        "instance.wishes.preferred_site: there is no site",
        "instance.wishes.forbidden_labels: label gpu is required and forbidden",
        "instance.group: there is no group \"appart\" in this project; there are: apart"}) {
    EXPECT_THAT(told, HasSubstr(line));
  }
}

TEST_F(WishesOf, TwoPlacesThatContradictEachOtherAreRefused) {
  EXPECT_EQ(cell_.mistakes(wishing({.within = "dc2", .host = "host-1"})),
            "instance.wishes.host: host host-1 is not within dc2; drop one of the two\n");
  EXPECT_EQ(cell_.mistakes(wishing({.within = "dc1/a", .preferred_site = "dc2"})),
            "instance.wishes.preferred_site: dc2 is outside of dc1/a, where it must be; drop one "
            "of the two\n");
}

TEST_F(WishesOf, AGroupOfAnotherProjectIsNotThere) {
  make({CreateProject{.id = "other"},
        CreateGroup{"other", "theirs", {{.level = DomainLevel::kHost}}, {}}});
  CreateInstance create = plain();
  create.group = "theirs";
  EXPECT_EQ(cell_.mistakes(create),
            "instance.group: there is no group \"theirs\" in this project; there are: none\n");
}

}  // namespace
}  // namespace stellwerk::controller

// What a booking would meet: said, and nothing changed.
#include "tests/unit/orchestrator/controller/cell_of_hosts.h"

namespace stellwerk::controller {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Explanations : public CellOfHosts {
 protected:
  placement::Explanation explain(CreateInstances booking, bool to_operator = true) {
    const auto answer = cell_.read(ExplainPlacement{std::move(booking), {}, to_operator});
    EXPECT_TRUE(answer.ok()) << describe(answer.status());
    return answer.ok() ? std::get<PlacementView>(*answer).explanation : placement::Explanation();
  }
};

TEST_F(Explanations, ChangeNothing) {
  const size_t commits = cell_.commits;
  EXPECT_TRUE(explain(many(3, plain("web"))).fits);
  EXPECT_EQ(cell_.commits, commits);
  EXPECT_THAT(cell_.state().instances, IsEmpty());
  cell_.create(plain("web-1"));
  EXPECT_TRUE(explain(many(1, plain("web"))).fits) << "names do not matter";
}

TEST_F(Explanations, OfARefusalNameHostsToOperatorsAlone) {
  CreateInstance large = plain("web");
  make({CreateFlavor{.id = "large", .vcpus = VcpuCount(1), .memory = gibibytes(64)}});
  large.flavor = "large";
  const auto told = explain(many(1, large));
  EXPECT_FALSE(told.fits);
  EXPECT_EQ(told.hosts, 3);
  EXPECT_EQ(told.feasible, 0);
  EXPECT_THAT(told.nearest, Not(IsEmpty()));
  const auto member = explain(many(1, large), false);
  EXPECT_EQ(member.summary, told.summary);
  EXPECT_EQ(member.smallest_change, told.smallest_change);
  EXPECT_EQ(member.hosts, 0);
  EXPECT_THAT(member.refusals, IsEmpty());
  EXPECT_THAT(member.nearest, IsEmpty());
  const absl::Status refused = cell_.run(large).status();
  EXPECT_THAT(std::string(message_of(refused)), HasSubstr(told.summary));
  EXPECT_THAT(std::string(message_of(refused)), Not(HasSubstr("host-")));
}

TEST_F(Explanations, OfMistakesNameNoHostThatWasNotAsked) {
  CreateInstance wrong = plain("web");
  wrong.wishes.host = "host-9";
  wrong.wishes.within = "dc1/z";
  const auto status = cell_.read(ExplainPlacement{many(1, wrong), {}, false}).status();
  ASSERT_EQ(violations_of(status).size(), 2U) << describe(status);
  for (const FieldViolation& violation : violations_of(status)) {
    EXPECT_THAT(violation.description, Not(HasSubstr("host-1")));
    EXPECT_THAT(violation.description, Not(HasSubstr("dc1/a")));
  }
}

TEST_F(Explanations, OfOneTakeEveryNameThatOneMayHave) {
  const std::string longest(63, 'a');
  EXPECT_TRUE(explain(many(1, plain(longest))).fits);
  EXPECT_FALSE(cell_.read(ExplainPlacement{many(2, plain(longest)), {}, true}).ok());
  EXPECT_TRUE(cell_.run(plain(longest)).ok());
}

TEST_F(Explanations, OfTheProjectsLimitsAreTheirRefusal) {
  make({UpdateProject{
      .id = "default", .labels = {}, .limits = {Limit::kInstances}, .values = {.instances = 2}}});
  const auto told = explain(many(3, plain("web")));
  EXPECT_FALSE(told.fits);
  EXPECT_THAT(told.summary, HasSubstr("instances"));
}

TEST_F(Explanations, NameTheMistakesThatTheBookingWouldHave) {
  CreateInstance wrong = plain("web");
  wrong.wishes.within = "dc9";
  const auto status =
      cell_.read(ExplainPlacement{many(0, wrong), {{"parent", "is odd"}}, true}).status();
  const auto violations = violations_of(status);
  ASSERT_EQ(violations.size(), 3U) << describe(status);
  EXPECT_EQ(violations[0].field, "parent");
  EXPECT_EQ(
      reason_of(
          cell_.read(ExplainPlacement{{{.project = "none", .id = "a"}, 1}, {}, true}).status()),
      "NOT_FOUND");
}

}  // namespace
}  // namespace stellwerk::controller

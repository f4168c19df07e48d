// Bookings: where instances are to run, and how many.
#include <gmock/gmock.h>

#include "api/convert/from_wire.h"

namespace stellwerk::convert {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

template <class Request>
Request booking() {
  Request request;
  request.set_parent("projects/default");
  request.set_instance_id("web");
  request.mutable_instance()->set_flavor("flavors/SCS-1V-2");
  request.mutable_instance()->set_image("projects/default/images/debian");
  return request;
}

template <class Body, class Request>
Body body_of(const Request& request) {
  const controller::Mutation mutation = to_mutation(request, {});
  EXPECT_THAT(mutation.context.violations, IsEmpty());
  return std::get<Body>(mutation.body);
}

std::vector<std::string> wrong_fields(const v1::CreateInstanceRequest& request) {
  std::vector<std::string> fields;
  for (const auto& violation : to_mutation(request, {}).context.violations) {
    fields.push_back(violation.field);
  }
  return fields;
}

TEST(BookingFromWire, ReadsGroupWishesAndFailover) {
  auto request = booking<v1::CreateInstanceRequest>();
  v1::Instance& instance = *request.mutable_instance();
  instance.set_group("projects/default/groups/apart");
  instance.set_failover_protected(true);
  v1::Instance::Wishes& wishes = *instance.mutable_wishes();
  wishes.set_within("sites/dc1/zones/a/racks/r07");
  wishes.set_host("hosts/node-1.example.org");
  wishes.add_required_labels("gpu=l40s");
  wishes.add_required_labels("ssd");
  wishes.add_required_labels("empty=");
  wishes.add_forbidden_labels("old");
  wishes.set_cpu_baseline("x86-64-v3");
  wishes.set_preferred_site("sites/dc1");
  const auto create = body_of<controller::CreateInstance>(request);
  EXPECT_EQ(create.group, "apart");
  EXPECT_TRUE(create.failover);
  EXPECT_EQ(create.wishes.within, "dc1/a/r07");
  EXPECT_EQ(create.wishes.host, "node-1.example.org");
  EXPECT_EQ(create.wishes.required_labels,
            (std::vector<LabelMatch>{{"gpu", "l40s"}, {"ssd", std::nullopt}, {"empty", ""}}));
  EXPECT_EQ(create.wishes.forbidden_labels, (std::vector<LabelMatch>{{"old", std::nullopt}}));
  EXPECT_EQ(create.wishes.cpu_baseline, "x86-64-v3");
  EXPECT_EQ(create.wishes.preferred_site, "dc1");
}

TEST(BookingFromWire, ReadsSitesAndZonesAsPlacesToo) {
  auto request = booking<v1::CreateInstanceRequest>();
  for (const auto& [name, path] : {std::pair("sites/dc1", "dc1"), {"sites/dc1/zones/a", "dc1/a"}}) {
    request.mutable_instance()->mutable_wishes()->set_within(name);
    EXPECT_EQ(body_of<controller::CreateInstance>(request).wishes.within, path);
  }
}

TEST(BookingFromWire, NamesEveryMistakeByItsField) {
  auto request = booking<v1::CreateInstanceRequest>();
  v1::Instance& instance = *request.mutable_instance();
  instance.set_group("projects/other/groups/apart");
  v1::Instance::Wishes& wishes = *instance.mutable_wishes();
  wishes.set_within("sites/dc1/feeds/f1");
  wishes.set_host("node-1");
  wishes.add_required_labels("-");
  wishes.add_forbidden_labels("k=ä");
  wishes.set_cpu_baseline("\x01");
  wishes.set_preferred_site("sites/dc1/zones/a");
  EXPECT_THAT(wrong_fields(request),
              testing::UnorderedElementsAre(
                  "instance.group", "instance.wishes.cpu_baseline", "instance.wishes.within",
                  "instance.wishes.host", "instance.wishes.required_labels[0]",
                  "instance.wishes.forbidden_labels[0]", "instance.wishes.preferred_site"));
}

TEST(BookingFromWire, RefusesMoreLabelsThanAnybodyNeeds) {
  auto request = booking<v1::CreateInstanceRequest>();
  for (int i = 0; i < 17; ++i) {
    request.mutable_instance()->mutable_wishes()->add_required_labels("k" + std::to_string(i));
  }
  EXPECT_THAT(wrong_fields(request), testing::ElementsAre("instance.wishes.required_labels"));
}

TEST(BookingFromWire, ReadsHowMany) {
  auto request = booking<v1::CreateInstancesRequest>();
  request.set_count(3);
  const auto create = body_of<controller::CreateInstances>(request);
  EXPECT_EQ(create.id, "web");
  EXPECT_EQ(create.count, 3);
  EXPECT_EQ(create.flavor, "SCS-1V-2");
}

TEST(BookingFromWire, AnExplanationCarriesItsMistakesAlong) {
  auto request = booking<v1::ExplainPlacementRequest>();
  auto query = to_query(request);
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(std::get<controller::ExplainPlacement>(*query).booking.count, 1);
  EXPECT_TRUE(std::get<controller::ExplainPlacement>(*query).to_operator);
  request.set_as_member(true);
  EXPECT_FALSE(std::get<controller::ExplainPlacement>(*to_query(request)).to_operator);
  request.set_parent("nonsense");
  request.mutable_instance()->set_flavor("");
  query = to_query(request);
  ASSERT_TRUE(query.ok());
  EXPECT_THAT(std::get<controller::ExplainPlacement>(*query).violations, SizeIs(2));
}

}  // namespace
}  // namespace stellwerk::convert

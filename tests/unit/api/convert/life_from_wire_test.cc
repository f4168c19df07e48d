// Updates with their masks, renames, resizes, limits of projects and the filter of lists.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/convert/from_wire.h"

namespace stellwerk::convert {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Origin origin() {
  return {.caller = "root", .fresh = *RequestId::parse("11111111-2222-4333-8444-555555555555")};
}

template <class Body, class Request>
Body body_of(const Request& request) {
  const controller::Mutation mutation = to_mutation(request, origin());
  EXPECT_THAT(mutation.context.violations, IsEmpty());
  return std::get<Body>(mutation.body);
}

template <class Request>
std::vector<FieldViolation> mistakes(const Request& request) {
  return to_mutation(request, origin()).context.violations;
}

v1::UpdateInstanceRequest update(std::vector<std::string> paths = {}) {
  v1::UpdateInstanceRequest request;
  request.mutable_instance()->set_name("projects/default/instances/web-1");
  for (std::string& path : paths) request.mutable_update_mask()->add_paths(std::move(path));
  return request;
}

TEST(UpdateFromWire, ReadsWhatTheMaskNamesAndNothingElse) {
  v1::UpdateInstanceRequest request = update({"restart_policy", "delete_protection"});
  v1::Instance& instance = *request.mutable_instance();
  instance.set_restart_policy(v1::Instance::NEVER);
  (*instance.mutable_labels())["app"] = "web";
  instance.set_desired_state(v1::Instance::STOPPED);
  request.set_etag("7-2");
  const auto read = body_of<controller::UpdateInstance>(request);
  EXPECT_EQ(read.project, "default");
  EXPECT_EQ(read.id, "web-1");
  EXPECT_EQ(read.restart_policy, RestartPolicy::kNever);
  EXPECT_EQ(read.delete_protection, false) << "named, so it is taken away";
  EXPECT_FALSE(read.labels);
  EXPECT_FALSE(read.desired);
  EXPECT_FALSE(read.user_data);
  EXPECT_EQ(to_mutation(request, origin()).context.etag, "7-2");
}

TEST(UpdateFromWire, AMaskCanEmptyAField) {
  const auto read = body_of<controller::UpdateInstance>(update({"labels", "user_data"}));
  EXPECT_EQ(read.labels, Labels());
  EXPECT_EQ(read.user_data, "");
}

TEST(UpdateFromWire, WithoutAMaskWhatIsSetIsMeant) {
  v1::UpdateInstanceRequest request = update();
  request.mutable_instance()->set_desired_state(v1::Instance::STOPPED);
  request.mutable_instance()->set_generation(12);  // output only, as it was read
  const auto read = body_of<controller::UpdateInstance>(request);
  EXPECT_EQ(read.desired, DesiredState::kStopped);
  EXPECT_FALSE(read.labels);
  EXPECT_FALSE(read.delete_protection);
  EXPECT_THAT(mistakes(update()).at(0).description, HasSubstr("names nothing"));
}

TEST(UpdateFromWire, RefusesPathsThatCannotBeChangedByName) {
  for (const char* path : {"phase", "flavor", "*", "no_such", "labels.app", ""}) {
    const auto wrong = mistakes(update({"labels", path}));
    ASSERT_EQ(wrong.size(), 1u) << path;
    EXPECT_EQ(wrong[0].field, "update_mask");
    EXPECT_THAT(wrong[0].description, AllOf(HasSubstr(path), HasSubstr("delete_protection")));
  }
  EXPECT_EQ(mistakes(update(std::vector<std::string>(65, "labels"))).at(0).field, "update_mask");
}

TEST(UpdateFromWire, RefusesWrongValuesByField) {
  v1::UpdateInstanceRequest request =
      update({"labels", "restart_policy", "desired_state", "user_data"});
  v1::Instance& instance = *request.mutable_instance();
  instance.set_name("web-1");
  (*instance.mutable_labels())["UPPER"] = "x";
  instance.set_restart_policy(static_cast<v1::Instance::RestartPolicy>(9));
  instance.set_desired_state(v1::Instance::DELETED);
  instance.set_user_data(std::string(70'000, 'x'));
  std::vector<std::string> fields;
  for (const auto& wrong : mistakes(request)) fields.push_back(wrong.field);
  EXPECT_THAT(fields,
              ElementsAre("instance.name", "instance.labels[\"UPPER\"]", "instance.restart_policy",
                          "instance.desired_state", "instance.user_data"));
}

TEST(LifeFromWire, ReadsIngressRulesWithAMaskAndWithout) {
  v1::UpdateInstanceRequest request;
  request.mutable_instance()->set_name("projects/default/instances/web-1");
  request.mutable_instance()->set_restart_policy(v1::Instance::NEVER);
  EXPECT_EQ(body_of<controller::UpdateInstance>(request).ingress, std::nullopt);
  auto* rule = request.mutable_instance()->add_ingress_rules();
  rule->set_protocol(v1::IngressRule::TCP);
  rule->set_first_port(443);
  rule->set_source("0.0.0.0/0");
  const IngressRule https{
      .protocol = IpProtocol::kTcp, .ports = {443, 443}, .from = *IpPrefix::parse("0.0.0.0/0")};
  EXPECT_EQ(body_of<controller::UpdateInstance>(request).ingress, std::vector{https});

  request.mutable_instance()->clear_ingress_rules();
  request.mutable_update_mask()->add_paths("ingress_rules");
  EXPECT_EQ(body_of<controller::UpdateInstance>(request).ingress, std::vector<IngressRule>());
  request.mutable_instance()->add_ingress_rules()->set_source("everywhere");
  EXPECT_EQ(mistakes(request).at(0).field, "instance.ingress_rules[0].source");
}

TEST(LifeFromWire, ReadsRenamesResetsAndResizes) {
  v1::RenameInstanceRequest rename;
  rename.set_name("projects/default/instances/web-1");
  rename.set_new_instance_id("shop");
  EXPECT_EQ(body_of<controller::RenameInstance>(rename).new_id, "shop");
  rename.set_new_instance_id("Shop!");
  EXPECT_EQ(mistakes(rename).at(0).field, "new_instance_id");

  v1::ResetInstanceRequest reset;
  reset.set_name("projects/default/instances/web-1");
  EXPECT_EQ(body_of<controller::ResetInstance>(reset).id, "web-1");

  v1::ResizeInstanceRequest resize;
  resize.set_name("projects/default/instances/web-1");
  resize.set_flavor("flavors/SCS-2V-4");
  EXPECT_EQ(body_of<controller::ResizeInstance>(resize).flavor, "SCS-2V-4");
  EXPECT_FALSE(body_of<controller::ResizeInstance>(resize).boot_disk);
  resize.set_boot_disk_bytes(gibibytes(3).count());
  EXPECT_EQ(body_of<controller::ResizeInstance>(resize).boot_disk, gibibytes(3));
  resize.set_boot_disk_bytes(-1);
  resize.clear_flavor();
  EXPECT_EQ(mistakes(resize).size(), 2u);
}

TEST(ProjectsFromWire, ReadsTheLimitsThatAreSet) {
  v1::CreateProjectRequest create;
  create.set_project_id("town");
  create.mutable_project()->mutable_limits()->set_instances(0);
  create.mutable_project()->mutable_limits()->set_shared_vcpus(8);
  const auto read = body_of<controller::CreateProject>(create);
  EXPECT_EQ(read.limits.instances, 0);
  EXPECT_EQ(read.limits.vcpus.at(CpuClass::kShared), VcpuCount(8));
  EXPECT_FALSE(read.limits.memory);
  create.mutable_project()->mutable_limits()->set_memory_bytes(-1);
  EXPECT_EQ(mistakes(create).at(0).field, "project.limits.memory_bytes");
}

TEST(ProjectsFromWire, AnUpdateMeansSingleLimitsOrAllOfThem) {
  v1::UpdateProjectRequest request;
  request.mutable_project()->set_name("projects/town");
  request.mutable_project()->mutable_limits()->set_instances(3);
  auto read = body_of<controller::UpdateProject>(request);
  EXPECT_THAT(read.limits, ElementsAre(controller::Limit::kInstances));
  EXPECT_FALSE(read.labels);
  request.mutable_update_mask()->add_paths("limits.disk_bytes");
  read = body_of<controller::UpdateProject>(request);
  EXPECT_THAT(read.limits, ElementsAre(controller::Limit::kDisk));
  EXPECT_FALSE(read.values.disk) << "named and not set: lifted";
  request.mutable_update_mask()->add_paths("limits");
  EXPECT_EQ(body_of<controller::UpdateProject>(request).limits.size(), 8u);
  request.mutable_update_mask()->add_paths("use");
  EXPECT_THAT(mistakes(request).at(0).description, HasSubstr("\"use\" cannot be changed"));
}

absl::StatusOr<Labels> filtered(const std::string& filter) {
  v1::ListInstancesRequest request;
  request.set_parent("projects/default");
  request.set_filter(filter);
  SW_ASSIGN_OR_RETURN(const controller::Query query, to_query(request));
  return std::get<controller::ListInstances>(query).labels;
}

TEST(FilterOfLists, IsLabelsJoinedByAnd) {
  EXPECT_EQ(*filtered(""), Labels());
  EXPECT_EQ(*filtered("labels.app=web"), (Labels{{"app", "web"}}));
  EXPECT_EQ(*filtered("labels.a/b.c=\"web\" AND labels.tier = front"),
            (Labels{{"a/b.c", "web"}, {"tier", "front"}}));
  EXPECT_EQ(*filtered("labels.app=\"\""), (Labels{{"app", ""}}));
}

TEST(FilterOfLists, RefusesWhatIsNoneWithAnExample) {
  for (const char* filter :
       {"app=web", "labels.app", "labels.app=", "labels.=x", "labels.app!=web", "labels.app=a b",
        "labels.app=web OR labels.x=y", "labels.app=web AND ", " ", "labels.A=b", "phase=RUNNING",
        "labels.app=a AND labels.app=b"}) {
    const auto read = filtered(filter);
    ASSERT_FALSE(read.ok()) << filter;
    EXPECT_EQ(violations_of(read.status()).at(0).field, "filter") << filter;
  }
  EXPECT_FALSE(filtered(std::string(9000, 'x')).ok());
}

}  // namespace
}  // namespace stellwerk::convert

#include "api/convert/from_wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stellwerk::convert {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr char kRequestId[] = "7c0e1f9a-2b44-4d8e-9d0c-6f5c8f0a1b2c";
constexpr char kKey[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample me@example";

Origin origin() {
  return {.caller = "uid 1000", .fresh = *RequestId::parse("11111111-2222-4333-8444-555555555555")};
}

v1::CreateInstanceRequest good_instance() {
  v1::CreateInstanceRequest request;
  request.set_parent("projects/default");
  request.set_instance_id("web-1");
  request.set_request_id(kRequestId);
  v1::Instance& instance = *request.mutable_instance();
  instance.set_flavor("flavors/SCS-2V-8");
  instance.set_image("projects/default/images/debian-12");
  return request;
}

std::vector<std::string> fields_of(const std::vector<FieldViolation>& violations) {
  std::vector<std::string> fields;
  for (const FieldViolation& violation : violations) fields.push_back(violation.field);
  return fields;
}

template <class Request>
std::vector<std::string> wrong_fields(const Request& request) {
  return fields_of(to_mutation(request, origin()).context.violations);
}

template <class Request>
std::vector<std::string> wrong_query_fields(const Request& request) {
  return fields_of(violations_of(to_query(request).status()));
}

TEST(FromWire, ReadsAWholeInstance) {
  v1::CreateInstanceRequest request = good_instance();
  v1::Instance& wire = *request.mutable_instance();
  wire.set_boot_disk_bytes(gibibytes(20).count());
  wire.add_network_interfaces()->set_network("projects/default/networks/flat");
  wire.add_ssh_keys(kKey);
  wire.set_user_data("#cloud-config\n");
  (*wire.mutable_labels())["tier"] = "front";
  wire.set_restart_policy(v1::Instance::NEVER);
  wire.set_desired_state(v1::Instance::STOPPED);

  const controller::Mutation mutation = to_mutation(request, origin());

  EXPECT_THAT(mutation.context.violations, IsEmpty());
  EXPECT_EQ(mutation.context.caller, "uid 1000");
  EXPECT_EQ(mutation.context.request_id.to_string(), kRequestId);
  const auto& create = std::get<controller::CreateInstance>(mutation.body);
  EXPECT_EQ(create.project, "default");
  EXPECT_EQ(create.id, "web-1");
  EXPECT_EQ(create.flavor, "SCS-2V-8");
  EXPECT_EQ(create.image, "debian-12");
  EXPECT_EQ(create.boot_disk, gibibytes(20));
  ASSERT_THAT(create.ports, SizeIs(1));
  EXPECT_EQ(create.ports[0].network, "flat");
  EXPECT_THAT(create.ssh_keys, ElementsAre(kKey));
  EXPECT_EQ(create.user_data, "#cloud-config\n");
  EXPECT_EQ(create.labels, (Labels{{"tier", "front"}}));
  EXPECT_EQ(create.restart_policy, RestartPolicy::kNever);
  EXPECT_EQ(create.desired, DesiredState::kStopped);
}

TEST(FromWire, FillsInWhatMayBeLeftOut) {
  v1::CreateInstanceRequest request = good_instance();
  request.clear_request_id();
  const controller::Mutation mutation = to_mutation(request, origin());
  const auto& create = std::get<controller::CreateInstance>(mutation.body);
  EXPECT_EQ(mutation.context.request_id, origin().fresh);
  EXPECT_EQ(create.boot_disk, std::nullopt);
  EXPECT_THAT(create.ports, IsEmpty());
  EXPECT_EQ(create.restart_policy, RestartPolicy::kOnFailure);
  EXPECT_EQ(create.desired, DesiredState::kRunning);
}

TEST(FromWire, TellsEveryMistakeOfAnInstanceAtOnce) {
  v1::CreateInstanceRequest request;
  request.set_parent("default");
  request.set_instance_id("Web 1");
  request.set_request_id("not-a-uuid");
  v1::Instance& wire = *request.mutable_instance();
  wire.set_flavor("flavors/-rf");
  wire.set_image("projects/default/images/<xml>");
  wire.set_boot_disk_bytes(-1);
  wire.add_network_interfaces()->set_network("flat");
  wire.add_ssh_keys(kKey);
  wire.add_ssh_keys("rm -rf /");
  wire.add_ssh_keys("");
  wire.set_user_data(std::string(65537, 'x'));
  (*wire.mutable_labels())["Upper"] = "";
  wire.set_restart_policy(static_cast<v1::Instance::RestartPolicy>(17));
  wire.set_desired_state(v1::Instance::DELETED);

  EXPECT_THAT(wrong_fields(request),
              UnorderedElementsAre("parent", "instance_id", "request_id", "instance.flavor",
                                   "instance.image", "instance.boot_disk_bytes",
                                   "instance.network_interfaces[0].network", "instance.ssh_keys[1]",
                                   "instance.ssh_keys[2]", "instance.user_data",
                                   "instance.labels[\"Upper\"]", "instance.restart_policy",
                                   "instance.desired_state"));
}

TEST(FromWire, NamesEveryWrongLabelByItsKey) {
  v1::CreateProjectRequest request;
  request.set_project_id("p");
  auto& labels = *request.mutable_project()->mutable_labels();
  labels["good"] = "yes";
  labels["tier"] = "a b";
  labels["\x1b[31m"] = "x";
  labels[std::string(1000, 'k')] = "x";
  EXPECT_THAT(
      wrong_fields(request),
      UnorderedElementsAre("project.labels[\"tier\"]", "project.labels[\"\\x1b[31m\"]",
                           "project.labels[\"" + std::string(40, 'k') + "\"… (1000 bytes)]"));
  for (int i = 0; i < 64; ++i) labels["Bad-" + std::to_string(i)] = "";
  EXPECT_THAT(wrong_fields(request), ElementsAre("project.labels"));
}

TEST(FromWire, NamesWhatAnEmptyInstanceLacks) {
  EXPECT_THAT(wrong_fields(v1::CreateInstanceRequest()),
              UnorderedElementsAre("parent", "instance_id", "instance.flavor", "instance.image"));
}

TEST(FromWire, BoundsSizesAndNumbers) {
  v1::CreateInstanceRequest request = good_instance();
  request.mutable_instance()->set_boot_disk_bytes(std::numeric_limits<int64_t>::max());
  EXPECT_THAT(wrong_fields(request), ElementsAre("instance.boot_disk_bytes"));

  request = good_instance();
  for (int i = 0; i < 33; ++i) request.mutable_instance()->add_ssh_keys(kKey);
  EXPECT_THAT(wrong_fields(request), ElementsAre("instance.ssh_keys"));
  request.mutable_instance()->mutable_ssh_keys()->RemoveLast();
  EXPECT_THAT(wrong_fields(request), IsEmpty());

  request = good_instance();
  request.mutable_instance()->set_user_data(std::string(65536, 'x'));
  EXPECT_THAT(wrong_fields(request), IsEmpty());
}

TEST(FromWire, RefusesANetworkOfAnotherProjectAndNamesTheProjectOfTheImage) {
  v1::CreateInstanceRequest request = good_instance();
  request.mutable_instance()->set_image("projects/other/images/debian-12");
  request.mutable_instance()->add_network_interfaces()->set_network("projects/other/networks/flat");
  EXPECT_THAT(wrong_fields(request),
              UnorderedElementsAre("instance.network_interfaces[0].network"));
}

TEST(FromWire, IgnoresWhatIsOutputOnly) {
  v1::CreateInstanceRequest request = good_instance();
  v1::Instance& wire = *request.mutable_instance();
  wire.set_name("../../etc/passwd");
  wire.set_uid("not a uid");
  wire.set_etag("<xml>");
  wire.set_phase(static_cast<v1::Instance::Phase>(99));
  wire.set_host("hosts/chosen");
  wire.set_generation(7);
  EXPECT_THAT(wrong_fields(request), IsEmpty());
}

TEST(FromWire, TakesAnEtagAsItWasGiven) {
  v1::StartInstanceRequest request;
  request.set_name("projects/p/instances/i");
  request.set_etag("42");
  EXPECT_EQ(to_mutation(request, origin()).context.etag, "42");
  request.set_etag("42-7");
  EXPECT_EQ(to_mutation(request, origin()).context.etag, "42-7");
  for (const char* bad :
       {"\"42\"", "042", "42-", "4-2-1", "-1", "W/42", "4 2", "123456789012345678901"}) {
    request.set_etag(bad);
    EXPECT_THAT(wrong_fields(request), ElementsAre("etag")) << bad;
  }
}

TEST(FromWire, RefusesTheNilRequestId) {
  v1::StartInstanceRequest request;
  request.set_name("projects/p/instances/i");
  request.set_request_id("00000000-0000-0000-0000-000000000000");
  EXPECT_THAT(wrong_fields(request), ElementsAre("request_id"));
}

template <class Body, class Request>
Body body_of(const Request& request) {
  const controller::Mutation mutation = to_mutation(request, origin());
  EXPECT_THAT(mutation.context.violations, IsEmpty());
  return std::get<Body>(mutation.body);
}

TEST(FromWire, ReadsWhatIsDoneToAnInstance) {
  v1::StartInstanceRequest start;
  start.set_name("projects/p/instances/i");
  EXPECT_EQ(body_of<controller::StartInstance>(start).id, "i");
  v1::StopInstanceRequest stop;
  stop.set_name("projects/p/instances/i");
  EXPECT_FALSE(body_of<controller::StopInstance>(stop).hard);
  stop.set_force(true);
  EXPECT_TRUE(body_of<controller::StopInstance>(stop).hard);
  v1::RebootInstanceRequest reboot;
  reboot.set_name("projects/p/instances/i");
  reboot.set_force(true);
  EXPECT_TRUE(body_of<controller::RebootInstance>(reboot).hard);
  v1::DeleteInstanceRequest remove;
  remove.set_name("projects/p/instances/i");
  EXPECT_EQ(body_of<controller::DeleteInstance>(remove).project, "p");
  remove.set_name("projects/p/images/i");
  EXPECT_THAT(wrong_fields(remove), ElementsAre("name"));
}

TEST(FromWire, ReadsAFlavor) {
  v1::CreateFlavorRequest request;
  request.set_flavor_id("tiny");
  request.mutable_flavor()->set_cpu_class(v1::Flavor::DEDICATED_CORE);
  request.mutable_flavor()->set_vcpus(2);
  request.mutable_flavor()->set_memory_mib(64);
  request.mutable_flavor()->mutable_disks()->set_size_bytes(gigabytes(5).count());
  request.mutable_flavor()->mutable_disks()->set_type(v1::Flavor::SSD);
  const auto create = body_of<controller::CreateFlavor>(request);
  EXPECT_EQ(create.id, "tiny");
  EXPECT_EQ(create.cpu_class, CpuClass::kDedicatedCore);
  EXPECT_EQ(create.vcpus, VcpuCount(2));
  EXPECT_EQ(create.memory, mebibytes(64));
  EXPECT_EQ(create.disks, (FlavorDisks{.count = 1, .size = gigabytes(5), .type = DiskType::kSsd}));
}

TEST(FromWire, LeavesOpenWhatAFlavorsNameMaySay) {
  v1::CreateFlavorRequest request;
  request.set_flavor_id("SCS-2V-8");
  const auto create = body_of<controller::CreateFlavor>(request);
  EXPECT_FALSE(create.cpu_class || create.vcpus || create.memory || create.disks);
}

TEST(FromWire, TellsEveryMistakeOfAFlavor) {
  v1::CreateFlavorRequest request;
  request.set_flavor_id("../x");
  v1::Flavor& flavor = *request.mutable_flavor();
  flavor.set_cpu_class(static_cast<v1::Flavor::CpuClass>(9));
  flavor.set_vcpus(-1);
  flavor.set_memory_mib(std::numeric_limits<int64_t>::max());
  flavor.mutable_disks()->set_count(1'000'000);
  flavor.mutable_disks()->set_size_bytes(-1);
  flavor.mutable_disks()->set_type(static_cast<v1::Flavor::DiskType>(-3));
  EXPECT_THAT(
      wrong_fields(request),
      UnorderedElementsAre("flavor_id", "flavor.cpu_class", "flavor.vcpus", "flavor.memory_mib",
                           "flavor.disks.count", "flavor.disks.size_bytes", "flavor.disks.type"));
}

TEST(FromWire, ReadsProjects) {
  v1::CreateProjectRequest request;
  request.set_project_id("city-hall");
  (*request.mutable_project()->mutable_labels())["unit"] = "it";
  EXPECT_EQ(body_of<controller::CreateProject>(request).id, "city-hall");
  EXPECT_EQ(body_of<controller::CreateProject>(request).labels.at("unit"), "it");
  request.set_project_id("-");
  EXPECT_THAT(wrong_fields(request), ElementsAre("project_id"));
  v1::DeleteProjectRequest remove;
  remove.set_name("projects/city-hall");
  EXPECT_EQ(body_of<controller::DeleteProject>(remove).id, "city-hall");
}

TEST(FromWire, ReadsQueries) {
  v1::GetInstanceRequest get;
  get.set_name("projects/p/instances/i");
  EXPECT_EQ(std::get<controller::GetInstance>(*to_query(get)).project, "p");
  v1::GetHostRequest host;
  host.set_name("hosts/node1.example.org");
  EXPECT_EQ(std::get<controller::GetHost>(*to_query(host)).id, "node1.example.org");
  v1::GetFlavorRequest flavor;
  flavor.set_name("flavors/SCS-2V-8");
  EXPECT_EQ(std::get<controller::GetFlavor>(*to_query(flavor)).id, "SCS-2V-8");
  v1::GetProjectRequest project;
  project.set_name("projects/p");
  EXPECT_EQ(std::get<controller::GetProject>(*to_query(project)).id, "p");
  v1::GetImageRequest image;
  image.set_name("projects/p/images/i");
  EXPECT_EQ(std::get<controller::GetImage>(*to_query(image)).id, "i");
  image.set_name("projects/-/images/i");
  EXPECT_THAT(wrong_query_fields(image), ElementsAre("name"));
}

TEST(FromWire, PagesAfterAip158) {
  v1::ListInstancesRequest request;
  request.set_parent("projects/-");
  const auto list = [&] { return std::get<controller::ListInstances>(*to_query(request)); };
  EXPECT_EQ(list().project, "-");
  EXPECT_EQ(list().page.size, 100);
  request.set_page_size(1);
  EXPECT_EQ(list().page.size, 1);
  request.set_page_size(1001);
  request.set_page_token("default/web-1");
  EXPECT_EQ(list().page.size, 1000);
  EXPECT_EQ(list().page.token, "default/web-1");
}

TEST(FromWire, TellsEveryMistakeOfAQuery) {
  v1::ListImagesRequest request;
  request.set_page_size(-1);
  request.set_page_token(std::string("a\0b", 3));
  EXPECT_THAT(wrong_query_fields(request),
              UnorderedElementsAre("parent", "page_size", "page_token"));
  v1::ListHostsRequest hosts;
  hosts.set_page_size(-5);
  EXPECT_THAT(wrong_query_fields(hosts), ElementsAre("page_size"));
}

TEST(FromWire, FiltersEventsByProjectAndResource) {
  const Event event{.time = {},
                    .type = "InstanceCreated",
                    .project_id = "p",
                    .resource = "projects/p/instances/i",
                    .uid = {},
                    .reason = {},
                    .message = {}};
  const auto filter = [](const char* parent, const char* resource) {
    v1::WatchEventsRequest request;
    request.set_parent(parent);
    request.set_resource(resource);
    return to_watch(request, CellUid())->filter;
  };
  EXPECT_TRUE(filter("", "").matches(event));
  EXPECT_TRUE(filter("projects/-", "").matches(event));
  EXPECT_TRUE(filter("projects/p", "").matches(event));
  EXPECT_FALSE(filter("projects/q", "").matches(event));
  EXPECT_TRUE(filter("projects/p", "projects/p/instances/i").matches(event));
  EXPECT_FALSE(filter("", "projects/p/instances/j").matches(event));
}

TEST(FromWire, RefusesFiltersThatMatchNothing) {
  v1::WatchEventsRequest request;
  request.set_parent("p");
  request.set_resource("projects/p/instances/<xml>");
  EXPECT_THAT(fields_of(violations_of(to_watch(request, CellUid()).status())),
              UnorderedElementsAre("parent", "resource"));
  request.set_parent("projects/p");
  request.set_resource("projects/q/instances/i");
  const absl::Status status = to_watch(request, CellUid()).status();
  EXPECT_THAT(describe(status), HasSubstr("resource: is not of project p"));
}

TEST(FromWire, TellsAWrongTokenWithTheOtherMistakes) {
  const std::string foreign = format_event_token(CellUid(Uuid::v5(Uuid(), "there")), Sequence(3));
  v1::WatchEventsRequest watch;
  watch.set_parent("p");
  watch.set_token(foreign);
  const absl::Status watched = to_watch(watch, CellUid()).status();
  EXPECT_THAT(fields_of(violations_of(watched)), UnorderedElementsAre("parent", "token"));
  EXPECT_EQ(reason_of(watched), "TOKEN_OF_ANOTHER_CELL");
  v1::ListEventsRequest list;
  list.set_resource("<xml>");
  list.set_page_size(-1);
  list.set_page_token("nonsense");
  const absl::Status listed = to_listing(list, CellUid()).status();
  EXPECT_THAT(fields_of(violations_of(listed)),
              UnorderedElementsAre("resource", "page_size", "page_token"));
  EXPECT_EQ(reason_of(listed), "INVALID_FIELDS");
}

TEST(FromWire, KeepsTheReasonOfATokenOfAnotherCell) {
  const CellUid here(Uuid::v5(Uuid(), "here"));
  const CellUid there(Uuid::v5(Uuid(), "there"));
  v1::WatchEventsRequest request;
  request.set_token(format_event_token(there, Sequence(3)));
  const absl::Status status = to_watch(request, here).status();
  EXPECT_EQ(reason_of(status), "TOKEN_OF_ANOTHER_CELL");
  EXPECT_THAT(fields_of(violations_of(status)), ElementsAre("token"));
  EXPECT_EQ(to_watch(request, there)->after, Sequence(3));
  request.clear_token();
  EXPECT_EQ(to_watch(request, here)->after, std::nullopt);
}

}  // namespace
}  // namespace stellwerk::convert

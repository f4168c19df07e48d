#include "api/convert/to_wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "api/convert/from_wire.h"
#include "core/validate.h"

namespace stellwerk::convert {
namespace {

const InstanceUid kUid(Uuid::v5(Uuid(), "instance"));
constexpr WallTime kTime{std::chrono::microseconds(1'700'000'000'250'000)};

controller::InstanceView instance_view() {
  controller::InstanceView view;
  view.project_id = "p";
  view.image_project_id = "p";
  view.host_id = "node1";
  view.ports = {
      {.network_id = "flat", .mac = 0x52540000002a, .addresses = {*IpAddress::parse("10.64.0.7")}}};
  view.observed = {.phase = Phase::kRunning,
                   .reason = "Started",
                   .message = "runs",
                   .generation = Generation(3),
                   .since = kTime};
  Instance& instance = view.instance;
  instance.uid = kUid;
  instance.id = "web-1";
  instance.generation = Generation(4);
  instance.desired = DesiredState::kStopped;
  instance.restart_policy = RestartPolicy::kNever;
  instance.flavor_id = "SCS-2V-8";
  instance.image_id = "debian-12";
  instance.vcpus = VcpuCount(2);
  instance.memory = gibibytes(8);
  instance.boot_disk = gibibytes(20);
  instance.ssh_keys = {"ssh-ed25519 AAAA"};
  instance.has_user_data = true;
  instance.labels = {{"tier", "front"}};
  instance.reboot.count = 5;
  instance.claim.cpus = {9, 1};
  instance.claim.numa_nodes = {0};
  instance.created_at = kTime;
  instance.changed_at = Sequence(42);
  return view;
}

TEST(ToWire, WritesAnInstance) {
  const v1::Instance wire = to_wire(instance_view());
  EXPECT_EQ(wire.name(), "projects/p/instances/web-1");
  EXPECT_EQ(wire.uid(), kUid.to_string());
  EXPECT_EQ(wire.generation(), 4u);
  EXPECT_EQ(wire.etag(), "42-4");
  EXPECT_EQ(wire.create_time().seconds(), 1'700'000'000);
  EXPECT_EQ(wire.create_time().nanos(), 250'000'000);
  EXPECT_EQ(wire.desired_state(), v1::Instance::STOPPED);
  EXPECT_EQ(wire.flavor(), "flavors/SCS-2V-8");
  EXPECT_EQ(wire.image(), "projects/p/images/debian-12");
  EXPECT_EQ(wire.boot_disk_bytes(), gibibytes(20).count());
  ASSERT_EQ(wire.network_interfaces_size(), 1);
  EXPECT_EQ(wire.network_interfaces(0).network(), "projects/p/networks/flat");
  EXPECT_EQ(wire.network_interfaces(0).mac_address(), "52:54:00:00:00:2a");
  EXPECT_EQ(wire.network_interfaces(0).ip_address(), "10.64.0.7");
  EXPECT_EQ(wire.ssh_keys(0), "ssh-ed25519 AAAA");
  EXPECT_EQ(wire.labels().at("tier"), "front");
  EXPECT_EQ(wire.restart_policy(), v1::Instance::NEVER);
  EXPECT_EQ(wire.phase(), v1::Instance::PHASE_RUNNING);
  EXPECT_EQ(wire.reason(), "Started");
  EXPECT_EQ(wire.message(), "runs");
  EXPECT_EQ(wire.observed_generation(), 3u);
  EXPECT_EQ(wire.phase_time().seconds(), 1'700'000'000);
  EXPECT_EQ(wire.host(), "hosts/node1");
  EXPECT_EQ(wire.vcpus(), 2);
  EXPECT_EQ(wire.memory_bytes(), gibibytes(8).count());
  EXPECT_TRUE(wire.has_user_data());
  EXPECT_EQ(wire.reboot_count(), 5u);
  EXPECT_TRUE(wire.user_data().empty());
  EXPECT_THAT(wire.cpu_ids(), testing::ElementsAre(9, 1));
  EXPECT_THAT(wire.numa_nodes(), testing::ElementsAre(0));
}

TEST(ToWire, HasAWordForEveryPhase) {
  controller::InstanceView view = instance_view();
  for (int phase = 0; phase <= static_cast<int>(Phase::kUnknown); ++phase) {
    view.observed.phase = static_cast<Phase>(phase);
    EXPECT_NE(to_wire(view).phase(), v1::Instance::PHASE_UNSPECIFIED) << phase;
  }
}

TEST(ToWire, LeavesOutWhatIsNotKnownYet) {
  controller::InstanceView view = instance_view();
  view.host_id.clear();
  view.observed = {};
  const v1::Instance wire = to_wire(view);
  EXPECT_TRUE(wire.host().empty());
  EXPECT_FALSE(wire.has_phase_time());
  EXPECT_EQ(wire.phase(), v1::Instance::PHASE_PENDING);

  controller::ImageView image;
  image.image.state = ImageState::kImporting;
  EXPECT_EQ(to_wire(image).format(), v1::Image::FORMAT_UNSPECIFIED);
  EXPECT_TRUE(to_wire(image).sha256().empty());
}

TEST(ToWire, GivesAnEtagThatIsReadBack) {
  v1::StopInstanceRequest request;
  request.set_name(to_wire(instance_view()).name());
  request.set_etag(to_wire(instance_view()).etag());
  const controller::Mutation mutation = to_mutation(request, {});
  EXPECT_TRUE(mutation.context.violations.empty());
  EXPECT_EQ(mutation.context.etag, "42-4");
  EXPECT_EQ(std::get<controller::StopInstance>(mutation.body).id, "web-1");
}

TEST(ToWire, WritesAnImage) {
  controller::ImageView view;
  view.project_id = "p";
  view.image.id = "debian-12";
  view.image.state = ImageState::kActive;
  view.image.firmware = Firmware::kUefi;
  view.image.format = ImageFormat::kQcow2;
  view.image.minimum_disk = Bytes(1);
  view.image.minimum_memory = Bytes(2);
  view.image.file_size = Bytes(3);
  view.image.virtual_size = Bytes(4);
  view.image.sha256 = sha256("abc");
  const v1::Image wire = to_wire(view);
  EXPECT_EQ(wire.name(), "projects/p/images/debian-12");
  EXPECT_EQ(wire.state(), v1::Image::ACTIVE);
  EXPECT_EQ(wire.firmware(), v1::Image::UEFI);
  EXPECT_EQ(wire.format(), v1::Image::QCOW2);
  EXPECT_EQ(wire.min_disk_bytes(), 1);
  EXPECT_EQ(wire.min_memory_bytes(), 2);
  EXPECT_EQ(wire.size_bytes(), 3);
  EXPECT_EQ(wire.virtual_bytes(), 4);
  EXPECT_EQ(wire.sha256(), to_hex(sha256("abc")));
}

// Whoever may use the image sees where it came from, and a query often holds a token.
TEST(ToWire, LeavesTheQueryOfAnImagesSourceOut) {
  controller::ImageView view;
  view.image.source.url = "https://images.example/debian.qcow2?token=secret";
  view.image.is_public = true;
  EXPECT_EQ(to_wire(view).source_url(), "https://images.example/debian.qcow2?…");
  view.image.source.url = "https://images.example/debian.qcow2";
  EXPECT_EQ(to_wire(view).source_url(), "https://images.example/debian.qcow2");
}

// What a client reads of a flavor and sends back creates the same.
RC_GTEST_PROP(ToWire, FlavorsComeBack, ()) {
  Flavor flavor;
  flavor.id = "mine";
  flavor.cpu_class = static_cast<CpuClass>(*rc::gen::inRange(0, 4));
  flavor.vcpus = VcpuCount(*rc::gen::inRange<int64_t>(1, kMostVcpus + 1));
  flavor.memory = mebibytes(*rc::gen::inRange(1, 1 << 30));
  if (*rc::gen::arbitrary<bool>()) {
    flavor.disks = FlavorDisks{.count = *rc::gen::inRange(1, 64),
                               .size = gigabytes(*rc::gen::inRange(0, 100'000)),
                               .type = static_cast<DiskType>(*rc::gen::inRange(0, 5))};
  }
  v1::CreateFlavorRequest request;
  request.set_flavor_id(flavor.id);
  *request.mutable_flavor() = to_wire(flavor);
  const controller::Mutation mutation = to_mutation(request, {});
  RC_ASSERT(mutation.context.violations.empty());
  const auto& create = std::get<controller::CreateFlavor>(mutation.body);
  RC_ASSERT(create.cpu_class == flavor.cpu_class);
  RC_ASSERT(create.vcpus == flavor.vcpus);
  RC_ASSERT(create.memory == flavor.memory);
  RC_ASSERT(create.disks == flavor.disks);
}

TEST(ToWire, TellsTheExtraSpecsOfScs0103) {
  Flavor flavor;
  flavor.id = "SCS-2V-4-20s";
  flavor.disks = FlavorDisks{.count = 1, .size = gigabytes(20), .type = DiskType::kSsd};
  const auto specs = to_wire(flavor).extra_specs();
  EXPECT_EQ(specs.at("scs:name-v1"), "SCS-2V:4:20s");
  EXPECT_EQ(specs.at("scs:name-v2"), "SCS-2V-4-20s");
  EXPECT_EQ(specs.at("scs:cpu-type"), "shared-core");
  EXPECT_EQ(specs.at("scs:disk0-type"), "ssd");

  flavor.id = "tiny";
  flavor.disks.reset();
  flavor.cpu_class = CpuClass::kLowPerformance;
  EXPECT_EQ(to_wire(flavor).extra_specs().size(), 1u);
  EXPECT_EQ(to_wire(flavor).extra_specs().at("scs:cpu-type"), "crowded-core");
}

TEST(ToWire, WritesAHost) {
  controller::HostView view;
  view.host.id = "node1";
  view.host.facts = {.cores = 4,
                     .threads = 8,
                     .memory = gibibytes(64),
                     .disk = gibibytes(500),
                     .disk_type = DiskType::kNvme,
                     .cpu_model = "EPYC",
                     .accelerator = "kvm",
                     .hypervisor_version = "7.2",
                     .boot_id = "boot"};
  view.host.reserve = {.memory = gibibytes(1), .disk = gibibytes(2)};
  view.connected = true;
  view.memory_used = gibibytes(8);
  view.disk_used = gibibytes(20);
  view.vcpus_used = {{CpuClass::kShared, VcpuCount(6)}, {CpuClass::kDedicatedCore, VcpuCount(1)}};
  view.instances = 3;
  view.foreign = {.domains = 1, .vcpus = VcpuCount(2), .memory = gibibytes(4)};
  view.orphans = {
      {.uuid = kUid.value(), .name = "stellwerk-x", .project_id = "p", .instance_id = "i"}};
  view.disk_available = gibibytes(100);
  view.host.facts.numa = {{0, gibibytes(32), {{{0, 4}}, {{1, 5}}}}, {1, gibibytes(32), {}}};
  view.dedicated_cpus = {0, 4};
  view.shared_cpus = {1, 5};
  view.unpinned = VcpuCount(3);

  const v1::Host wire = to_wire(view);
  EXPECT_EQ(wire.name(), "hosts/node1");
  EXPECT_EQ(wire.state(), v1::Host::READY);
  EXPECT_EQ(wire.capacity().threads(), 8);
  EXPECT_EQ(wire.capacity().memory_bytes(), gibibytes(64).count());
  EXPECT_EQ(wire.reserved().memory_bytes(), gibibytes(1).count());
  EXPECT_EQ(wire.use().instances(), 3);
  EXPECT_EQ(wire.use().shared_vcpus(), 6);
  EXPECT_EQ(wire.use().dedicated_cores(), 1);
  EXPECT_EQ(wire.use().low_performance_vcpus(), 0);
  EXPECT_EQ(wire.foreign().memory_bytes(), gibibytes(4).count());
  EXPECT_EQ(wire.orphans(0).uid(), kUid.to_string());
  EXPECT_EQ(wire.orphans(0).domain(), "stellwerk-x");
  EXPECT_EQ(wire.accelerator(), "kvm");
  EXPECT_EQ(wire.disk_type(), "nvme");
  EXPECT_EQ(wire.disk_available_bytes(), gibibytes(100).count());
  ASSERT_EQ(wire.numa_nodes_size(), 2);
  EXPECT_EQ(wire.numa_nodes(0).ShortDebugString(),
            "memory_bytes: 34359738368 cores: 2 cpu_ids: 0 cpu_ids: 1 cpu_ids: 4 cpu_ids: 5");
  EXPECT_EQ(wire.numa_nodes(1).id(), 1);
  EXPECT_THAT(wire.dedicated_cpu_ids(), testing::ElementsAre(0, 4));
  EXPECT_THAT(wire.shared_cpu_ids(), testing::ElementsAre(1, 5));
  EXPECT_EQ(wire.unpinned_dedicated_vcpus(), 3);
  view.connected = false;
  EXPECT_EQ(to_wire(view).state(), v1::Host::DISCONNECTED);
}

TEST(ToWire, WritesPagesInTheirOrder) {
  controller::Page<controller::ProjectView> page;
  page.items.resize(2);
  page.items[0].project.id = "a";
  page.items[1].project.id = "b";
  page.next_token = "b";
  const v1::ListProjectsResponse wire = to_wire(page);
  ASSERT_EQ(wire.projects_size(), 2);
  EXPECT_EQ(wire.projects(0).name(), "projects/a");
  EXPECT_EQ(wire.projects(1).name(), "projects/b");
  EXPECT_EQ(wire.next_page_token(), "b");
}

TEST(ToWire, WritesLimitsThatAreSetAndAllUse) {
  controller::ProjectView view;
  view.project.limits.instances = 0;
  view.project.limits.vcpus[CpuClass::kDedicatedCore] = VcpuCount(4);
  view.use = {.instances = 2,
              .vcpus = {{CpuClass::kDedicatedCore, VcpuCount(3)}},
              .memory = gibibytes(5),
              .disk = gibibytes(6),
              .addresses = 7};
  const v1::Project wire = to_wire(view);
  EXPECT_TRUE(wire.limits().has_instances());
  EXPECT_EQ(wire.limits().instances(), 0);
  EXPECT_EQ(wire.limits().dedicated_cores(), 4);
  EXPECT_FALSE(wire.limits().has_memory_bytes());
  EXPECT_EQ(wire.use().instances(), 2);
  EXPECT_EQ(wire.use().dedicated_cores(), 3);
  EXPECT_EQ(wire.use().memory_bytes(), gibibytes(5).count());
  EXPECT_EQ(wire.use().disk_bytes(), gibibytes(6).count());
  EXPECT_EQ(wire.use().addresses(), 7);
}

TEST(ToWire, WritesTheTimelineAndTheProtectionOfAnInstance) {
  controller::InstanceView view;
  view.instance.delete_protection = true;
  view.timeline = {{.time = kTime,
                    .type = "InstanceEnded",
                    .reason = "Crashed",
                    .message = "gone",
                    .caller = "root"}};
  const v1::Instance wire = to_wire(view);
  EXPECT_TRUE(wire.delete_protection());
  ASSERT_EQ(wire.timeline_size(), 1);
  EXPECT_EQ(wire.timeline(0).type(), "InstanceEnded");
  EXPECT_EQ(wire.timeline(0).reason(), "Crashed");
  EXPECT_EQ(wire.timeline(0).message(), "gone");
  EXPECT_EQ(wire.timeline(0).caller(), "root");
  EXPECT_EQ(wire.timeline(0).time().seconds(), 1'700'000'000);
}

controller::NetworkView network_view() {
  controller::NetworkView view{.network = {}, .project_id = "p", .ports = 3};
  Network& network = view.network;
  network.uid = NetworkUid(kUid.value());
  network.project = ProjectUid(Uuid({1}));
  network.id = "back";
  network.bridge = "swbr0";
  network.v4 = Subnet{.range = *IpPrefix::parse("10.8.0.0/24"),
                      .gateway = IpAddress::parse("10.8.0.1"),
                      .next = IpAddress::parse("10.8.0.9")};
  network.v6 = Subnet{.range = *IpPrefix::parse("fd00:8::/64"),
                      .gateway = IpAddress::parse("fd00:8::1"),
                      .next = {}};
  network.dns_servers = {*IpAddress::parse("9.9.9.9")};
  network.routes = {{*IpPrefix::parse("192.0.2.0/24"), *IpAddress::parse("10.8.0.7")}};
  network.mtu = 9000;
  network.labels = {{"tier", "back"}};
  network.created_at = kTime;
  network.changed_at = Sequence(42);
  return view;
}

TEST(ToWire, WritesANetwork) {
  const v1::Network wire = to_wire(network_view());
  EXPECT_EQ(wire.name(), "projects/p/networks/back");
  EXPECT_EQ(wire.uid(), kUid.to_string());
  EXPECT_EQ(wire.etag(), "42");
  EXPECT_EQ(wire.create_time().seconds(), 1'700'000'000);
  EXPECT_EQ(wire.state(), v1::Network::ACTIVE);
  EXPECT_EQ(wire.ipv4_subnet(), "10.8.0.0/24");
  EXPECT_EQ(wire.ipv6_subnet(), "fd00:8::/64");
  ASSERT_EQ(wire.gateways_size(), 2);
  EXPECT_EQ(wire.gateways(0), "10.8.0.1");
  EXPECT_EQ(wire.gateways(1), "fd00:8::1");
  EXPECT_FALSE(wire.isolated());
  ASSERT_EQ(wire.dns_servers_size(), 1);
  EXPECT_EQ(wire.dns_servers(0), "9.9.9.9");
  ASSERT_EQ(wire.routes_size(), 1);
  EXPECT_EQ(wire.routes(0).destination(), "192.0.2.0/24");
  EXPECT_EQ(wire.routes(0).next_hop(), "10.8.0.7");
  EXPECT_EQ(wire.mtu_bytes(), 9000);
  EXPECT_EQ(wire.labels().at("tier"), "back");
  EXPECT_EQ(wire.bridge(), "swbr0");
  EXPECT_FALSE(wire.cell_owned());
  EXPECT_EQ(wire.port_count(), 3);
}

TEST(ToWire, TellsNetworksApartThatAreIsolatedTheCellsOrGoing) {
  controller::NetworkView view = network_view();
  view.network.v4->gateway.reset();
  view.network.v6->gateway.reset();
  view.network.state = NetworkState::kDeleting;
  EXPECT_TRUE(to_wire(view).isolated());
  EXPECT_EQ(to_wire(view).state(), v1::Network::DELETING);
  view.network.project = {};
  view.project_id.clear();
  EXPECT_TRUE(to_wire(view).cell_owned());
  EXPECT_EQ(to_wire(view).name(), "projects/-/networks/back");
}

TEST(ToWire, WritesAPageOfNetworks) {
  const controller::Page<controller::NetworkView> page{.items = {network_view(), network_view()},
                                                       .next_token = "p/back"};
  const v1::ListNetworksResponse wire = to_wire(page);
  EXPECT_EQ(wire.networks_size(), 2);
  EXPECT_EQ(wire.next_page_token(), "p/back");
}

TEST(ToWire, WritesEveryAddressOfAPortAndEveryIngressRule) {
  controller::InstanceView view = instance_view();
  view.ports[0].addresses.push_back(*IpAddress::parse("fd00::7"));
  view.instance.ingress = {
      {.protocol = IpProtocol::kTcp, .ports = {80, 443}, .from = *IpPrefix::parse("0.0.0.0/0")},
      {.protocol = IpProtocol::kUdp, .ports = {53, 53}, .from = *IpPrefix::parse("::/0")},
      {.protocol = IpProtocol::kIcmp, .ports = {}, .from = *IpPrefix::parse("::/0")},
      {.protocol = IpProtocol::kAny, .ports = {}, .from = *IpPrefix::parse("192.0.2.0/24")}};
  const v1::Instance wire = to_wire(view);
  const auto& addresses = wire.network_interfaces(0).ip_addresses();
  EXPECT_EQ(std::vector<std::string>(addresses.begin(), addresses.end()),
            (std::vector<std::string>{"10.64.0.7", "fd00::7"}));
  EXPECT_EQ(wire.network_interfaces(0).ip_address(), "10.64.0.7");
  ASSERT_EQ(wire.ingress_rules_size(), 4);
  EXPECT_EQ(wire.ingress_rules(0).protocol(), v1::IngressRule::TCP);
  EXPECT_EQ(wire.ingress_rules(0).first_port(), 80);
  EXPECT_EQ(wire.ingress_rules(0).last_port(), 443);
  EXPECT_EQ(wire.ingress_rules(0).source(), "0.0.0.0/0");
  EXPECT_EQ(wire.ingress_rules(1).protocol(), v1::IngressRule::UDP);
  EXPECT_EQ(wire.ingress_rules(2).protocol(), v1::IngressRule::ICMP);
  EXPECT_EQ(wire.ingress_rules(3).protocol(), v1::IngressRule::ANY);
  EXPECT_EQ(wire.ingress_rules(3).first_port(), 0);
}

TEST(ToWire, WritesTimesBeforeTheEpochRight) {
  controller::ProjectView project;
  project.project.created_at = WallTime(std::chrono::microseconds(-1));
  EXPECT_EQ(to_wire(project).create_time().seconds(), -1);
  EXPECT_EQ(to_wire(project).create_time().nanos(), 999'999'000);
}

TEST(ToWire, WritesEvents) {
  const Event event{.time = kTime,
                    .type = "PhaseChanged",
                    .project_id = "p",
                    .resource = "projects/p/instances/i",
                    .uid = kUid.value(),
                    .reason = "Started",
                    .message = "runs"};
  const v1::Event wire = to_wire(event, Sequence(9));
  EXPECT_EQ(wire.type(), "PhaseChanged");
  EXPECT_EQ(wire.resource(), "projects/p/instances/i");
  EXPECT_EQ(wire.uid(), kUid.to_string());
  EXPECT_EQ(wire.sequence(), 9u);
  EXPECT_EQ(wire.time().seconds(), 1'700'000'000);
}

}  // namespace
}  // namespace stellwerk::convert

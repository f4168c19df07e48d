#include "orchestrator/agent/executor.h"

#include <absl/strings/escaping.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/cpu_list.h"
#include "orchestrator/records/records.h"

namespace stellwerk::agent {
namespace {

using ::testing::ElementsAre;

// One journal for all drivers shows the order of their calls.
using Journal = std::vector<std::string>;

class FakeHypervisor final : public hypervisor::Hypervisor {
 public:
  explicit FakeHypervisor(Journal& journal) : journal_(journal) {}
  absl::StatusOr<std::vector<hypervisor::ObservedDomain>> list() override { return domains; }
  absl::Status start(const hypervisor::DomainSpec& spec) override {
    started = spec;
    journal_.push_back("start");
    if (spec.created) spec.created();
    return absl::OkStatus();
  }
  absl::Status resume(const InstanceUid&) override { return note("resume"); }
  absl::Status request_shutdown(const InstanceUid&) override { return note("shutdown"); }
  absl::Status reboot(const InstanceUid&, const RebootOrder& order) override {
    return note(
        fmt::format("reboot {}{}", order.count, order.kind == RebootKind::kReset ? " hard" : ""));
  }
  absl::Status pin(const InstanceUid&, const hypervisor::CpuPins& pins) override {
    note("pin " + cpu_list_text(pins.emulator)).IgnoreError();
    return pinned;
  }
  absl::Status destroy(const InstanceUid&) override { return note("destroy"); }
  absl::StatusOr<HostFacts> host_facts() override { return HostFacts(); }
  void listen(std::function<void(const hypervisor::DomainEvent&)>) override {}

  absl::StatusOr<std::vector<hypervisor::ObservedDomain>> domains{{}};
  hypervisor::DomainSpec started;
  absl::Status pinned;

 private:
  absl::Status note(std::string call) {
    journal_.push_back(std::move(call));
    return absl::OkStatus();
  }
  Journal& journal_;
};

class FakeStorage final : public storage::Storage {
 public:
  explicit FakeStorage(Journal& journal) : journal_(journal) {}
  absl::StatusOr<std::unique_ptr<storage::ImageUpload>> begin_upload(
      const ImageUid&, std::optional<Bytes>) override {
    return unavailable("not asked for by steps");
  }
  absl::StatusOr<std::unique_ptr<storage::ResumableUpload>> resume_upload(
      const ImageUid&) override {
    return unavailable("not asked for by steps");
  }
  absl::StatusOr<storage::ImageFacts> published(const ImageUid&) override {
    return not_found("no test uploads");
  }
  absl::Status delete_image(const ImageUid&) override { return absl::OkStatus(); }
  absl::Status create_disk(const storage::DiskSpec& spec) override {
    disk = spec;
    journal_.push_back("create-disk");
    return create_disk_result;
  }
  absl::Status create_seed(const storage::SeedSpec& spec) override {
    seed = spec;
    journal_.push_back("create-seed");
    return absl::OkStatus();
  }
  absl::Status mark_started(const InstanceUid&, Generation generation) override {
    journal_.push_back(fmt::format("mark-started {}", generation.value()));
    return absl::OkStatus();
  }
  absl::Status delete_instance(const InstanceUid&) override {
    journal_.push_back("delete-instance");
    return absl::OkStatus();
  }
  absl::StatusOr<storage::Inventory> inventory() override { return stock; }
  Paths paths(const InstanceUid&) const override {
    return {"/disks/disk", ImageFormat::kQcow2, "/disks/seed", "/disks/console"};
  }

  absl::Status create_disk_result;
  absl::StatusOr<storage::Inventory> stock{storage::Inventory()};
  storage::DiskSpec disk;
  storage::SeedSpec seed;

 private:
  Journal& journal_;
};

class FakeNetwork final : public network::Network {
 public:
  explicit FakeNetwork(Journal& journal) : journal_(journal) {}
  absl::Status ensure_bridge(const network::BridgeSpec& bridge) override {
    std::string call = fmt::format("ensure-bridge {} mtu {}", bridge.name, bridge.mtu);
    for (const IpPrefix& address : bridge.addresses) call += " " + address.to_string();
    journal_.push_back(std::move(call));
    return ensure_bridge_result;
  }
  absl::Status require_bridge(const std::string& name) override {
    journal_.push_back("require-bridge " + name);
    return require_bridge_result;
  }
  absl::Status remove_bridge(const std::string& name) override {
    journal_.push_back("remove-bridge " + name);
    return remove_bridge_result;
  }
  absl::StatusOr<std::vector<network::ObservedPort>> ports(const std::string& prefix) override {
    journal_.push_back("ports " + prefix);
    return observed;
  }
  absl::Status remove_port(const std::string& name) override {
    journal_.push_back("remove-port " + name);
    return absl::OkStatus();
  }

  absl::Status ensure_bridge_result;
  absl::Status require_bridge_result;
  absl::Status remove_bridge_result;
  absl::StatusOr<std::vector<network::ObservedPort>> observed{{}};

 private:
  Journal& journal_;
};

class FakeFirewall final : public firewall::Firewall {
 public:
  explicit FakeFirewall(Journal& journal) : journal_(journal) {}
  absl::StatusOr<firewall::Outcome> apply(const firewall::Ruleset& ruleset) override {
    journal_.push_back(fmt::format("guard {} ports", ruleset.ports.size()));
    applied = ruleset;
    return result;
  }
  absl::Status clear() override { return absl::OkStatus(); }

  absl::StatusOr<firewall::Outcome> result{firewall::Outcome::kApplied};
  firewall::Ruleset applied;

 private:
  Journal& journal_;
};

class FakeKeeper final : public ConsoleKeeper {
 public:
  explicit FakeKeeper(Journal& journal) : journal_(journal) {}
  std::string socket_of(const InstanceUid&) const override { return "/consoles/one"; }
  void created(const InstanceUid&) override { journal_.push_back("console-created"); }
  void observed(const std::vector<hypervisor::ObservedDomain>& domains) override {
    journal_.push_back(fmt::format("consoles-observed {}", domains.size()));
  }
  void deleted(const InstanceUid&) override { journal_.push_back("console-deleted"); }

 private:
  Journal& journal_;
};

class ExecutorTest : public ::testing::Test {
 protected:
  ExecutorTest() {
    network_.uid = NetworkUid(Uuid({9}));
    network_.bridge = "stellwerk0";
    network_.v4 = Subnet{.range = *IpPrefix::parse("10.64.0.0/24"),
                         .gateway = IpAddress::parse("10.64.0.1"),
                         .next = {}};
    instance_.uid = InstanceUid(Uuid({0xab, 0xcd}));
    instance_.project = ProjectUid(Uuid({5}));
    instance_.id = "web";
    instance_.generation = Generation(3);
    instance_.run = Generation(3);
    instance_.reboot.count = 2;
    instance_.vcpus = VcpuCount(2);
    instance_.memory = mebibytes(512);
    instance_.image = ImageUid(Uuid({7}));
    instance_.image_format = ImageFormat::kQcow2;
    instance_.boot_disk = gibibytes(5);
    instance_.ports = {{network_.uid, 0x525400000001, {*IpAddress::parse("10.64.0.9")}}};
  }
  Executor executor() {
    return Executor(hypervisor_, storage_, bridges_, firewall_, [this](const InstanceUid& uid) {
      asked_for_user_data_ = uid;
      return user_data_;
    });
  }

  Executor executor_with_consoles() {
    return Executor(
        hypervisor_, storage_, bridges_, firewall_,
        [](const InstanceUid&) { return std::string(); }, &keeper_);
  }

  Journal journal_;
  FakeKeeper keeper_{journal_};
  FakeHypervisor hypervisor_{journal_};
  FakeStorage storage_{journal_};
  FakeNetwork bridges_{journal_};
  FakeFirewall firewall_{journal_};
  absl::StatusOr<std::string> user_data_{"#!/bin/sh\n"};
  std::optional<InstanceUid> asked_for_user_data_;
  Network network_;
  Instance instance_;
};

TEST_F(ExecutorTest, PreparesDiskAndSeed) {
  ASSERT_TRUE(executor().run(PrepareFiles{instance_, {network_}}).ok());
  EXPECT_THAT(journal_, ElementsAre("create-disk", "create-seed"));
  EXPECT_EQ(storage_.disk.instance, instance_.uid);
  EXPECT_EQ(storage_.disk.image, instance_.image);
  EXPECT_EQ(storage_.disk.image_format, ImageFormat::kQcow2);
  EXPECT_EQ(storage_.disk.size, gibibytes(5));
  EXPECT_EQ(storage_.seed.user_data, "#cloud-config\n{}\n");
  EXPECT_EQ(asked_for_user_data_, std::nullopt);
}

TEST_F(ExecutorTest, FetchesUserDataOnlyForTheSeed) {
  instance_.has_user_data = true;
  ASSERT_TRUE(executor().run(PrepareFiles{instance_, {network_}}).ok());
  EXPECT_EQ(asked_for_user_data_, instance_.uid);
  EXPECT_EQ(storage_.seed.user_data, "#!/bin/sh\n");
}

TEST_F(ExecutorTest, MakesNoSeedWithoutTheUserDataThatTheInstanceHas) {
  instance_.has_user_data = true;
  user_data_ = data_loss("gone");
  EXPECT_EQ(executor().run(PrepareFiles{instance_, {network_}}), data_loss("gone"));
  EXPECT_THAT(journal_, ElementsAre("create-disk"));
}

TEST_F(ExecutorTest, StopsAtTheFirstDriverThatFails) {
  storage_.create_disk_result = resource_exhausted("disk full");
  EXPECT_EQ(executor().run(PrepareFiles{instance_, {network_}}), resource_exhausted("disk full"));
  EXPECT_THAT(journal_, ElementsAre("create-disk"));
}

TEST_F(ExecutorTest, StartsADomainOnItsBridge) {
  const CellUid cell(Uuid({1}));
  ASSERT_TRUE(executor().run(StartDomain{cell, instance_, {network_}}).ok());
  EXPECT_THAT(journal_, ElementsAre("ensure-bridge stellwerk0 mtu 1500 10.64.0.1/24", "start"));
  const hypervisor::DomainSpec& spec = hypervisor_.started;
  EXPECT_EQ(spec.vcpus, VcpuCount(2));
  EXPECT_EQ(spec.memory, mebibytes(512));
  EXPECT_EQ(spec.boot_disk.path, "/disks/disk");
  EXPECT_EQ(spec.seed_path, "/disks/seed");
  EXPECT_EQ(spec.console_socket, "");
  ASSERT_EQ(spec.ports.size(), 1u);
  EXPECT_EQ(spec.ports[0].mac, 0x525400000001u);
  EXPECT_EQ(spec.ports[0].bridge, "stellwerk0");
  EXPECT_EQ(spec.ports[0].interface_name, "swabcd00000000");
  EXPECT_EQ(spec.owner.cell, cell);
  EXPECT_EQ(spec.owner.instance, instance_.uid);
  EXPECT_EQ(spec.owner.run, Generation(3));
  EXPECT_EQ(spec.owner.reboot_count, 2u);
  EXPECT_EQ(spec.owner.instance_id, "web");
  EXPECT_EQ(spec.owner.project_id, instance_.project.to_string());
}

TEST_F(ExecutorTest, HasTheConsoleOpenedBeforeAGuestRuns) {
  instance_.ports.clear();
  ASSERT_TRUE(executor_with_consoles().run(StartDomain{CellUid(), instance_, {}}).ok());
  EXPECT_EQ(hypervisor_.started.console_socket, "/consoles/one");
  ASSERT_TRUE(executor_with_consoles().run(ResumeDomain{instance_.uid}).ok());
  EXPECT_THAT(journal_, ElementsAre("start", "console-created", "console-created", "resume"));
}

TEST_F(ExecutorTest, ShowsTheKeeperOfConsolesWhatRunsAndWhatGoes) {
  hypervisor_.domains->resize(2);
  ASSERT_TRUE(executor_with_consoles().observe({}).ok());
  ASSERT_TRUE(executor_with_consoles().run(DeleteFiles{instance_.uid}).ok());
  EXPECT_THAT(journal_, ::testing::IsSupersetOf({"consoles-observed 2", "console-deleted"}));
  EXPECT_EQ(journal_.back(), "delete-instance");
}

TEST_F(ExecutorTest, StartsADomainWithTheFirmwareOfItsImage) {
  ASSERT_TRUE(executor().run(StartDomain{CellUid(), instance_, {network_}}).ok());
  EXPECT_EQ(hypervisor_.started.firmware, Firmware::kBios);
  instance_.firmware = Firmware::kUefi;
  ASSERT_TRUE(executor().run(StartDomain{CellUid(), instance_, {network_}}).ok());
  EXPECT_EQ(hypervisor_.started.firmware, Firmware::kUefi);
}

TEST_F(ExecutorTest, WritesEnoughIntoADomainToAdoptIt) {
  ASSERT_TRUE(executor().run(StartDomain{CellUid(), instance_, {network_}}).ok());
  std::string bytes;
  ASSERT_TRUE(absl::Base64Unescape(to_absl(hypervisor_.started.owner.adoption), &bytes));
  EXPECT_EQ(bytes, records::encode(instance_));
}

TEST_F(ExecutorTest, StartsADomainWithoutANetwork) {
  instance_.ports.clear();
  ASSERT_TRUE(executor().run(StartDomain{CellUid(), instance_, {}}).ok());
  EXPECT_THAT(journal_, ElementsAre("start"));
  EXPECT_TRUE(hypervisor_.started.ports.empty());
}

TEST_F(ExecutorTest, LeavesBridgesToTheirOwnerWhenToldTo) {
  network_.make_bridge = false;
  ASSERT_TRUE(executor().run(StartDomain{CellUid(), instance_, {network_}}).ok());
  EXPECT_THAT(journal_, ElementsAre("require-bridge stellwerk0", "start"));
}

TEST_F(ExecutorTest, SaysWhichNetworkWantsABridgeThatIsNotThere) {
  network_.id = "back";
  network_.make_bridge = false;
  bridges_.require_bridge_result = not_found("this host has no bridge stellwerk0");
  const absl::Status status = executor().run(StartDomain{CellUid(), instance_, {network_}});
  EXPECT_EQ(message_of(status), "network back: this host has no bridge stellwerk0");
  EXPECT_THAT(journal_, ElementsAre("require-bridge stellwerk0"));
}

TEST_F(ExecutorTest, StartsNothingWithoutTheBridge) {
  bridges_.ensure_bridge_result = failed_precondition("not a bridge");
  EXPECT_FALSE(executor().run(StartDomain{CellUid(), instance_, {network_}}).ok());
  EXPECT_THAT(journal_, ElementsAre("ensure-bridge stellwerk0 mtu 1500 10.64.0.1/24"));
}

TEST_F(ExecutorTest, StartsNothingOnANetworkThatTheOrdersDoNotName) {
  const absl::Status status = executor().run(StartDomain{CellUid(), instance_, {}});
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(journal_.empty());
}

TEST_F(ExecutorTest, CarriesOutEveryOtherStepOnItsDriver) {
  const InstanceUid uid = instance_.uid;
  Executor executor = this->executor();
  for (const Step& step :
       std::vector<Step>{MarkStarted{uid, Generation(4)}, ResumeDomain{uid}, RequestShutdown{uid},
                         RebootDomain{uid, {.count = 3, .kind = RebootKind::kReset}},
                         DestroyDomain{uid}, RemovePort{uid, "swabcd00000000"}, DeleteFiles{uid}}) {
    EXPECT_TRUE(executor.run(step).ok());
  }
  EXPECT_THAT(journal_, ElementsAre("mark-started 4", "resume", "shutdown", "reboot 3 hard",
                                    "destroy", "remove-port swabcd00000000", "delete-instance"));
}

TEST_F(ExecutorTest, ObservesDomainsFilesAndOurPorts) {
  hypervisor_.domains->resize(2);
  storage_.stock->images = {instance_.image};
  bridges_.observed->push_back({"swabcd00000000", "stellwerk0"});
  const auto seen = executor().observe({});
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(seen->domains.size(), 2u);
  EXPECT_EQ(seen->storage.images, storage_.stock->images);
  EXPECT_EQ(seen->ports, *bridges_.observed);
  EXPECT_THAT(journal_, ElementsAre("ports sw"));
}

TEST_F(ExecutorTest, GivesEveryPortItsOwnBridgeInterfaceAndMtu) {
  network_.mtu = 9000;
  network_.v6 = Subnet{.range = *IpPrefix::parse("fd00:64::/64"),
                       .gateway = IpAddress::parse("fd00:64::1"),
                       .next = {}};
  Network isolated = network_;
  isolated.uid = NetworkUid(Uuid({10}));
  isolated.bridge = "swbr1";
  isolated.mtu = 1400;
  isolated.v4->gateway.reset();
  isolated.v6->gateway.reset();
  instance_.ports.push_back({isolated.uid, 0x525400000002, {}});
  ASSERT_TRUE(executor().run(StartDomain{CellUid(), instance_, {network_, isolated}}).ok());
  EXPECT_THAT(journal_, ElementsAre("ensure-bridge stellwerk0 mtu 9000 10.64.0.1/24 fd00:64::1/64",
                                    "ensure-bridge swbr1 mtu 1400", "start"));
  const auto& ports = hypervisor_.started.ports;
  ASSERT_EQ(ports.size(), 2u);
  EXPECT_EQ(ports[0].mtu, 9000);
  EXPECT_EQ(ports[1].mac, 0x525400000002u);
  EXPECT_EQ(ports[1].bridge, "swbr1");
  EXPECT_EQ(ports[1].interface_name, "swabcd000000001");
  EXPECT_EQ(ports[1].mtu, 1400);
}

TEST_F(ExecutorTest, GuardsBeforeItLooks) {
  HostUpkeep upkeep;
  upkeep.guards = firewall::Ruleset{.port_prefix = "sw", .networks = {}, .ports = {{}, {}}};
  const auto seen = executor().observe(upkeep);
  ASSERT_TRUE(seen.ok());
  EXPECT_THAT(journal_, ElementsAre("guard 2 ports", "ports sw"));
  EXPECT_EQ(firewall_.applied, *upkeep.guards);
  EXPECT_EQ(seen->guards, *upkeep.guards);
  EXPECT_TRUE(seen->guarding.ok());
}

TEST_F(ExecutorTest, TellsThatTheFirewallWasMended) {
  HostUpkeep upkeep;
  upkeep.guards = firewall::Ruleset{.port_prefix = "sw", .networks = {}, .ports = {}};
  EXPECT_FALSE(executor().observe(upkeep)->guards_mended);
  firewall_.result = firewall::Outcome::kMended;
  EXPECT_TRUE(executor().observe(upkeep)->guards_mended);
}

TEST_F(ExecutorTest, TellsThatTheFirewallFailedAndSeesAllTheSame) {
  firewall_.result = permission_denied("not root");
  hypervisor_.domains->resize(1);
  HostUpkeep upkeep;
  upkeep.guards = firewall::Ruleset{.port_prefix = "sw", .networks = {}, .ports = {{}}};
  const auto seen = executor().observe(upkeep);
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(seen->guarding, permission_denied("not root"));
  EXPECT_EQ(seen->guards, firewall::Ruleset()) << "what failed was called in force";
  EXPECT_EQ(seen->domains.size(), 1u);
}

TEST_F(ExecutorTest, TakesBridgesAwayAndTellsWhichAreGone) {
  HostUpkeep upkeep;
  upkeep.networks_to_remove = {network_};
  auto seen = executor().observe(upkeep);
  ASSERT_TRUE(seen.ok());
  EXPECT_THAT(journal_, ElementsAre("remove-bridge stellwerk0", "ports sw"));
  EXPECT_THAT(seen->networks_gone, ElementsAre(network_.uid));
  bridges_.remove_bridge_result = failed_precondition("a port hangs on it");
  seen = executor().observe(upkeep);
  ASSERT_TRUE(seen.ok());
  EXPECT_TRUE(seen->networks_gone.empty());
}

TEST_F(ExecutorTest, SeesNothingWhenOneDriverCannotSee) {
  hypervisor_.domains = unavailable("libvirt is away");
  EXPECT_EQ(executor().observe({}).status(), unavailable("libvirt is away"));
  hypervisor_.domains = std::vector<hypervisor::ObservedDomain>();
  storage_.stock = unavailable("disk is away");
  EXPECT_EQ(executor().observe({}).status(), unavailable("disk is away"));
  storage_.stock = storage::Inventory();
  bridges_.observed = unavailable("netlink is away");
  EXPECT_EQ(executor().observe({}).status(), unavailable("netlink is away"));
}

TEST_F(ExecutorTest, StartsADedicatedGuestOnItsProcessors) {
  instance_.claim.cpus = {2, 6, 3, 7};
  instance_.claim.numa_nodes = {1};
  ASSERT_TRUE(executor().run(StartDomain{CellUid(Uuid({1})), instance_, {network_}, {0, 4}}).ok());
  EXPECT_EQ(hypervisor_.started.pins, (hypervisor::CpuPins{{{2, 6}, {3, 7}}, {0, 4}}));
  EXPECT_THAT(hypervisor_.started.memory_nodes, ElementsAre(1));
}

TEST_F(ExecutorTest, StartsASharedGuestOnWhatIsShared) {
  ASSERT_TRUE(executor().run(StartDomain{CellUid(Uuid({1})), instance_, {network_}, {0, 4}}).ok());
  EXPECT_EQ(hypervisor_.started.pins, (hypervisor::CpuPins{{{0, 4}, {0, 4}}, {0, 4}}));
  EXPECT_TRUE(hypervisor_.started.memory_nodes.empty());
  ASSERT_TRUE(executor().run(StartDomain{CellUid(Uuid({1})), instance_, {network_}, {}}).ok());
  EXPECT_EQ(hypervisor_.started.pins, std::nullopt);
}

TEST_F(ExecutorTest, PinsADomainUnlessItHasEnded) {
  const PinDomain step{instance_.uid, {{{1}}, {0, 2}}};
  EXPECT_TRUE(executor().run(step).ok());
  EXPECT_THAT(journal_, ElementsAre("pin 0,2"));
  hypervisor_.pinned = not_found("gone");
  EXPECT_TRUE(executor().run(step).ok());
  hypervisor_.pinned = unavailable("no");
  EXPECT_EQ(executor().run(step), unavailable("no"));
}

}  // namespace
}  // namespace stellwerk::agent

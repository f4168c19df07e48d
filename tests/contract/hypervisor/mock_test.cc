// The driver on libvirt's own mock, test:///default, which lives in this process and has a domain
// "test" that is nobody's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libvirt/libvirt.h>

#include <filesystem>
#include <fstream>

#include "drivers/hypervisor/libvirt/domain_xml.h"
#include "drivers/hypervisor/libvirt/handles.h"
#include "drivers/hypervisor/libvirt/libvirt_hypervisor.h"
#include "listener.h"

namespace stellwerk::hypervisor {
namespace {

using ::testing::HasSubstr;

constexpr char kUri[] = "test:///default";
const CellUid kCell = *CellUid::parse("11111111-2222-4333-8444-555555555555");
const CellUid kOtherCell = *CellUid::parse("99999999-2222-4333-8444-555555555555");
const InstanceUid kInstance = *InstanceUid::parse("aaaaaaaa-bbbb-5ccc-8ddd-eeeeeeeeeeee");

LibvirtConfig config() {
  LibvirtConfig config;
  config.uri = kUri;
  config.cell = kCell;
  config.accelerator.mode = AcceleratorMode::kTcg;
  return config;
}

Ownership owner() {
  Ownership owner;
  owner.cell = kCell;
  owner.instance = kInstance;
  owner.run = Generation(5);
  owner.project_id = "default";
  owner.instance_id = "web-1";
  owner.adoption = "decided";
  return owner;
}

class LibvirtMock : public ::testing::Test {
 protected:
  LibvirtMock() {
    auto driver = LibvirtHypervisor::connect(config());
    EXPECT_TRUE(driver.ok()) << describe(driver.status());
    driver_ = *std::move(driver);
    raw_ = virConnectOpen(kUri);
  }
  ~LibvirtMock() override {
    driver_.reset();
    virConnectClose(raw_);
  }

  // The mock takes domains of its own type only.
  DomainHandle create(const Uuid& uuid, const std::string& metadata) {
    const std::string xml = fmt::format(
        "<domain type='test'><name>d-{0}</name><uuid>{0}</uuid><metadata>{1}</metadata>"
        "<memory>65536</memory><vcpu>2</vcpu><os><type>hvm</type></os></domain>",
        uuid.to_string(), metadata);
    return DomainHandle(virDomainCreateXML(raw_, xml.c_str(), 0));
  }
  DomainHandle create(const Ownership& owner) {
    return create(owner.instance.value(), ownership_xml(owner, NameSpace::kDeclared));
  }

  ObservedDomain find(const Uuid& uuid) {
    const auto domains = driver_->list();
    EXPECT_TRUE(domains.ok()) << describe(domains.status());
    for (const ObservedDomain& domain : *domains) {
      if (domain.uuid == uuid) return domain;
    }
    ADD_FAILURE() << uuid.to_string() << " is not listed";
    return {};
  }

  void expect_untouchable(const Uuid& uuid) {
    const ObservedDomain before = find(uuid);
    EXPECT_EQ(before.owner, std::nullopt);
    const InstanceUid instance(uuid);
    DomainSpec spec;
    spec.owner = owner();
    spec.owner.instance = instance;
    EXPECT_TRUE(absl::IsPermissionDenied(driver_->start(spec)));
    EXPECT_TRUE(absl::IsPermissionDenied(driver_->resume(instance)));
    EXPECT_TRUE(absl::IsPermissionDenied(driver_->request_shutdown(instance)));
    EXPECT_TRUE(absl::IsPermissionDenied(driver_->reboot(instance, {.count = 1})));
    EXPECT_TRUE(absl::IsPermissionDenied(driver_->destroy(instance)));
    EXPECT_EQ(find(uuid).state, before.state);
  }

  std::unique_ptr<LibvirtHypervisor> driver_;
  virConnectPtr raw_ = nullptr;
};

TEST_F(LibvirtMock, ListsForeignDomainsWithTheirSizeAndTouchesNone) {
  const auto domains = driver_->list();
  ASSERT_TRUE(domains.ok()) << describe(domains.status());
  ASSERT_EQ(domains->size(), 1u);
  EXPECT_EQ(domains->front().name, "test");
  EXPECT_EQ(domains->front().state, DomainState::kRunning);
  EXPECT_EQ(domains->front().vcpus, VcpuCount(2));
  EXPECT_EQ(domains->front().memory, gibibytes(8));
  expect_untouchable(domains->front().uuid);
}

TEST_F(LibvirtMock, TouchesNoDomainOfAnotherCell) {
  Ownership foreign = owner();
  foreign.cell = kOtherCell;
  ASSERT_TRUE(create(foreign));
  expect_untouchable(kInstance.value());
}

TEST_F(LibvirtMock, TouchesNoDomainWithMetadataItCannotRead) {
  std::string metadata = ownership_xml(owner(), NameSpace::kDeclared);
  metadata.replace(metadata.find("5</"), 1, "five");
  ASSERT_TRUE(create(kInstance.value(), metadata));
  expect_untouchable(kInstance.value());
}

TEST_F(LibvirtMock, TouchesNoDomainWithAnotherDomainsMetadata) {
  const Uuid copy = *Uuid::parse("aaaaaaaa-bbbb-5ccc-8ddd-000000000001");
  ASSERT_TRUE(create(copy, ownership_xml(owner(), NameSpace::kDeclared)));
  expect_untouchable(copy);
}

TEST_F(LibvirtMock, ListsOursOrderedByUuidWithWhatAdoptsThem) {
  Ownership first = owner();
  first.instance = *InstanceUid::parse("00000000-bbbb-5ccc-8ddd-000000000001");
  ASSERT_TRUE(create(owner()));
  ASSERT_TRUE(create(first));
  const auto domains = driver_->list();
  ASSERT_TRUE(domains.ok());
  ASSERT_EQ(domains->size(), 3u);
  EXPECT_TRUE(std::is_sorted(domains->begin(), domains->end(),
                             [](const auto& a, const auto& b) { return a.uuid < b.uuid; }));
  EXPECT_EQ(domains->front().owner, first);
  EXPECT_EQ(find(kInstance.value()).owner, owner());
}

TEST_F(LibvirtMock, ResumesAndDestroysWhatIsOurs) {
  const DomainHandle domain = create(owner());
  ASSERT_TRUE(domain);
  ASSERT_EQ(virDomainSuspend(domain.get()), 0);
  EXPECT_EQ(find(kInstance.value()).state, DomainState::kPaused);
  EXPECT_TRUE(driver_->resume(kInstance).ok());
  EXPECT_EQ(find(kInstance.value()).state, DomainState::kRunning);
  EXPECT_TRUE(driver_->destroy(kInstance).ok());
  EXPECT_EQ(driver_->list()->size(), 1u);
  EXPECT_TRUE(driver_->destroy(kInstance).ok());
  EXPECT_TRUE(absl::IsNotFound(driver_->resume(kInstance)));
}

TEST_F(LibvirtMock, TellsHowADomainEnded) {
  Listener listener(*driver_);
  const DomainHandle domain = create(owner());
  ASSERT_EQ(virDomainDestroy(domain.get()), 0);
  EXPECT_EQ(listener.end_of(kInstance.value()), DomainEnd::kDestroyed);
}

TEST_F(LibvirtMock, TellsNothingToAListenerThatWasTakenAway) {
  auto gone = std::make_unique<Listener>(*driver_);
  gone.reset();
  Listener listener(*driver_);
  const DomainHandle domain = create(owner());
  EXPECT_TRUE(listener.was_told_to_look(kInstance.value()));
}

TEST_F(LibvirtMock, TakesAProcessPastLibvirtForARunningInstance) {
  const std::string proc = ::testing::TempDir() + "/stellwerk-proc-" + std::to_string(getpid());
  std::filesystem::create_directories(proc + "/2147483647");
  const std::string text = kInstance.to_string();
  std::ofstream(proc + "/2147483647/cmdline", std::ios::binary)
      << "/usr/bin/qemu-system-x86_64" << '\0' << "-uuid" << '\0' << text << '\0';
  LibvirtConfig other = config();
  other.proc_root = proc;
  const auto driver = LibvirtHypervisor::connect(other);
  ASSERT_TRUE(driver.ok());
  DomainSpec spec;
  spec.owner = owner();
  const absl::Status started = (*driver)->start(spec);
  EXPECT_TRUE(absl::IsAlreadyExists(started)) << describe(started);
  EXPECT_THAT(std::string(message_of(started)), HasSubstr("process 2147483647"));
  EXPECT_TRUE(absl::IsFailedPrecondition((*driver)->destroy(kInstance)));
  std::filesystem::remove_all(proc);
}

TEST_F(LibvirtMock, LeavesNothingWhenADomainIsRefused) {
  DomainSpec spec;
  spec.owner = owner();
  EXPECT_TRUE(absl::IsInvalidArgument(driver_->start(spec)));  // no processor
  spec.vcpus = VcpuCount(1);
  spec.memory = mebibytes(64);
  spec.boot_disk.path = "/disk";
  EXPECT_FALSE(driver_->start(spec).ok());  // the mock runs no QEMU
  EXPECT_EQ(driver_->list()->size(), 1u);
}

TEST(LibvirtConnect, RefusesAUriThatCannotBeOne) {
  LibvirtConfig bad = config();
  bad.uri = "qemu+pigeon:///system";
  EXPECT_TRUE(absl::IsInvalidArgument(LibvirtHypervisor::connect(bad).status()));
}

TEST(LibvirtConnect, RefusesToOwnDomainsWithoutACell) {
  LibvirtConfig bad = config();
  bad.cell = CellUid();
  EXPECT_TRUE(absl::IsInvalidArgument(LibvirtHypervisor::connect(bad).status()));
}

TEST(LibvirtConnect, SaysUnknownWhileNobodyListens) {
  LibvirtConfig away = config();
  away.uri = "qemu+unix:///system?socket=/nonexistent/libvirt-sock";
  const auto driver = LibvirtHypervisor::connect(away);
  ASSERT_TRUE(driver.ok()) << describe(driver.status());
  const auto domains = (*driver)->list();
  EXPECT_TRUE(absl::IsUnavailable(domains.status())) << describe(domains.status());
  EXPECT_THAT(std::string(message_of(domains.status())), HasSubstr("/nonexistent/libvirt-sock"));
}

TEST_F(LibvirtMock, TellsTheTopologyOfItsMachine) {
  const auto facts = driver_->host_facts();
  ASSERT_TRUE(facts.ok()) << describe(facts.status());
  ASSERT_EQ(facts->numa.size(), 2u);
  EXPECT_EQ(facts->numa[1].id, 1);
  EXPECT_EQ(facts->numa[1].memory, gibibytes(4));
  EXPECT_EQ(facts->numa[1].cores.front(), (HostCore{{8}}));
  EXPECT_EQ(facts->cores, 16);
  EXPECT_EQ(facts->threads, 16);
}

TEST_F(LibvirtMock, PinsItsDomainAndSeesIt) {
  const DomainHandle domain = create(owner());
  ASSERT_TRUE(domain);
  const CpuPins pins{{{3}, {8, 9}}, {0, 1}};
  const absl::Status pinned = driver_->pin(kInstance, pins);
  ASSERT_TRUE(pinned.ok()) << describe(pinned);
  EXPECT_EQ(find(kInstance.value()).pins, pins);
  Ownership foreign = owner();
  foreign.cell = kOtherCell;
  foreign.instance = *InstanceUid::parse("aaaaaaaa-bbbb-5ccc-8ddd-ffffffffffff");
  const DomainHandle other = create(foreign);
  EXPECT_TRUE(absl::IsPermissionDenied(driver_->pin(foreign.instance, pins)));
  EXPECT_EQ(find(foreign.instance.value()).pins, std::nullopt);
  virDomainDestroy(other.get());
  virDomainDestroy(domain.get());
}

}  // namespace
}  // namespace stellwerk::hypervisor

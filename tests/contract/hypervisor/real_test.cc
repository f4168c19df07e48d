// The driver on a real libvirtd and real QEMU under TCG, in a sandbox of their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libvirt/libvirt.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "core/failpoint.h"
#include "drivers/hypervisor/libvirt/domain_xml.h"
#include "drivers/hypervisor/libvirt/handles.h"
#include "drivers/hypervisor/libvirt/libvirt_hypervisor.h"
#include "drivers/hypervisor/libvirt/process_table.h"
#include "guests.h"
#include "libvirtd.h"
#include "listener.h"
#include "sandbox.h"
#include "waiting.h"

namespace stellwerk::hypervisor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int kSkipped = 77;
const CellUid kCell = *CellUid::parse("11111111-2222-4333-8444-555555555555");
const CellUid kOtherCell = *CellUid::parse("99999999-2222-4333-8444-555555555555");

// What a failpoint does in the present test; set and read under a lock, as driver threads call it.
class Failpoints {
 public:
  void on(std::function<void(std::string_view)> action) {
    const std::lock_guard lock(mutex_);
    action_ = std::move(action);
  }
  void pass(std::string_view name) {
    const std::lock_guard lock(mutex_);
    if (action_) action_(name);
  }

 private:
  std::mutex mutex_;
  std::function<void(std::string_view)> action_;
};

Failpoints& failpoints() {
  static Failpoints instance;
  return instance;
}

std::unique_ptr<Libvirtd>& libvirtd() {
  static std::unique_ptr<Libvirtd> instance;
  return instance;
}

LibvirtConfig config() {
  LibvirtConfig config;
  config.cell = kCell;
  config.accelerator.mode = AcceleratorMode::kTcg;
  config.deadlines.observe = std::chrono::seconds(10);
  config.connection.first_backoff = std::chrono::milliseconds(20);
  config.connection.longest_backoff = std::chrono::milliseconds(200);
  config.connection.keepalive_seconds = 1;
  config.connection.keepalive_count = 2;
  return config;
}

class LibvirtReal : public testing::Test {
 protected:
  LibvirtReal() {
    static int tests = 0;
    ++tests;
    directory_ = fmt::format("{}/{}", kSandboxFiles, tests);
    std::filesystem::create_directories(directory_);
    spec_.owner.cell = kCell;
    spec_.owner.instance = instance(tests);
    spec_.owner.generation = Generation(1);
    spec_.owner.project_id = "default";
    spec_.owner.instance_id = "web-1";
    spec_.owner.adoption = "what the cell decided, \"quoted\" <&>";
    spec_.vcpus = VcpuCount(1);
    spec_.memory = mebibytes(32);
    spec_.boot_disk = {directory_ + "/disk.raw", ImageFormat::kRaw};
    spec_.console_log = directory_ + "/console.log";
    write_disk(spec_.boot_disk.path, obedient_guest());
    auto driver = LibvirtHypervisor::connect(config());
    EXPECT_TRUE(driver.ok()) << describe(driver.status());
    driver_ = *std::move(driver);
  }

  ~LibvirtReal() override {
    failpoints().on({});
    const auto domains = driver_->list();
    EXPECT_TRUE(domains.ok());
    for (const ObservedDomain& domain : *domains) {
      DomainHandle handle(virDomainLookupByUUID(raw(), domain.uuid.bytes().data()));
      virDomainDestroy(handle.get());
    }
    if (raw_ != nullptr) virConnectClose(raw_);
  }

  static InstanceUid instance(int number) {
    return *InstanceUid::parse(fmt::format("aaaaaaaa-bbbb-5ccc-8ddd-{:012}", number));
  }

  // libvirt past the driver, as an operator has it.
  virConnectPtr raw() {
    if (raw_ == nullptr) raw_ = virConnectOpen("qemu:///system");
    return raw_;
  }
  DomainHandle raw_domain(const Uuid& uuid) {
    return DomainHandle(virDomainLookupByUUID(raw(), uuid.bytes().data()));
  }
  DomainHandle create_by_hand(const DomainSpec& spec) {
    const auto xml = domain_xml(spec, Accelerator::kTcg);
    return DomainHandle(virDomainCreateXML(raw(), xml->c_str(), 0));
  }

  const InstanceUid& me() const { return spec_.owner.instance; }
  std::vector<pid_t> processes() const { return *find_qemu("/proc", me().value()); }
  std::vector<ObservedDomain> listed() {
    const auto domains = driver_->list();
    EXPECT_TRUE(domains.ok()) << describe(domains.status());
    return domains.ok() ? *domains : std::vector<ObservedDomain>();
  }
  DomainState state() {
    const auto domains = listed();
    EXPECT_EQ(domains.size(), 1u);
    return domains.empty() ? DomainState::kCrashed : domains.front().state;
  }

  int greetings() const {
    std::ifstream file(spec_.console_log);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    int count = 0;
    for (size_t at = text.find(kGreeting); at != std::string::npos; ++count) {
      at = text.find(kGreeting, at + 1);
    }
    return count;
  }
  void start_and_wait_for_greeting() {
    const absl::Status started = driver_->start(spec_);
    ASSERT_TRUE(started.ok()) << describe(started);
    ASSERT_TRUE(eventually([this] { return greetings() == 1; }));
  }
  void wait_for_connection() {
    ASSERT_TRUE(eventually([this] { return driver_->list().ok(); }));
  }

  void expect_untouchable(const InstanceUid& instance) {
    const auto before = listed();
    DomainSpec spec = spec_;
    spec.owner.instance = instance;
    EXPECT_TRUE(absl::IsPermissionDenied(driver_->start(spec)));
    EXPECT_TRUE(absl::IsPermissionDenied(driver_->resume(instance)));
    EXPECT_TRUE(absl::IsPermissionDenied(driver_->request_shutdown(instance)));
    EXPECT_TRUE(absl::IsPermissionDenied(driver_->reboot(instance, {.count = 1, .hard = true})));
    EXPECT_TRUE(absl::IsPermissionDenied(driver_->destroy(instance)));
    const auto after = listed();
    ASSERT_EQ(after.size(), before.size());
    EXPECT_EQ(after.front().state, before.front().state);
    EXPECT_EQ(after.front().owner, before.front().owner);
  }

  std::string directory_;
  DomainSpec spec_;
  std::unique_ptr<LibvirtHypervisor> driver_;
  virConnectPtr raw_ = nullptr;
};

TEST_F(LibvirtReal, BootsAGuestFromItsDiskAndListsWhatItNeedsToBeAdopted) {
  start_and_wait_for_greeting();
  const auto domains = listed();
  ASSERT_EQ(domains.size(), 1u);
  EXPECT_EQ(domains[0].uuid, me().value());
  EXPECT_EQ(domains[0].name, domain_name(me()));
  EXPECT_EQ(domains[0].owner, spec_.owner);
  EXPECT_EQ(domains[0].state, DomainState::kRunning);
  EXPECT_EQ(domains[0].vcpus, VcpuCount(1));
  EXPECT_EQ(domains[0].memory, mebibytes(32));
  EXPECT_EQ(virDomainIsPersistent(raw_domain(me().value()).get()), 0);
}

TEST_F(LibvirtReal, AnotherDriverAdoptsARunningGuest) {
  start_and_wait_for_greeting();
  driver_.reset();
  driver_ = *LibvirtHypervisor::connect(config());
  const auto domains = listed();
  ASSERT_EQ(domains.size(), 1u);
  EXPECT_EQ(domains[0].owner, spec_.owner);
  EXPECT_TRUE(driver_->destroy(me()).ok());
}

TEST_F(LibvirtReal, ADomainIsPausedUntilItIsReleased) {
  std::vector<std::string> passed;
  DomainState when_defined = DomainState::kCrashed;
  failpoints().on([&](std::string_view name) {
    passed.emplace_back(name);
    if (name == "hypervisor.define.after") when_defined = state();
  });
  ASSERT_TRUE(driver_->start(spec_).ok());
  EXPECT_EQ(when_defined, DomainState::kPaused);
  EXPECT_EQ(state(), DomainState::kRunning);
  EXPECT_THAT(passed, ElementsAre("hypervisor.define.before", "hypervisor.define.after",
                                  "hypervisor.resume.before", "hypervisor.resume.after"));
}

TEST_F(LibvirtReal, StartingTwiceKeepsTheOneProcess) {
  ASSERT_TRUE(driver_->start(spec_).ok());
  const auto before = processes();
  EXPECT_TRUE(driver_->start(spec_).ok());
  EXPECT_EQ(before.size(), 1u);
  EXPECT_EQ(processes(), before);
}

TEST_F(LibvirtReal, StartsThatRaceAllEndWithTheOneProcess) {
  std::vector<absl::Status> results(6);
  std::vector<std::thread> threads;
  for (absl::Status& result : results) {
    threads.emplace_back([&] { result = driver_->start(spec_); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& result : results) EXPECT_TRUE(result.ok()) << describe(result);
  EXPECT_EQ(processes().size(), 1u);
  EXPECT_EQ(state(), DomainState::kRunning);
}

TEST_F(LibvirtReal, ResumesAPausedGuest) {
  ASSERT_TRUE(driver_->start(spec_).ok());
  const DomainHandle domain = raw_domain(me().value());
  ASSERT_EQ(virDomainSuspend(domain.get()), 0);
  EXPECT_EQ(state(), DomainState::kPaused);
  EXPECT_TRUE(driver_->resume(me()).ok());
  EXPECT_EQ(state(), DomainState::kRunning);
  ASSERT_EQ(virDomainSuspend(domain.get()), 0);
  EXPECT_TRUE(driver_->start(spec_).ok());
  EXPECT_EQ(state(), DomainState::kRunning);
}

TEST_F(LibvirtReal, DestroyReturnsWhenTheProcessIsGone) {
  Listener listener(*driver_);
  start_and_wait_for_greeting();
  ASSERT_EQ(processes().size(), 1u);
  EXPECT_TRUE(driver_->destroy(me()).ok());
  EXPECT_TRUE(processes().empty());
  EXPECT_TRUE(listed().empty());
  EXPECT_EQ(listener.end_of(me().value()), DomainEnd::kDestroyed);
  EXPECT_TRUE(driver_->destroy(me()).ok());
}

TEST_F(LibvirtReal, NothingRunsSoNothingCanBeAsked) {
  EXPECT_TRUE(absl::IsNotFound(driver_->resume(me())));
  EXPECT_TRUE(absl::IsNotFound(driver_->request_shutdown(me())));
  EXPECT_TRUE(absl::IsNotFound(driver_->reboot(me(), {.count = 1})));
  EXPECT_TRUE(driver_->destroy(me()).ok());
}

TEST_F(LibvirtReal, ShutdownAsksTheGuestByAcpi) {
  Listener listener(*driver_);
  start_and_wait_for_greeting();
  EXPECT_TRUE(driver_->request_shutdown(me()).ok());
  EXPECT_EQ(listener.end_of(me().value()), DomainEnd::kShutDownByGuest);
  EXPECT_TRUE(listed().empty());
}

TEST_F(LibvirtReal, SoftRebootBootsTheSameProcessAgainAndIsRecordedOnce) {
  start_and_wait_for_greeting();
  const auto before = processes();
  ASSERT_TRUE(driver_->reboot(me(), {.count = 1}).ok());
  EXPECT_TRUE(eventually([this] { return greetings() == 2; }));
  EXPECT_EQ(processes(), before);
  ASSERT_EQ(listed().size(), 1u);
  Ownership recorded = spec_.owner;
  recorded.reboot_count = 1;
  EXPECT_EQ(listed()[0].owner, recorded);

  std::vector<std::string> passed;
  failpoints().on([&passed](std::string_view name) { passed.emplace_back(name); });
  EXPECT_TRUE(driver_->reboot(me(), {.count = 1}).ok());
  EXPECT_THAT(passed, ElementsAre());
}

TEST_F(LibvirtReal, HardRebootResetsAGuestThatDoesNotListen) {
  start_and_wait_for_greeting();
  EXPECT_TRUE(driver_->reboot(me(), {.count = 7, .hard = true}).ok());
  EXPECT_TRUE(eventually([this] { return greetings() == 2; }));
  ASSERT_EQ(listed().size(), 1u);
  EXPECT_EQ(listed()[0].owner->reboot_count, 7u);
}

TEST_F(LibvirtReal, AKilledQemuIsACrash) {
  Listener listener(*driver_);
  start_and_wait_for_greeting();
  kill(processes().at(0), SIGKILL);
  EXPECT_EQ(listener.end_of(me().value()), DomainEnd::kCrashed);
}

TEST_F(LibvirtReal, AQemuEndedByTheHostIsNotAGuestThatWantedToStop) {
  Listener listener(*driver_);
  start_and_wait_for_greeting();
  kill(processes().at(0), SIGTERM);
  EXPECT_EQ(listener.end_of(me().value()), DomainEnd::kDestroyed);
}

TEST_F(LibvirtReal, APanickingGuestIsACrash) {
  write_disk(spec_.boot_disk.path, panicking_guest());
  Listener listener(*driver_);
  ASSERT_TRUE(driver_->start(spec_).ok());
  EXPECT_EQ(listener.end_of(me().value()), DomainEnd::kCrashed);
  EXPECT_TRUE(eventually([this] { return processes().empty(); }));
}

TEST_F(LibvirtReal, LeavesADomainOfAnotherCellAlone) {
  DomainSpec foreign = spec_;
  foreign.owner.cell = kOtherCell;
  ASSERT_TRUE(create_by_hand(foreign));
  ASSERT_EQ(listed().size(), 1u);
  EXPECT_EQ(listed()[0].owner, std::nullopt);
  const auto before = processes();
  expect_untouchable(me());
  EXPECT_EQ(processes(), before);
}

TEST_F(LibvirtReal, LeavesACopyOfOurDomainAlone) {
  DomainSpec copied = spec_;
  copied.owner.instance = instance(999'999);
  auto xml = *domain_xml(copied, Accelerator::kTcg);
  const std::string uuid = "<uuid>" + copied.owner.instance.to_string();
  xml.replace(xml.find(uuid), uuid.size(), "<uuid>" + me().to_string());
  const DomainHandle domain(virDomainCreateXML(raw(), xml.c_str(), 0));
  ASSERT_TRUE(domain);
  EXPECT_EQ(listed().at(0).owner, std::nullopt);
  expect_untouchable(me());
}

TEST_F(LibvirtReal, LeavesADefinitionOfAnotherOwnerAlone) {
  DomainSpec foreign = spec_;
  foreign.owner.cell = kOtherCell;
  const auto xml = domain_xml(foreign, Accelerator::kTcg);
  const DomainHandle domain(virDomainDefineXML(raw(), xml->c_str()));
  ASSERT_TRUE(domain);
  EXPECT_TRUE(absl::IsPermissionDenied(driver_->start(spec_)));
  EXPECT_TRUE(absl::IsPermissionDenied(driver_->destroy(me())));
  EXPECT_EQ(virDomainIsActive(domain.get()), 0);
  EXPECT_EQ(virDomainUndefine(domain.get()), 0);
}

// QEMU as somebody starts it by hand, past libvirt.
class UnmanagedQemu {
 public:
  explicit UnmanagedQemu(const InstanceUid& instance) : pid_(fork()) {
    if (pid_ != 0) return;
    execl("/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-system-x86_64", "-display", "none",
          "-machine", "none", "-nodefaults", "-uuid", instance.to_string().c_str(), nullptr);
    _exit(127);
  }
  ~UnmanagedQemu() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  UnmanagedQemu(const UnmanagedQemu&) = delete;
  UnmanagedQemu& operator=(const UnmanagedQemu&) = delete;

  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

TEST_F(LibvirtReal, DoesNotStartWhatAlreadyRunsPastLibvirt) {
  const UnmanagedQemu qemu(me());
  ASSERT_TRUE(eventually([this] { return processes().size() == 1; }));
  const absl::Status started = driver_->start(spec_);
  EXPECT_TRUE(absl::IsAlreadyExists(started)) << describe(started);
  EXPECT_THAT(std::string(message_of(started)), HasSubstr(std::to_string(qemu.pid())));
  EXPECT_TRUE(listed().empty());
  // Nor does it call it destroyed, for its disk would be deleted next.
  const absl::Status destroyed = driver_->destroy(me());
  EXPECT_TRUE(absl::IsFailedPrecondition(destroyed)) << describe(destroyed);
  EXPECT_THAT(std::string(message_of(destroyed)), HasSubstr(std::to_string(qemu.pid())));
  EXPECT_THAT(processes(), ElementsAre(qemu.pid()));
}

TEST_F(LibvirtReal, SaysUnknownWhileLibvirtdIsDeadAndFindsTheGuestAgain) {
  Listener listener(*driver_);
  start_and_wait_for_greeting();
  const auto before = processes();
  libvirtd()->kill();
  ASSERT_TRUE(eventually([this] { return absl::IsUnavailable(driver_->list().status()); }));
  EXPECT_TRUE(absl::IsUnavailable(driver_->destroy(me())));
  EXPECT_TRUE(absl::IsUnavailable(driver_->start(spec_)));
  EXPECT_EQ(processes(), before);
  libvirtd()->start();
  wait_for_connection();
  EXPECT_TRUE(listener.was_told_to_look(Uuid()));
  EXPECT_EQ(processes(), before);
  ASSERT_EQ(listed().size(), 1u);
  EXPECT_EQ(listed()[0].owner, spec_.owner);
  EXPECT_TRUE(driver_->start(spec_).ok());
  EXPECT_EQ(processes(), before);
  // Events come over the new connection, too.
  EXPECT_TRUE(driver_->request_shutdown(me()).ok());
  EXPECT_EQ(listener.end_of(me().value()), DomainEnd::kShutDownByGuest);
}

TEST_F(LibvirtReal, DoesNotHangWithALibvirtdThatHangs) {
  ASSERT_TRUE(driver_->start(spec_).ok());
  libvirtd()->freeze();
  const SystemClock clock;
  const MonotonicTime begun = clock.now().monotonic;
  const auto domains = driver_->list();
  EXPECT_FALSE(domains.ok());
  EXPECT_LT(clock.now().monotonic - begun, std::chrono::seconds(11));
  const MonotonicTime before_end = clock.now().monotonic;
  driver_.reset();  // its thread hangs in opening a new connection
  EXPECT_LT(clock.now().monotonic - before_end, std::chrono::seconds(8));
  libvirtd()->thaw();
  driver_ = *LibvirtHypervisor::connect(config());
  wait_for_connection();
  EXPECT_EQ(state(), DomainState::kRunning);
}

TEST_F(LibvirtReal, RecoversWhenAHangingLibvirtdGoesOn) {
  ASSERT_TRUE(driver_->start(spec_).ok());
  libvirtd()->freeze();
  EXPECT_FALSE(driver_->list().ok());
  EXPECT_TRUE(absl::IsUnavailable(driver_->list().status()));
  libvirtd()->thaw();
  wait_for_connection();
  EXPECT_EQ(state(), DomainState::kRunning);
}

TEST_F(LibvirtReal, StartsBeforeLibvirtdDoes) {
  libvirtd()->kill();
  driver_ = *LibvirtHypervisor::connect(config());
  const auto domains = driver_->list();
  EXPECT_TRUE(absl::IsUnavailable(domains.status())) << describe(domains.status());
  EXPECT_TRUE(absl::IsUnavailable(driver_->host_facts().status()));
  libvirtd()->start();
  wait_for_connection();
  EXPECT_TRUE(driver_->start(spec_).ok());
}

TEST_F(LibvirtReal, HangsAPortOnItsBridgeAndTakesItAway) {
  const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(ioctl(control, SIOCBRADDBR, "swtest0"), 0);
  spec_.ports = {{0x525400000001, "swtest0", "swaaaaaaaabbbb"}};
  EXPECT_TRUE(driver_->start(spec_).ok());
  EXPECT_TRUE(std::filesystem::exists("/sys/class/net/swtest0/brif/swaaaaaaaabbbb"));
  EXPECT_TRUE(driver_->destroy(me()).ok());
  EXPECT_FALSE(std::filesystem::exists("/sys/class/net/swaaaaaaaabbbb"));
  EXPECT_EQ(ioctl(control, SIOCBRDELBR, "swtest0"), 0);
  close(control);
}

TEST_F(LibvirtReal, LeavesNothingWhenADomainCannotBeMade) {
  spec_.ports = {{0x525400000001, "no-such-bridge", "swaaaaaaaabbbb"}};
  const absl::Status started = driver_->start(spec_);
  EXPECT_FALSE(started.ok());
  EXPECT_THAT(std::string(message_of(started)), HasSubstr("no-such-bridge"));
  EXPECT_TRUE(listed().empty());
  EXPECT_TRUE(processes().empty());
  EXPECT_FALSE(std::filesystem::exists("/sys/class/net/swaaaaaaaabbbb"));
}

TEST_F(LibvirtReal, StartsAUefiGuestWithItsVariablesBesideTheDisk) {
  spec_.firmware = Firmware::kUefi;
  spec_.memory = mebibytes(128);
  const absl::Status started = driver_->start(spec_);
  EXPECT_TRUE(started.ok()) << describe(started) << " (is the package ovmf installed?)";
  EXPECT_TRUE(std::filesystem::exists(nvram_path(spec_.boot_disk.path)));
  EXPECT_EQ(state(), DomainState::kRunning);
}

TEST_F(LibvirtReal, TakesASeedAsAReadOnlyDrive) {
  spec_.seed_path = directory_ + "/seed.iso";
  write_disk(spec_.seed_path, std::string(2048, '\0'));
  start_and_wait_for_greeting();
}

TEST_F(LibvirtReal, KnowsTheHost) {
  const auto facts = driver_->host_facts();
  ASSERT_TRUE(facts.ok()) << describe(facts.status());
  EXPECT_EQ(facts->threads, static_cast<int64_t>(std::thread::hardware_concurrency()));
  EXPECT_GE(facts->threads, facts->cores);
  EXPECT_GE(facts->cores, 1);
  EXPECT_EQ(facts->memory,
            Bytes(sysconf(_SC_PHYS_PAGES) * static_cast<int64_t>(sysconf(_SC_PAGE_SIZE))));
  EXPECT_EQ(facts->accelerator, "tcg");
  EXPECT_THAT(facts->hypervisor_version, HasSubstr("QEMU "));
  EXPECT_THAT(facts->hypervisor_version, HasSubstr("libvirt "));
  EXPECT_TRUE(Uuid::parse(facts->boot_id));
}

TEST(AcceleratorReal, SeesARealKernelReachUserSpace) {
  const auto kernel = find_kernel({});
  ASSERT_TRUE(kernel.ok()) << describe(kernel.status());
  AcceleratorConfig config;
  config.limit = std::chrono::seconds(60);
  const absl::Status booted = boot_probe(config, *kernel, Accelerator::kTcg);
  EXPECT_TRUE(booted.ok()) << describe(booted);
}

TEST(AcceleratorReal, DecidesWithinItsLimit) {
  const SystemClock clock;
  const MonotonicTime begun = clock.now().monotonic;
  AcceleratorConfig config;
  config.limit = std::chrono::seconds(5);
  const AcceleratorChoice choice = choose_accelerator(config);
  EXPECT_LT(clock.now().monotonic - begun, std::chrono::seconds(10));
  EXPECT_THAT(choice.reason, HasSubstr(choice.accelerator == Accelerator::kKvm ? "KVM" : "kvm"));
}

}  // namespace

// Not from googletest's own main: the sandbox comes before any thread.
int run(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (geteuid() != 0) {
    std::puts("skipped: needs root for namespaces of its own");
    return kSkipped;
  }
  enter_sandbox();
  set_failpoint_hook([](std::string_view name) { failpoints().pass(name); });
  libvirtd() = std::make_unique<Libvirtd>();
  const int result = RUN_ALL_TESTS();
  libvirtd().reset();
  return result;
}

}  // namespace stellwerk::hypervisor

int main(int argc, char** argv) {
  return stellwerk::hypervisor::run(argc, argv);
}

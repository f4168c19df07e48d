#include "real_fixture.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "../../support/eventually.h"
#include "core/failpoint.h"
#include "guests.h"
#include "sandbox.h"

namespace stellwerk::hypervisor {
namespace {

constexpr int kSkipped = 77;

std::unique_ptr<Libvirtd>& suite_libvirtd() {
  static std::unique_ptr<Libvirtd> instance;
  return instance;
}

}  // namespace

void Failpoints::on(std::function<void(std::string_view)> action) {
  const std::lock_guard lock(mutex_);
  action_ = std::move(action);
}

void Failpoints::pass(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (action_) action_(name);
}

Libvirtd& LibvirtReal::libvirtd() {
  return *suite_libvirtd();
}

Failpoints& LibvirtReal::failpoints() {
  static Failpoints instance;
  return instance;
}

void LibvirtReal::set_up_suite() {
  set_failpoint_hook([](std::string_view name) { failpoints().pass(name); });
  suite_libvirtd() = std::make_unique<Libvirtd>();
}

void LibvirtReal::tear_down_suite() {
  suite_libvirtd().reset();
}

LibvirtConfig LibvirtReal::config() {
  LibvirtConfig config;
  config.cell = *CellUid::parse("11111111-2222-4333-8444-555555555555");
  config.accelerator.mode = AcceleratorMode::kTcg;
  config.connection.first_backoff = std::chrono::milliseconds(20);
  config.connection.longest_backoff = std::chrono::milliseconds(200);
  return config;
}

CellUid LibvirtReal::other_cell() {
  return *CellUid::parse("99999999-2222-4333-8444-555555555555");
}

InstanceUid LibvirtReal::instance(int number) {
  return *InstanceUid::parse(fmt::format("aaaaaaaa-bbbb-5ccc-8ddd-{:012}", number));
}

LibvirtReal::LibvirtReal() {
  static int tests = 0;
  ++tests;
  directory_ = fmt::format("{}/{}", kSandboxFiles, tests);
  std::filesystem::create_directories(directory_);
  spec_.owner.cell = config().cell;
  spec_.owner.instance = instance(tests);
  spec_.owner.run = Generation(1);
  spec_.owner.project_id = "default";
  spec_.owner.instance_id = "web-1";
  spec_.owner.adoption = "what the cell decided, \"quoted\" <&>";
  spec_.vcpus = VcpuCount(1);
  spec_.memory = mebibytes(32);
  spec_.boot_disk = {directory_ + "/disk.raw", ImageFormat::kRaw};
  spec_.console_socket = consoles().socket_of(me());
  spec_.created = [this] { hear(); };
  write_disk(spec_.boot_disk.path, obedient_guest());
  reconnect(config());
}

// Not through the driver, nor through a connection that a test may have broken.
LibvirtReal::~LibvirtReal() {
  failpoints().on({});
  if (raw_ != nullptr) virConnectClose(raw_);
  raw_ = virConnectOpen("qemu:///system");
  virDomainPtr* domains = nullptr;
  const int count = virConnectListAllDomains(raw_, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
  for (int i = 0; i < count; ++i) virDomainDestroy(DomainHandle(domains[i]).get());
  std::free(domains);
  virConnectClose(raw_);
}

virConnectPtr LibvirtReal::raw() {
  if (raw_ == nullptr) raw_ = virConnectOpen("qemu:///system");
  return raw_;
}

DomainHandle LibvirtReal::raw_domain(const Uuid& uuid) {
  return DomainHandle(virDomainLookupByUUID(raw(), uuid.bytes().data()));
}

std::vector<ObservedDomain> LibvirtReal::listed() {
  auto domains = driver_->list();
  EXPECT_TRUE(domains.ok()) << describe(domains.status());
  return domains.ok() ? *std::move(domains) : std::vector<ObservedDomain>();
}

DomainState LibvirtReal::state() {
  const auto domains = listed();
  EXPECT_EQ(domains.size(), 1u);
  return domains.empty() ? DomainState::kCrashed : domains.front().state;
}

int LibvirtReal::greetings() const {
  const std::lock_guard lock(console_mutex_);
  std::array<char, 4096> buffer;
  while (console_) {
    const ssize_t got = ::recv(console_->get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    said_.append(buffer.data(), static_cast<size_t>(got));
  }
  const std::string& text = said_;
  int count = 0;
  for (size_t at = text.find(kGreeting); at != std::string::npos; ++count) {
    at = text.find(kGreeting, at + 1);
  }
  return count;
}

// Once for each domain: a second one would wait for the first to close.
void LibvirtReal::hear() {
  greetings();
  const std::lock_guard lock(console_mutex_);
  char byte = 0;
  if (console_ && ::recv(console_->get(), &byte, 1, MSG_PEEK) != 0) return;
  auto console = consoles().open(me());
  ASSERT_TRUE(console.ok()) << describe(console.status());
  console_ = std::make_unique<Descriptor>(*std::move(console));
}

ConsoleSockets& LibvirtReal::consoles() {
  static const std::unique_ptr<ConsoleSockets> sockets =
      *ConsoleSockets::open_folder(fmt::format("{}/c", kSandboxFiles));
  return *sockets;
}

void LibvirtReal::start_and_wait_for_greeting() {
  const absl::Status started = driver_->start(spec_);
  ASSERT_TRUE(started.ok()) << describe(started);
  ASSERT_TRUE(testing::eventually([this] { return greetings() == 1; }));
}

void LibvirtReal::reconnect(const LibvirtConfig& config) {
  driver_.reset();
  auto driver = LibvirtHypervisor::connect(config);
  ASSERT_TRUE(driver.ok()) << describe(driver.status());
  driver_ = *std::move(driver);
}

void LibvirtReal::wait_for_connection() {
  ASSERT_TRUE(testing::eventually([this] { return driver_->list().ok(); }));
}

void LibvirtReal::expect_untouchable(const InstanceUid& instance) {
  const auto before = listed();
  ASSERT_EQ(before.size(), 1u);
  EXPECT_EQ(before.front().owner, std::nullopt);
  DomainSpec spec = spec_;
  spec.owner.instance = instance;
  EXPECT_TRUE(absl::IsPermissionDenied(driver_->start(spec)));
  EXPECT_TRUE(absl::IsPermissionDenied(driver_->resume(instance)));
  EXPECT_TRUE(absl::IsPermissionDenied(driver_->request_shutdown(instance)));
  EXPECT_TRUE(absl::IsPermissionDenied(
      driver_->reboot(instance, {.count = 1, .kind = RebootKind::kReset})));
  EXPECT_TRUE(absl::IsPermissionDenied(driver_->pin(instance, {{{0}}, {0}})));
  EXPECT_TRUE(absl::IsPermissionDenied(driver_->destroy(instance)));
  const auto after = listed();
  ASSERT_EQ(after.size(), 1u);
  EXPECT_EQ(after.front().uuid, before.front().uuid);
  EXPECT_EQ(after.front().state, before.front().state);
}

// Instead of googletest's own main: the sandbox comes before any thread.
int run_real_tests(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (geteuid() != 0) {
    std::puts("skipped: needs root for namespaces of its own");
    return kSkipped;
  }
  enter_sandbox();
  LibvirtReal::set_up_suite();
  const int result = RUN_ALL_TESTS();
  LibvirtReal::tear_down_suite();
  return result;
}

}  // namespace stellwerk::hypervisor

int main(int argc, char** argv) {
  return stellwerk::hypervisor::run_real_tests(argc, argv);
}

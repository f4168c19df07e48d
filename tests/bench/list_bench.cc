// list_bench [INSTANCES [PASSES]]: how long a page of a long list takes, through the real server
// and the real controller, while a hundred played agents report. Prints JSON: milliseconds by page
// size.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <grpcpp/create_channel.h>
#include <spdlog/spdlog.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

#include "../support/temporary_directory.h"
#include "../unit/api/daemon/fakes.h"
#include "api/daemon/controller_runtime.h"
#include "api/server/server.h"
#include "orchestrator/records/keys.h"
#include "orchestrator/records/records.h"
#include "stellwerk/v1/instances.grpc.pb.h"

namespace stellwerk::daemon {
namespace {

constexpr size_t kHosts = 100;
constexpr size_t kKeysPerCommit = 500;
constexpr Duration kReportEvery = std::chrono::seconds(10);  // each agent, as the real one does
constexpr Duration kPatience = std::chrono::seconds(120);

void require(const absl::Status& status, std::string_view what) {
  if (status.ok()) return;
  fmt::print(stderr, "list_bench: {}: {}\n", what, describe(status));
  std::exit(2);
}

template <class Id>
Id numbered(std::string_view kind, size_t number) {
  return Id(Uuid::v5(Uuid(), fmt::format("{}/{}", kind, number)));
}

Host make_host(size_t number) {
  Host host;
  host.uid = numbered<HostUid>("host", number);
  host.id = fmt::format("host-{:03}", number);
  host.facts = {.cores = 64,
                .threads = 128,
                .memory = gibibytes(4096),
                .disk = gibibytes(65536),
                .cpu_model = "played",
                .accelerator = "kvm",
                .hypervisor_version = "0",
                .boot_id = "0",
                .numa = {}};
  return host;
}

// What a guest of a town hall has: a port, a key, a few labels.
Instance make_instance(size_t number, const Project& project, const Flavor& flavor,
                       const Image& image, const Network& network) {
  Instance instance;
  instance.uid = numbered<InstanceUid>("instance", number);
  instance.project = project.uid;
  instance.id = fmt::format("guest-{:05}", number);
  instance.generation = instance.run = Generation(1);
  instance.flavor = flavor.uid;
  instance.flavor_id = flavor.id;
  instance.vcpus = flavor.vcpus;
  instance.memory = flavor.memory;
  instance.image = image.uid;
  instance.image_id = image.id;
  instance.boot_disk = gibibytes(10);
  const auto address =
      fmt::format("10.{}.{}.{}", 64 + number / 62500, number / 250 % 250, 2 + number % 250);
  instance.ports = {{.network = network.uid,
                     .mac = 0x525400000000 + number,
                     .addresses = {*IpAddress::parse(address)}}};
  instance.ssh_keys = {"ssh-ed25519 " + std::string(68, 'A') + " somebody@town-hall"};
  instance.labels = {{"role", "web"}, {"department", fmt::format("d{}", number % 20)}};
  instance.claim = {.host = numbered<HostUid>("host", number % kHosts),
                    .cpu_class = flavor.cpu_class,
                    .vcpus = flavor.vcpus,
                    .memory = memory_with_overhead(flavor.memory, flavor.vcpus),
                    .disk = instance.boot_disk};
  return instance;
}

std::vector<store::Entry> cell_records(size_t instances) {
  const Project project{.uid = numbered<ProjectUid>("project", 0), .id = "town", .limits = {}};
  Flavor flavor{.uid = numbered<FlavorUid>("flavor", 0), .id = "small"};
  flavor.vcpus = VcpuCount(1);
  flavor.memory = gibibytes(1);
  Image image{.uid = numbered<ImageUid>("image", 0), .project = project.uid, .id = "debian"};
  image.state = ImageState::kActive;
  Network network{.uid = numbered<NetworkUid>("network", 0), .project = project.uid, .id = "lan"};
  network.bridge = "lan";
  network.v4 = Subnet{.range = *IpPrefix::parse("10.0.0.0/8"), .gateway = {}, .next = {}};

  const records::Cell cell{.uid = numbered<CellUid>("cell", 0), .created_at = {}};
  std::vector<store::Entry> entries = {
      {std::string(records::kCellKey), records::encode(cell)},
      {records::project_key(project.uid), records::encode(project)},
      {records::flavor_key(flavor.uid), records::encode(flavor)},
      {records::image_key(image.uid), records::encode(image)},
      {records::network_key(network.uid), records::encode(network)}};
  for (size_t i = 0; i < kHosts; ++i) {
    const Host host = make_host(i);
    entries.push_back({records::host_key(host.uid), records::encode(host)});
  }
  for (size_t i = 0; i < instances; ++i) {
    const Instance instance = make_instance(i, project, flavor, image, network);
    entries.push_back({records::instance_key(instance.uid), records::encode(instance)});
  }
  return entries;
}

void fill(store::Store& store, const std::vector<store::Entry>& entries) {
  auto head = store.take_over(std::nullopt, Uuid::v5(Uuid(), "list_bench"));
  require(head.status(), "take over");
  for (size_t begin = 0; begin < entries.size(); begin += kKeysPerCommit) {
    const size_t end = std::min(entries.size(), begin + kKeysPerCommit);
    head = store.commit(*head, {.puts = {entries.begin() + static_cast<ptrdiff_t>(begin),
                                         entries.begin() + static_cast<ptrdiff_t>(end)},
                                .deletes = {}});
    require(head.status(), "fill the store");
  }
}

class NoConsoles final : public server::ConsoleGateway {
 public:
  absl::StatusOr<Attachment> attach(const InstanceUid&, const ConsoleAttach&,
                                    std::function<void()>) override {
    return none();
  }
  void detach(Attachment) override {}
  absl::StatusOr<std::optional<ConsolePortion>> next(Attachment, size_t) override { return none(); }
  absl::Status type(Attachment, std::string_view) override { return none(); }
  Input input(Attachment) override { return {}; }
  absl::StatusOr<std::string> log(const InstanceUid&, size_t) override { return none(); }

 private:
  static absl::Status none() { return unavailable("there are no consoles here"); }
};

// Every guest of every host runs, and every host says so again and again.
class Agents {
 public:
  explicit Agents(ControllerRuntime& controller) : controller_(controller) {
    for (size_t i = 0; i < kHosts; ++i) {
      const Host host = make_host(i);
      controller_.connect({.cell = controller_.cell(),
                           .host = host.uid,
                           .id = host.id,
                           .facts = host.facts,
                           .reserve = host.reserve},
                          [this](const HostOrders& orders) { receive(orders); });
    }
    thread_ = std::thread([this] { repeat(); });
  }
  ~Agents() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void receive(const HostOrders& orders) {
    HostStatus status{.host = orders.host, .epoch = orders.epoch, .sequence = orders.sequence};
    for (const Instance& instance : orders.instances) {
      status.instances.push_back({.instance = instance.uid,
                                  .observed = {.phase = Phase::kRunning,
                                               .reason = "",
                                               .message = "",
                                               .generation = instance.generation,
                                               .since = {}},
                                  .final_end = {}});
    }
    controller_.report(status);
    const std::lock_guard lock(mutex_);
    statuses_[orders.host] = std::move(status);
  }

  void repeat() {
    std::unique_lock lock(mutex_);
    HostUid last;
    while (!changed_.wait_for(lock, kReportEvery / kHosts, [this] { return done_; })) {
      auto next = statuses_.upper_bound(last);
      if (next == statuses_.end()) next = statuses_.begin();
      if (next == statuses_.end()) continue;
      last = next->first;
      controller_.report(next->second);
    }
  }

  ControllerRuntime& controller_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<HostUid, HostStatus> statuses_;
  bool done_ = false;
  std::thread thread_;
};

class Client {
 public:
  explicit Client(const std::string& socket)
      : stub_(v1::Instances::NewStub(
            grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials()))) {}

  // Milliseconds of each page of the whole list; how many instances there are, and how many run.
  struct Pass {
    std::vector<double> pages;
    size_t instances = 0;
    size_t running = 0;
  };
  Pass list(int page_size) {
    Pass pass;
    v1::ListInstancesRequest request;
    request.set_parent("projects/town");
    request.set_page_size(page_size);
    do {
      grpc::ClientContext context;
      v1::ListInstancesResponse response;
      const auto begun = clock_.now().monotonic;
      const grpc::Status status = stub_->ListInstances(&context, request, &response);
      const Duration took = clock_.now().monotonic - begun;
      if (!status.ok()) require(internal_error("{}", status.error_message()), "list");
      pass.pages.push_back(std::chrono::duration<double, std::milli>(took).count());
      pass.instances += static_cast<size_t>(response.instances_size());
      for (const auto& instance : response.instances()) {
        if (instance.phase() == v1::Instance::PHASE_RUNNING) ++pass.running;
      }
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return pass;
  }

  // What is awaited is that every guest was reported.
  void await_all(size_t instances) {
    const MonotonicTime deadline = clock_.now().monotonic + kPatience;
    for (Pass pass; pass.running < instances; pass = list(1000)) {
      if (clock_.now().monotonic < deadline) continue;
      require(deadline_exceeded("only {} of {} run", pass.running, instances), "agents");
    }
  }

 private:
  const SystemClock clock_;
  std::unique_ptr<v1::Instances::Stub> stub_;
};

std::string measure(const std::string& socket, size_t instances, size_t passes) {
  Client client(socket);
  client.await_all(instances);
  std::map<int, std::vector<double>> pages;
  for (size_t pass = 0; pass < passes; ++pass) {
    for (const int size : {100, 1000}) {
      const auto found = client.list(size);
      if (found.instances != instances) require(internal_error("instances are missing"), "list");
      pages[size].insert(pages[size].end(), found.pages.begin(), found.pages.end());
    }
  }
  return fmt::format(R"({{"instances": {}, "hosts": {}, "pages": {{"100": {}, "1000": {}}}}})",
                     instances, kHosts, pages[100], pages[1000]);
}

void run(const std::string& folder, size_t instances, size_t passes) {
  const SystemClock clock;
  store::MemoryStore store;
  fill(store, cell_records(instances));
  FakeStorage storage;
  FakeDownloader downloader;
  NoConsoles consoles;
  auto controller = ControllerRuntime::load(
      {}, {.store = store, .storage = storage, .downloader = downloader, .clock = clock},
      [](const std::string& why) { require(internal_error("{}", why), "controller"); });
  require(controller.status(), "load");
  require((*controller)->begin(), "begin");
  auto server = server::Server::start(
      {.socket = folder + "/api.sock", .operator_group = "", .limits = {}, .on_call = {}},
      **controller, consoles);
  require(server.status(), "serve");
  {
    const Agents agents(**controller);
    fmt::print("{}\n", measure(folder + "/api.sock", instances, passes));
  }
  (*server)->shutdown(std::chrono::seconds(1));
  (*controller)->stop(std::chrono::seconds(5));
}

}  // namespace
}  // namespace stellwerk::daemon

int main(int argc, char** argv) {
  const size_t instances = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10'000;
  const size_t passes = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 5;
  if (instances == 0 || passes == 0) {
    fmt::print(stderr, "list_bench [INSTANCES [PASSES]]: both at least 1\n");
    return 2;
  }
  spdlog::set_level(spdlog::level::err);
  const stellwerk::testing::TemporaryDirectory folder;
  stellwerk::daemon::run(folder.path(), instances, passes);
  return 0;
}

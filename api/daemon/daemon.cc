#include "api/daemon/daemon.h"

#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <filesystem>
#include <future>
#include <thread>

#include "api/daemon/console_runtime.h"
#include "api/daemon/controller_runtime.h"
#include "api/daemon/host.h"
#include "api/daemon/metrics_page.h"
#include "api/daemon/one_line.h"
#include "api/daemon/random.h"
#include "api/daemon/state_directory.h"
#include "api/daemon/watchdog.h"
#include "api/daemon/worker_pool.h"
#include "api/server/server.h"
#include "drivers/download/curl/curl_downloader.h"
#include "drivers/hypervisor/libvirt/console_sockets.h"
#include "drivers/storage/local/local_storage.h"
#include "drivers/store/sqlite/sqlite_store.h"

namespace stellwerk::daemon {
namespace {

// Together well below systemd's own patience.
constexpr Duration kCallsPatience = std::chrono::seconds(2);
constexpr Duration kDriversPatience = std::chrono::seconds(5);
// A busy host may delay some of them.
constexpr int kFeedingsPerPatience = 4;
constexpr Duration kLeastBetweenAudits = std::chrono::seconds(1);
constexpr Duration kMostBetweenAudits = std::chrono::minutes(10);

absl::StatusOr<std::string> machine_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) {
    return failed_precondition("the machine's name cannot be read; set host.id");
  }
  return std::string(name.data());
}

controller::ControllerConfig controller_config(const Config& config) {
  controller::ControllerConfig controller;
  controller.placement = config.placement;
  controller.max_log_records = static_cast<size_t>(config.daemon.max_log_records);
  controller.image_grace = config.images.collect_after;
  // A grace of zero is for those who test.
  controller.image_audit_every = std::clamp<Duration>(config.images.collect_after / 10,
                                                      kLeastBetweenAudits, kMostBetweenAudits);
  Network flat;
  flat.id = "flat";
  flat.bridge = config.network.bridge;
  flat.make_bridge = config.network.create_bridge;
  flat.v4 = config.network.v4;
  flat.v6 = config.network.v6;
  flat.dns_servers = config.network.dns;
  flat.mtu = config.network.mtu;
  controller.networks = {std::move(flat)};
  return controller;
}

// How long systemd waits for a sign of life before it kills; none if it does not watch.
std::optional<Duration> watchdog_patience() {
  uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::microseconds(microseconds);
}

download::CurlDownloader::Options download_options(const ImagesConfig& images) {
  return {.addresses = download::AddressPolicy(images.allowed_addresses),
          .ca_file = images.ca_file,
          .connect_within = images.connect_within,
          .least_per_second = images.least_per_second,
          .slow_for = images.slow_for};
}

absl::Status make_folder_of(const std::string& socket) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(socket).parent_path(), error);
  if (!error) return absl::OkStatus();
  return failed_precondition("daemon.socket {}: cannot make its folder: {}", socket,
                             error.message());
}

// Members stand in the order in which they are made; they go in the reverse.
class Daemon {
 public:
  explicit Daemon(const Config& config) : config_(config) {}

  ExitCode run();

 private:
  absl::Status start();
  absl::Status open_state();
  absl::Status open_services();
  void start_host();
  void start_watchdog();
  void end_with(ExitCode code);
  bool stop_server();
  bool stop();

  const Config& config_;
  const SystemClock clock_;
  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_{io_, SIGTERM, SIGINT};
  ExitCode code_ = kCleanEnd;
  metrics::Metrics metrics_{STELLWERK_VERSION};

  std::optional<StateDirectory> state_;
  std::unique_ptr<store::SqliteStore> store_;
  LocalHost::Identity identity_;
  std::unique_ptr<storage::LocalStorage> storage_;
  std::unique_ptr<hypervisor::ConsoleSockets> console_sockets_;
  std::unique_ptr<ConsoleRuntime> consoles_;
  std::unique_ptr<download::CurlDownloader> downloader_;
  std::unique_ptr<ControllerRuntime> controller_;
  std::unique_ptr<server::Server> server_;
  std::unique_ptr<metrics::HttpListener> metrics_listener_;
  std::unique_ptr<LocalHost> host_;   // the starter's until that has stopped
  std::optional<Watchdog> watchdog_;  // if systemd wants it
  std::optional<WorkerPool> starter_;
};

ExitCode Daemon::run() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    spdlog::info("signal received signal={}", signal == SIGINT ? "SIGINT" : "SIGTERM");
    io_.stop();
  });
  if (const absl::Status status = start(); !status.ok()) {
    spdlog::critical("refusing to start: {}", free_text(message_of(status)));
    code_ = kRefusedToStart;
  } else {
    ::sd_notify(0, "READY=1");
    start_watchdog();
    spdlog::info("serving socket={}", config_.daemon.socket);
    io_.run();
    ::sd_notify(0, "STOPPING=1");
  }
  if (!stop()) {
    // A driver hangs in a call that nothing can end. Steps are safe to cut off anywhere, and the
    // store's commits are whole or not at all.
    spdlog::warn("ending without waiting for drivers that do not come back");
    spdlog::shutdown();
    std::_Exit(code_);
  }
  spdlog::info("ended code={}", static_cast<int>(code_));
  return code_;
}

absl::Status Daemon::start() {
  SW_RETURN_IF_ERROR(open_state());
  SW_RETURN_IF_ERROR(open_services());
  starter_.emplace(WorkerPool::Options{.name = "sw-start", .threads = 1, .max_waiting = 1});
  starter_->try_run([this] { start_host(); });
  return absl::OkStatus();
}

absl::Status Daemon::open_state() {
  SW_ASSIGN_OR_RETURN(StateDirectory state, StateDirectory::open(config_.daemon.state_dir));
  state_.emplace(std::move(state));
  SW_ASSIGN_OR_RETURN(store_, store::SqliteStore::open(state_->database_path()));
  SW_ASSIGN_OR_RETURN(const std::string machine, machine_name());
  SW_ASSIGN_OR_RETURN(identity_.id, host_id(config_.host, machine));
  // The storage first: a host that has an identity has a storage, too.
  SW_ASSIGN_OR_RETURN(const auto known, read_host_uid(config_.daemon.state_dir));
  SW_ASSIGN_OR_RETURN(storage_, storage::LocalStorage::open(
                                    {.directory = config_.storage.directory,
                                     .must_exist = known.has_value(),
                                     .largest_image_file = config_.storage.largest_image,
                                     .largest_virtual_size = config_.storage.largest_virtual_size,
                                     .keep_available = config_.host.disk_reserve}));
  SW_ASSIGN_OR_RETURN(identity_.uid, state_->host_uid(HostUid(random_uuid())));
  return absl::OkStatus();
}

absl::Status Daemon::open_services() {
  SW_ASSIGN_OR_RETURN(console_sockets_, hypervisor::ConsoleSockets::open_folder(
                                            config_.daemon.state_dir + "/consoles"));
  consoles_ = std::make_unique<ConsoleRuntime>(
      ConsoleRuntime::Parts{.consoles = *console_sockets_, .storage = *storage_});
  downloader_ = std::make_unique<download::CurlDownloader>(download_options(config_.images));
  ControllerRuntimeConfig runtime;
  runtime.controller = controller_config(config_);
  runtime.on_commit = [this](absl::StatusCode code, size_t keys, Duration took) {
    metrics_.commit_ended(code, keys, took);
  };
  runtime.fetch.parallel = static_cast<size_t>(config_.images.parallel_downloads);
  runtime.fetch.longest = config_.images.longest_download;
  runtime.fetch.attempts = static_cast<int>(config_.images.attempts);
  SW_ASSIGN_OR_RETURN(
      controller_,
      ControllerRuntime::load(
          std::move(runtime),
          {.store = *store_, .storage = *storage_, .downloader = *downloader_, .clock = clock_},
          [this](const std::string&) { end_with(kSteppedDown); }));
  SW_RETURN_IF_ERROR(controller_->begin());
  SW_RETURN_IF_ERROR(make_folder_of(config_.daemon.socket));
  SW_ASSIGN_OR_RETURN(server_,
                      server::Server::start({.socket = config_.daemon.socket,
                                             .operator_group = config_.daemon.operator_group,
                                             .limits = {},
                                             .on_call = calls_into(metrics_)},
                                            *controller_, *consoles_));
  if (config_.metrics.on()) {
    SW_ASSIGN_OR_RETURN(metrics_listener_, serve_metrics(config_, metrics_, *controller_));
  }
  return absl::OkStatus();
}

void Daemon::start_host() {
  auto host = LocalHost::start(config_, identity_,
                               {.store = *store_,
                                .storage = *storage_,
                                .controller = *controller_,
                                .metrics = metrics_,
                                .consoles = *consoles_,
                                .clock = clock_});
  if (host.ok()) {
    host_ = *std::move(host);
    boost::asio::post(io_, [this, agent = host_.get()] {
      if (!watchdog_) return;
      watchdog_->watch(
          [agent](std::function<void()> done) { agent->after_a_step(std::move(done)); });
    });
    return;
  }
  spdlog::critical("host cannot start host={} error=\"{}\"", identity_.uid.to_string(),
                   one_line(describe(host.status())));
  end_with(kRefusedToStart);
}

// The host joins when it has started: until then its libvirt may take any time.
void Daemon::start_watchdog() {
  const std::optional<Duration> patience = watchdog_patience();
  if (!patience) return;
  watchdog_.emplace(io_, Watchdog::Options{.pause = *patience / kFeedingsPerPatience,
                                           .feed = [] { ::sd_notify(0, "WATCHDOG=1"); }});
  watchdog_->watch(
      [this](std::function<void()> done) { controller_->after_a_step(std::move(done)); });
  watchdog_->start();
}

// Any thread.
void Daemon::end_with(ExitCode code) {
  boost::asio::post(io_, [this, code] {
    code_ = code;
    io_.stop();
  });
}

// Whoever waits for a store that does not come back is refused in the end; a call that waits for a
// hanging disk cannot be.
bool Daemon::stop_server() {
  std::promise<void> done;
  const std::future<void> ended = done.get_future();
  std::thread thread([this, done = std::move(done)]() mutable {
    server_->shutdown(kCallsPatience);
    done.set_value();
  });
  if (ended.wait_for(kCallsPatience) != std::future_status::ready) {
    controller_->refuse_requests();
    if (ended.wait_for(kDriversPatience) != std::future_status::ready) {
      thread.detach();  // the process ends before it does
      return false;
    }
  }
  thread.join();
  return true;
}

bool Daemon::stop() {
  metrics_listener_.reset();
  if (server_ && !stop_server()) return false;
  if (starter_ && !starter_->stop(kDriversPatience)) return false;
  if (host_ && !host_->stop(kDriversPatience)) return false;
  return !controller_ || controller_->stop(kDriversPatience);
}

}  // namespace

ExitCode run_all(const Config& config) {
  // A client that goes away is an error of the write, not a signal.
  std::signal(SIGPIPE, SIG_IGN);
  return Daemon(config).run();
}

}  // namespace stellwerk::daemon

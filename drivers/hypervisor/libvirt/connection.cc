#include "drivers/hypervisor/libvirt/connection.h"

#include <libvirt/virterror.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "drivers/hypervisor/libvirt/event_loop.h"
#include "drivers/hypervisor/libvirt/lifecycle.h"

namespace stellwerk::hypervisor {
namespace {

constexpr std::chrono::seconds kPatienceAtEnd(2);

// What libvirt's callbacks may touch. It owns no connection (see event_loop.h).
struct Signals {
  std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false;
  bool lost = false;
  std::string why_lost;
};

// Owned by one opened connection's callbacks; only the event loop's thread uses it.
struct EventTarget {
  std::shared_ptr<EventSink> sink;
  LifecycleEvents events;
};

int on_lifecycle(virConnectPtr, virDomainPtr domain, int type, int detail, void* opaque) {
  auto& target = *static_cast<EventTarget*>(opaque);
  target.sink->deliver(
      target.events.translate({.uuid = uuid_of(domain), .type = type, .detail = detail}));
  return 0;
}

std::string_view close_reason(int reason) {
  switch (reason) {
    case VIR_CONNECT_CLOSE_REASON_ERROR:
      return "an error on its socket";
    case VIR_CONNECT_CLOSE_REASON_EOF:
      return "libvirt's daemon went away";
    case VIR_CONNECT_CLOSE_REASON_KEEPALIVE:
      return "libvirt's daemon stopped answering";
    case VIR_CONNECT_CLOSE_REASON_CLIENT:
      return "closed by us";
    default:  // a newer libvirt's
      return "closed";
  }
}

void on_close(virConnectPtr, int reason, void* opaque) {
  Signals& signals = *static_cast<Signals*>(opaque);
  const std::lock_guard lock(signals.mutex);
  signals.lost = true;
  signals.why_lost = close_reason(reason);
  signals.changed.notify_all();
}

void free_event_target(void* opaque) {
  delete static_cast<EventTarget*>(opaque);
}

// An opened connection with its callbacks, which hold references of their own until taken back.
class OpenConnection {
 public:
  OpenConnection(std::shared_ptr<EventLoop> loop, std::shared_ptr<Signals> signals)
      : loop_(std::move(loop)), signals_(std::move(signals)) {}
  ~OpenConnection() {
    if (connection_ == nullptr) return;
    if (events_ >= 0) virConnectDomainEventDeregisterAny(connection_, events_);
    if (closes_) virConnectUnregisterCloseCallback(connection_, on_close);
    virConnectClose(connection_);
  }
  OpenConnection(const OpenConnection&) = delete;
  OpenConnection& operator=(const OpenConnection&) = delete;

  absl::Status open(const ConnectionConfig& config, std::shared_ptr<EventSink> sink) {
    connection_ = virConnectOpen(config.uri.c_str());
    if (connection_ == nullptr) return last_error(fmt::format("connect to {}", config.uri));
    SW_RETURN_IF_ERROR(watch_for_loss(config));
    auto target = std::make_unique<EventTarget>(EventTarget{std::move(sink), {}});
    events_ = virConnectDomainEventRegisterAny(connection_, nullptr, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                               VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle),
                                               target.get(), free_event_target);
    if (events_ < 0) return last_error("register for lifecycle events");
    target.release();
    return absl::OkStatus();
  }

  virConnectPtr get() const { return connection_; }

 private:
  // Drivers inside our own process (libvirt's mock) have neither keep-alive nor a close to report.
  // libvirt says OK for these and forgets the callback, so its target stays ours.
  absl::Status watch_for_loss(const ConnectionConfig& config) {
    closes_ = virConnectRegisterCloseCallback(connection_, on_close, signals_.get(), nullptr) == 0;
    if (!closes_) return last_error("watch the connection");
    if (virConnectSetKeepAlive(connection_, config.keepalive_seconds, config.keepalive_count) < 0) {
      const absl::Status error = last_error("switch keep-alive on");
      if (!absl::IsUnimplemented(error)) return error;
    }
    return absl::OkStatus();
  }

  std::shared_ptr<EventLoop> loop_;
  std::shared_ptr<Signals> signals_;
  virConnectPtr connection_ = nullptr;
  int events_ = -1;
  bool closes_ = false;
};

}  // namespace

void EventSink::set(std::function<void(const DomainEvent&)> listener) {
  const std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

void EventSink::deliver(const DomainEvent& event) {
  const std::lock_guard lock(mutex_);
  if (listener_) listener_(event);
}

struct Connection::State {
  ConnectionConfig config;
  std::shared_ptr<EventSink> sink;
  std::shared_ptr<Signals> signals = std::make_shared<Signals>();
  // Guarded by signals->mutex:
  std::shared_ptr<OpenConnection> open;
  absl::Status last_attempt = unavailable("not tried yet");
  bool attempted = false;
  bool ended = false;

  absl::StatusOr<std::shared_ptr<OpenConnection>> try_open() {
    SW_ASSIGN_OR_RETURN(auto loop, EventLoop::acquire());
    auto connection = std::make_shared<OpenConnection>(std::move(loop), signals);
    SW_RETURN_IF_ERROR(connection->open(config, sink));
    return connection;
  }

  // What changed is for everyone to look at anew: no domain has the nil UUID.
  void tell_all() { sink->deliver({.uuid = Uuid(), .ended = std::nullopt}); }

  void serve(std::shared_ptr<OpenConnection> connection);
  void record(const absl::Status& result) {
    const std::lock_guard lock(signals->mutex);
    if (!result.ok() && (!attempted || message_of(result) != message_of(last_attempt))) {
      spdlog::warn("{}; trying again", message_of(result));
    }
    last_attempt = result;
    attempted = true;
    signals->changed.notify_all();
  }
};

void Connection::State::serve(std::shared_ptr<OpenConnection> connection) {
  spdlog::info("libvirt: connected to {}", config.uri);
  if (config.opened) ++*config.opened;
  {
    const std::lock_guard lock(signals->mutex);
    open = std::move(connection);
  }
  record(absl::OkStatus());
  tell_all();
  std::shared_ptr<OpenConnection> closing;
  {
    std::unique_lock lock(signals->mutex);
    signals->changed.wait(lock, [this] { return signals->lost || signals->stopping; });
    closing = std::move(open);
    last_attempt = unavailable("connection lost: {}", signals->why_lost);
    if (!signals->stopping) {
      spdlog::warn("libvirt: connection to {} lost: {}", config.uri, signals->why_lost);
    }
  }
  closing.reset();
  tell_all();
}

void Connection::maintain(const std::shared_ptr<State>& state) {
  Signals& signals = *state->signals;
  Duration backoff = state->config.first_backoff;
  std::unique_lock lock(signals.mutex);
  while (!signals.stopping) {
    signals.lost = false;
    lock.unlock();
    auto opened = state->try_open();
    if (opened.ok()) {
      state->serve(*std::move(opened));
      backoff = state->config.first_backoff;
    } else {
      state->record(opened.status());
    }
    lock.lock();
    signals.changed.wait_for(lock, backoff, [&signals] { return signals.stopping; });
    backoff = std::min(backoff * 2, state->config.longest_backoff);
  }
  state->ended = true;
  signals.changed.notify_all();
}

Connection::Connection(ConnectionConfig config, std::shared_ptr<EventSink> sink)
    : state_(std::make_shared<State>()) {
  state_->config = std::move(config);
  state_->sink = std::move(sink);
  std::thread([state = state_] { maintain(state); }).detach();
}

Connection::~Connection() {
  std::unique_lock lock(state_->signals->mutex);
  state_->signals->stopping = true;
  state_->signals->changed.notify_all();
  state_->signals->changed.wait_for(lock, kPatienceAtEnd, [this] { return state_->ended; });
}

absl::StatusOr<Connection::Handle> Connection::get() const {
  const std::lock_guard lock(state_->signals->mutex);
  if (state_->open && !state_->signals->lost) return Handle(state_->open, state_->open->get());
  const std::string_view why = state_->signals->lost ? std::string_view(state_->signals->why_lost)
                                                     : message_of(state_->last_attempt);
  return unavailable("libvirt at {} cannot be reached ({}); trying again", state_->config.uri, why);
}

absl::Status Connection::wait_for_first_attempt(Duration patience) const {
  std::unique_lock lock(state_->signals->mutex);
  state_->signals->changed.wait_for(lock, patience, [this] { return state_->attempted; });
  return state_->last_attempt;
}

}  // namespace stellwerk::hypervisor

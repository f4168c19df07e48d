#include "orchestrator/controller/controller.h"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include "core/overloaded.h"
#include "core/resource_names.h"
#include "core/validate.h"
#include "orchestrator/controller/batch_weight.h"
#include "orchestrator/controller/bootstrap.h"
#include "orchestrator/controller/commit_chain.h"
#include "orchestrator/controller/failover_guard.h"
#include "orchestrator/controller/host_book.h"
#include "orchestrator/controller/image_work.h"
#include "orchestrator/controller/ledger.h"
#include "orchestrator/controller/mutations.h"
#include "orchestrator/controller/queries.h"
#include "placement/processors.h"

namespace stellwerk::controller {
namespace {

constexpr Duration kForgetEvery = std::chrono::minutes(1);
constexpr size_t kForgetPerCommit = 32;
constexpr size_t kPhaseEventsPerCommit = 200;
constexpr size_t kMostInvalidTold = 50;
constexpr Duration kForgetSoon = std::chrono::seconds(1);

std::string phase_message(const Observed& observed) {
  std::string message(to_string(observed.phase));
  if (!observed.reason.empty()) message += ": " + observed.reason;
  if (!observed.message.empty()) message += ": " + observed.message;
  return message;
}

// The second half of what was admitted before: refused, it would leave its image half imported.
bool ends_import(const Request& request) {
  const auto* mutation = std::get_if<Mutation>(&request);
  return mutation && std::holds_alternative<FinishImageImport>(mutation->body);
}

}  // namespace

class Controller::Body {
 public:
  Body(ControllerConfig config, CellState state, store::Head head, CellUid fresh_cell)
      : config_(std::move(config)),
        fresh_cell_(fresh_cell),
        ledger_(std::move(state), config_.placement, head.sequence, config_.max_log_records),
        book_(config_.host_silence),
        mutations_(ledger_, book_),
        images_(config_, ledger_, mutations_),
        guard_(ledger_, config_.host_silence),
        chain_(head, config_.commit_retry) {}

  StepResult start(Now now);
  StepResult step(std::span<const Input> inputs, Now now);
  const CellState& state() const { return ledger_.state(); }

 private:
  // An output that is released when the sequence that it shows is durable.
  struct Held {
    Sequence needs;
    Output output;
  };

  void receive(const RequestArrived& arrived);
  void receive(const HostConnected& connected);
  void receive(const HostReported& reported);
  void receive(const HostDisconnected& disconnected);
  void receive(const CommitFinished& finished);
  void receive(const HeadObserved& observed);
  void receive(const ImageFilesDeleted& deleted) { images_.receive(deleted, now_); }
  void receive(const ImageFetched& fetched) { images_.receive(fetched, now_); }
  void receive(const ImportProgressed& progressed) { images_.receive(progressed, now_); }
  void receive(const ImageFilesListed& listed) { images_.receive(listed, now_); }
  void receive(const TimePassed&);

  void clear_up();
  bool has_room_for(const Request& request) const;
  void serve(const RequestArrived& arrived);
  void serve_waiting();
  void tell_new_orphans(const HostStatus& status);
  void accept_report(const HostStatus& status, const InstanceReport& report);
  Host merged(const HostHello& hello) const;
  void follow(CommitChain::Order order);
  void record_phases();
  void flush();
  void send_orders(Sequence sequence);
  HostOrders orders_for(const HostUid& host, Sequence sequence) const;
  void hold(Output output) { held_.push_back({ledger_.visible_sequence(), std::move(output)}); }
  void release();
  StepResult finish();
  void wake_at(std::optional<MonotonicTime> time) {
    if (time && (!result_.wake_at || *time < *result_.wake_at)) result_.wake_at = time;
  }

  const ControllerConfig config_;
  const CellUid fresh_cell_;
  Ledger ledger_;
  HostBook book_;
  Mutations mutations_;
  ImageWork images_;
  FailoverGuard guard_;
  CommitChain chain_;

  Now now_;
  StepResult result_;
  std::deque<Held> held_;
  std::deque<RequestArrived> waiting_;  // while the pending batch is full
  std::set<HostUid> orders_due_;
  std::set<InstanceUid> phases_changed_;
  std::set<Uuid> orphans_told_;
  MonotonicTime next_forget_;
  bool stepped_down_ = false;
};

StepResult Controller::Body::start(Now now) {
  now_ = now;
  next_forget_ = now.monotonic + kForgetEvery;
  guard_.begin(now.monotonic);
  if (const absl::Status status = bootstrap(ledger_, fresh_cell_, config_.networks, now);
      !status.ok()) {
    stepped_down_ = true;
    return {.outputs = {StepDown{std::string(message_of(status))}}};
  }
  clear_up();
  return finish();
}

void Controller::Body::clear_up() {
  images_.begin(now_);
  size_t told = 0;
  for (const auto& [key, status] : ledger_.state().invalid) {
    if (++told > kMostInvalidTold) break;
    ledger_.record(Event{.time = now_.wall,
                         .type = "RecordInvalid",
                         .resource = key,
                         .reason = "Unreadable",
                         .message = std::string(message_of(status))});
  }
  for (const auto& [uid, instance] : ledger_.state().instances) book_.expect(uid, now_.wall);
}

StepResult Controller::Body::step(std::span<const Input> inputs, Now now) {
  now_ = now;
  for (const Input& input : inputs) {
    if (stepped_down_) break;
    std::visit([this](const auto& value) { receive(value); }, input);
  }
  return finish();
}

void Controller::Body::receive(const RequestArrived& arrived) {
  const bool too_many = waiting_.size() + held_.size() >= config_.max_waiting_requests;
  if (too_many && !ends_import(arrived.request)) {
    result_.outputs.push_back(SendAnswer{
        arrived.ticket, with_reason(resource_exhausted("{} requests are waiting; try again later",
                                                       waiting_.size() + held_.size()),
                                    "TOO_MANY_REQUESTS")});
  } else if (!waiting_.empty() || !has_room_for(arrived.request)) {
    waiting_.push_back(arrived);
  } else {
    serve(arrived);
  }
}

// What no batch has room for is refused at once.
bool Controller::Body::has_room_for(const Request& request) const {
  const auto* mutation = std::get_if<Mutation>(&request);
  if (!mutation) return !ledger_.is_full();
  const Weight weight = weight_of(mutation->body, ledger_);
  return ledger_.has_room_for(Ledger::fits_any_batch(weight) ? weight : Weight());
}

void Controller::Body::serve(const RequestArrived& arrived) {
  const bool changes = std::holds_alternative<Mutation>(arrived.request);
  if (chain_.trouble() && changes && !ends_import(arrived.request)) {
    // At once: the refusal shows nothing that would have to be durable first.
    result_.outputs.push_back(SendAnswer{
        arrived.ticket,
        with_reason(unavailable("the store does not take commits at the moment ({}); try again "
                                "with the same request id",
                                message_of(*chain_.trouble())),
                    "STORE_UNAVAILABLE")});
    return;
  }
  const auto answer = std::visit(
      Overloaded{[this](const Mutation& mutation) { return mutations_.decide(mutation, now_); },
                 [this](const Query& query) {
                   return answer_query(query,
                                       {ledger_, book_, images_.progress(), ledger_.engine()},
                                       now_.monotonic);
                 }},
      arrived.request);
  hold(SendAnswer{arrived.ticket, answer});
}

void Controller::Body::serve_waiting() {
  while (!waiting_.empty() && has_room_for(waiting_.front().request)) {
    const RequestArrived arrived = std::move(waiting_.front());
    waiting_.pop_front();
    serve(arrived);
  }
}

Host Controller::Body::merged(const HostHello& hello) const {
  const auto known = ledger_.state().hosts.find(hello.host);
  Host host;
  if (known != ledger_.state().hosts.end()) {
    host = known->second;
  } else {
    host.uid = hello.host;
    host.created_at = now_.wall;
  }
  // Another host may have had this name: a new state directory is a new host.
  const auto named = ledger_.host_names().find(hello.id);
  const bool taken = named != ledger_.host_names().end() && named->second != hello.host;
  host.id = taken ? hello.id + "-" + hello.host.to_string().substr(0, 8) : hello.id;
  host.facts = hello.facts;
  host.reserve = hello.reserve;
  return host;
}

void Controller::Body::receive(const HostConnected& connected) {
  const HostHello& hello = connected.hello;
  if (hello.cell != ledger_.state().cell->uid) return;
  const Host host = merged(hello);
  const auto known = ledger_.state().hosts.find(hello.host);
  const bool is_new = known == ledger_.state().hosts.end();
  if (is_new || known->second.id != host.id || known->second.facts != host.facts ||
      known->second.reserve != host.reserve) {
    ledger_.record(Event{.time = now_.wall,
                         .type = is_new ? "HostJoined" : "HostChanged",
                         .resource = host_name(host.id),
                         .uid = host.uid.value()});
    ledger_.put(host);
  }
  add_mandatory_flavors(ledger_, now_);
  // It takes guests only once it has told what runs on it already.
  book_.connected(hello.host, now_.monotonic);
  orders_due_.insert(hello.host);
}

void Controller::Body::receive(const HostDisconnected& disconnected) {
  book_.disconnected(disconnected.host);
  ledger_.set_accepting(disconnected.host, false);
}

void Controller::Body::receive(const HostReported& reported) {
  const HostStatus& status = reported.status;
  // A report on another controller's orders says nothing about ours.
  if (status.epoch != chain_.durable().epoch) return;
  phases_changed_.merge(book_.reported(status, now_.monotonic));
  ledger_.set_foreign(status.host, status.foreign);
  tell_new_orphans(status);
  ledger_.set_orphans(status.host, status.orphans);
  ledger_.set_accepting(status.host, true);
  for (const InstanceReport& report : status.instances) {
    if (ledger_.is_full()) return;  // the agent repeats itself
    accept_report(status, report);
  }
  for (const NetworkUid& uid : status.networks_gone) {
    if (ledger_.is_full()) return;
    mutations_.forget_network_if_gone(uid, now_);
  }
}

// Once by each controller; what they are stays to be seen in the host.
void Controller::Body::tell_new_orphans(const HostStatus& status) {
  const auto host = ledger_.state().hosts.find(status.host);
  if (host == ledger_.state().hosts.end()) return;
  for (const OrphanReport& orphan : status.orphans) {
    if (ledger_.is_full()) return;  // the agent repeats itself
    if (!orphans_told_.insert(orphan.uuid).second) continue;
    ledger_.record(
        Event{.time = now_.wall,
              .type = "OrphanFound",
              .resource = host_name(host->second.id),
              .uid = orphan.uuid,
              .message = fmt::format("domain {} runs, once instance {}, and no record claims it",
                                     orphan.name, quoted(orphan.instance_id))});
  }
}

void Controller::Body::accept_report(const HostStatus& status, const InstanceReport& report) {
  const auto found = ledger_.state().instances.find(report.instance);
  if (found == ledger_.state().instances.end()) return book_.forget(report.instance);
  const Instance& instance = found->second;
  if (instance.claim.host != status.host) return;
  // What has changed since those orders is not what the report is about.
  if (instance.changed_at > status.sequence) return;
  if (instance.desired == DesiredState::kDeleted) {
    const bool gone = report.observed.phase == Phase::kDeleted &&
                      report.observed.generation == instance.generation;
    if (gone) mutations_.finish_deletion(instance, now_);
    return;
  }
  if (report.has_disk && !instance.has_disk) ledger_.note_disk(instance.uid);
  if (report.final_end && instance.desired == DesiredState::kRunning) {
    mutations_.accept_end(instance, *report.final_end, now_);
  }
}

void Controller::Body::receive(const CommitFinished& finished) {
  follow(chain_.finished(finished.result, now_.monotonic));
}

void Controller::Body::receive(const HeadObserved& observed) {
  follow(chain_.observed(observed.result, now_.monotonic));
}

void Controller::Body::receive(const TimePassed&) {
  follow(chain_.time_passed(now_.monotonic));
  if (now_.monotonic >= next_forget_) {
    const bool more = !ledger_.is_full() &&
                      ledger_.forget_requests(now_.wall - config_.request_memory, kForgetPerCommit);
    next_forget_ = now_.monotonic + (more ? kForgetSoon : kForgetEvery);
  }
  // What was true of a host that has fallen silent is no longer known to be.
  for (const HostUid& host : book_.take_silent(now_.monotonic)) {
    ledger_.set_accepting(host, false);
    for (const auto& [uid, instance] : ledger_.state().instances) {
      if (instance.claim.host == host) phases_changed_.insert(uid);
    }
  }
}

void Controller::Body::follow(CommitChain::Order order) {
  std::visit(
      Overloaded{[](std::monostate) {},
                 [this](CommitChain::Commit& commit) {
                   result_.outputs.push_back(CommitBatch{commit.previous, std::move(commit.batch)});
                 },
                 [this](CommitChain::Observe) { result_.outputs.push_back(ObserveHead{}); },
                 [this](CommitChain::Landed) {
                   result_.outputs.push_back(LogGrew{chain_.durable().sequence});
                 },
                 [this](CommitChain::Lost& lost) {
                   stepped_down_ = true;
                   result_.outputs.push_back(StepDown{std::move(lost.why)});
                 }},
      order);
}

// One event per instance that changed since the last commit, however often it did.
void Controller::Body::record_phases() {
  for (size_t i = 0; i < kPhaseEventsPerCommit && !phases_changed_.empty(); ++i) {
    if (ledger_.is_full()) return;
    const InstanceUid uid = *phases_changed_.begin();
    phases_changed_.erase(phases_changed_.begin());
    const auto found = ledger_.state().instances.find(uid);
    if (found == ledger_.state().instances.end()) continue;
    const Instance& instance = found->second;
    const Observed observed = book_.observed(uid, instance.claim.host, now_.monotonic);
    if (observed.phase == Phase::kDeleted) continue;
    const std::string project = ledger_.project_id(instance.project);
    ledger_.record(Event{.time = now_.wall,
                         .type = "PhaseChanged",
                         .project_id = project,
                         .resource = instance_name(project, instance.id),
                         .uid = uid.value(),
                         .reason = observed.reason,
                         .message = phase_message(observed)});
  }
}

HostOrders Controller::Body::orders_for(const HostUid& host, Sequence sequence) const {
  HostOrders orders{.cell = ledger_.state().cell->uid,
                    .host = host,
                    .epoch = chain_.durable().epoch,
                    .sequence = sequence};
  for (const auto& [uid, instance] : ledger_.state().instances) {
    if (instance.claim.host == host) orders.instances.push_back(instance);
  }
  for (const auto& [uid, network] : ledger_.state().networks) orders.networks.push_back(network);
  if (const placement::HostLoad* load = ledger_.fleet().find(host)) {
    orders.shared_cpus = placement::shared_cpus(*load);
  }
  return orders;
}

void Controller::Body::send_orders(Sequence sequence) {
  for (const HostUid& host : std::exchange(orders_due_, {})) {
    // A host that is not connected gets everything when it is.
    if (book_.is_connected(host))
      held_.push_back({sequence, SendOrders{orders_for(host, sequence)}});
  }
}

void Controller::Body::flush() {
  if (!chain_.idle()) return;
  serve_waiting();
  guard_.work(now_);
  record_phases();
  orders_due_.merge(ledger_.take_changed_hosts());
  if (ledger_.has_pending()) {
    // Memory now shows exactly what this commit makes durable, so orders are taken from it here.
    send_orders(ledger_.pending_sequence());
    follow(chain_.begin(ledger_.take_batch()));
    // Whoever waits comes before all else: a large mutation finds an empty batch.
    serve_waiting();
  } else {
    send_orders(chain_.durable().sequence);
    wake_at(guard_.wake_at(now_.monotonic));
  }
}

void Controller::Body::release() {
  while (!held_.empty() && held_.front().needs <= chain_.durable().sequence) {
    result_.outputs.push_back(std::move(held_.front().output));
    held_.pop_front();
  }
}

StepResult Controller::Body::finish() {
  if (!stepped_down_) {
    for (Output& order : images_.take_orders(now_)) hold(std::move(order));
    flush();
    release();
    wake_at(chain_.wake_at());
    wake_at(next_forget_);
    wake_at(book_.next_silence());
    wake_at(images_.wake_at());
  }
  return std::exchange(result_, {});
}

Controller::Controller(ControllerConfig config, CellState state, store::Head head,
                       CellUid fresh_cell)
    : body_(std::make_unique<Body>(std::move(config), std::move(state), head, fresh_cell)) {}
Controller::~Controller() = default;
StepResult Controller::start(Now now) {
  return body_->start(now);
}
StepResult Controller::step(std::span<const Input> inputs, Now now) {
  return body_->step(inputs, now);
}
const CellState& Controller::state() const {
  return body_->state();
}

}  // namespace stellwerk::controller

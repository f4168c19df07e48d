#include "api/daemon/controller_runtime.h"

#include <spdlog/spdlog.h>

#include "api/daemon/log_reader.h"
#include "api/daemon/one_line.h"
#include "api/daemon/random.h"
#include "core/failpoint.h"
#include "core/overloaded.h"
#include "core/resource_names.h"
#include "orchestrator/controller/mutation_names.h"
#include "orchestrator/records/keys.h"

namespace stellwerk::daemon {
namespace {

CellUid cell_of(const controller::CellState& state) {
  return state.cell ? state.cell->uid : CellUid(random_uuid());
}

void log_unreadable(const controller::CellState& state) {
  for (const auto& [key, status] : state.invalid) {
    spdlog::error("record unreadable key={} error=\"{}\"", key, one_line(message_of(status)));
  }
}

std::string subject_of(const controller::Answer& answer) {
  return std::visit(
      Overloaded{[](const controller::InstanceView& view) {
                   return fmt::format("projects/{}/instances/{} instance={} host={} generation={}",
                                      view.project_id, view.instance.id,
                                      view.instance.uid.to_string(), view.host_id,
                                      view.instance.generation.value());
                 },
                 [](const controller::ImageView& view) {
                   return fmt::format("projects/{}/images/{} image={}", view.project_id,
                                      view.image.id, view.image.uid.to_string());
                 },
                 [](const Flavor& flavor) { return "flavors/" + flavor.id; },
                 [](const controller::NetworkView& view) {
                   return fmt::format("projects/{}/networks/{} network={}", view.project_id,
                                      view.network.id, view.network.uid.to_string());
                 },
                 [](const controller::ProjectView& view) { return "projects/" + view.project.id; },
                 [](const controller::HostView& view) { return "hosts/" + view.host.id; },
                 [](const controller::SiteView& view) { return site_name(view.site.id); },
                 [](const controller::ZoneView& view) { return zone_name(view.zone.id); },
                 [](const controller::FeedView& view) { return feed_name(view.feed.id); },
                 [](const controller::RackView& view) { return rack_name(view.rack.id); },
                 [](const controller::InstancesView& view) {
                   return fmt::format("{} instances", view.instances.size());
                 },
                 [](const controller::PlacementView&) { return std::string("placement"); },
                 [](const controller::GroupView& view) {
                   return group_name(view.project_id, view.group.id);
                 },
                 []<class Item>(const controller::Page<Item>&) { return std::string("page"); },
                 [](const controller::CellSummary&) { return std::string("cell"); }},
      answer);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ControllerRuntime>> ControllerRuntime::load(
    ControllerRuntimeConfig config, Parts parts, StepDownSink step_down) {
  SW_ASSIGN_OR_RETURN(const std::optional<store::Head> seen, parts.store.observe());
  SW_ASSIGN_OR_RETURN(const store::Head head, parts.store.take_over(seen, random_uuid()));
  SW_ASSIGN_OR_RETURN(controller::CellState state, controller::load_cell(parts.store, head));
  log_unreadable(state);
  std::unique_ptr<ControllerRuntime> runtime(new ControllerRuntime(
      std::move(config), parts, std::move(step_down), std::move(state), head));
  return runtime;
}

ControllerRuntime::ControllerRuntime(ControllerRuntimeConfig config, Parts parts,
                                     StepDownSink step_down, controller::CellState state,
                                     const store::Head& head)
    : config_(std::move(config)),
      parts_(parts),
      cell_(cell_of(state)),
      step_down_(std::move(step_down)),
      head_(head),
      durable_(head.sequence.value()),
      controller_(config_.controller, std::move(state), head, cell_),
      loop_(parts.clock,
            [this](std::span<const controller::Input> inputs) {
              failpoint("controller.step");
              return carry_out(controller_.step(inputs, parts_.clock.now()));
            }),
      store_thread_({.name = "sw-store", .threads = 1, .max_waiting = 4}),
      blocking_({.name = "sw-blocking",
                 .threads = config_.blocking_threads,
                 .max_waiting = config_.max_blocking}),
      fetcher_(config_.fetch,
               {.storage = parts_.storage, .downloader = parts_.downloader, .clock = parts_.clock},
               {.progress = [this](const ImageUid& image,
                                   const auto& progress) { report_progress(image, progress); },
                .finished =
                    [this](const ImageUid& image, auto content) {
                      loop_.post(controller::ImageFetched{image, std::move(content)});
                    }}) {}

absl::Status ControllerRuntime::begin() {
  std::future<absl::Status> ready = ready_.get_future();
  loop_.start([this] {
    controller::StepResult first = controller_.start(parts_.clock.now());
    const bool commits = std::any_of(first.outputs.begin(), first.outputs.end(), [](auto& output) {
      return std::holds_alternative<controller::CommitBatch>(output);
    });
    const auto wake_at = carry_out(std::move(first));
    if (!commits) become_ready(absl::OkStatus());
    return wake_at;
  });
  if (ready.wait_for(config_.first_commit_patience) != std::future_status::ready) {
    const std::lock_guard lock(trouble_mutex_);
    return unavailable("the store has not taken the controller's first commit within {}: {}",
                       to_short_string(config_.first_commit_patience),
                       commit_trouble_.empty() ? "it does not answer" : commit_trouble_);
  }
  SW_RETURN_IF_ERROR(ready.get());
  spdlog::info("controller ready cell={} epoch={} sequence={}", cell_.to_string(),
               head_.epoch.value(), durable().value());
  return absl::OkStatus();
}

ControllerRuntime::~ControllerRuntime() {
  stop(Duration::zero());
}

void ControllerRuntime::refuse_requests() {
  loop_.run([this] {
    stepped_down_ = true;
    refuse_all_waiting();
  });
}

bool ControllerRuntime::stop(Duration patience) {
  loop_.stop();
  // The loop's thread is gone, so its state is ours.
  stepped_down_ = true;
  refuse_all_waiting();
  const bool fetcher_idle = fetcher_.stop(patience);
  const bool store_idle = store_thread_.stop(patience);
  const bool blocking_idle = blocking_.stop(patience);
  return fetcher_idle && store_idle && blocking_idle;
}

void ControllerRuntime::connect(HostHello hello, OrdersSink orders) {
  loop_.run([this, hello = std::move(hello), orders = std::move(orders)]() mutable {
    hosts_[hello.host] = std::move(orders);
    loop_.deliver(controller::HostConnected{std::move(hello)});
  });
}

void ControllerRuntime::report(HostStatus status) {
  loop_.post(controller::HostReported{std::move(status)});
}

absl::Status ControllerRuntime::ended() const {
  return with_reason(unavailable("this daemon is no longer the controller and is about to end; "
                                 "try again with the same request id"),
                     "NOT_THE_CONTROLLER");
}

void ControllerRuntime::submit(controller::Request request, server::AnswerCallback done) {
  Caller caller{.done = std::move(done), .mutation = {}, .name = {}, .request_id = {}};
  if (const auto* mutation = std::get_if<controller::Mutation>(&request)) {
    caller.mutation = controller::method_of(mutation->body);
    caller.name = mutation->context.caller;
    caller.request_id = mutation->context.request_id;
  }
  loop_.run([this, caller = std::move(caller), request = std::move(request)]() mutable {
    if (stepped_down_) return answer(std::move(caller), ended());
    const controller::Ticket ticket = next_ticket_++;
    waiting_.emplace(ticket, std::move(caller));
    loop_.deliver(controller::RequestArrived{ticket, std::move(request)});
  });
}

void ControllerRuntime::answer(Caller caller, absl::StatusOr<controller::Answer> answer) {
  if (!caller.mutation.empty()) {
    const std::string outcome = absl::StatusCodeToString(answer.status().code());
    if (answer.ok()) {
      spdlog::info("answered method={} request={} caller=\"{}\" outcome={} resource={}",
                   caller.mutation, caller.request_id.to_string(), one_line(caller.name), outcome,
                   subject_of(*answer));
    } else {
      spdlog::info("answered method={} request={} caller=\"{}\" outcome={} error=\"{}\"",
                   caller.mutation, caller.request_id.to_string(), one_line(caller.name), outcome,
                   one_line(message_of(answer.status())));
    }
  }
  caller.done(std::move(answer));
}

void ControllerRuntime::refuse_all_waiting() {
  for (auto& [ticket, caller] : std::exchange(waiting_, {})) answer(std::move(caller), ended());
}

absl::StatusOr<server::LogPage> ControllerRuntime::read_log(Sequence after, size_t limit) {
  return daemon::read_log(parts_.store, after, durable(), limit);
}

uint64_t ControllerRuntime::listen(std::function<void(Sequence)> listener) {
  const std::lock_guard lock(listeners_mutex_);
  listeners_.emplace(next_listener_, std::move(listener));
  return next_listener_++;
}

void ControllerRuntime::unlisten(uint64_t id) {
  const std::lock_guard lock(listeners_mutex_);
  listeners_.erase(id);
}

void ControllerRuntime::run_blocking(std::function<void()> work) {
  if (blocking_.try_run(work)) return;
  // The controller never blocks; what it runs is bounded by the streams that are open.
  if (loop_.is_own_thread() && blocking_.run_beyond_limit(work)) return;
  work();  // slows the caller down; work is never lost
}

void ControllerRuntime::report_progress(const ImageUid& image,
                                        const controller::ImportProgress& progress) {
  loop_.post(controller::ImportProgressed{image, progress});
}

RequestId ControllerRuntime::fresh_request_id() {
  return RequestId(random_uuid());
}

void ControllerRuntime::become_ready(absl::Status status) {
  if (!std::exchange(ready_said_, true)) ready_.set_value(std::move(status));
}

std::optional<MonotonicTime> ControllerRuntime::carry_out(controller::StepResult result) {
  for (controller::Output& output : result.outputs) {
    std::visit([this](auto& one) { carry_out_one(std::move(one)); }, output);
  }
  return result.wake_at;
}

void ControllerRuntime::carry_out_one(controller::SendAnswer output) {
  const auto found = waiting_.find(output.ticket);
  if (found == waiting_.end()) return;  // refused while this daemon steps down
  Caller caller = std::move(found->second);
  waiting_.erase(found);
  answer(std::move(caller), std::move(output.answer));
}

void ControllerRuntime::carry_out_one(controller::SendOrders output) {
  const auto found = hosts_.find(output.orders.host);
  if (found != hosts_.end()) found->second(std::move(output.orders));
}

void ControllerRuntime::carry_out_one(controller::CommitBatch output) {
  const auto commit = [this, output = std::move(output)] {
    const MonotonicTime begun = parts_.clock.now().monotonic;
    auto result = parts_.store.commit(output.previous, output.batch);
    if (config_.on_commit) {
      config_.on_commit(result.status().code(),
                        output.batch.puts.size() + output.batch.deletes.size(),
                        parts_.clock.now().monotonic - begun);
    }
    log_commit(output.previous.sequence.next(), result.status());
    loop_.post(controller::CommitFinished{std::move(result)});
  };
  // Never refused: one commit or one look at the head is under way at a time.
  if (!store_thread_.try_run(commit)) std::abort();
}

// A store that is away is asked again and again; it is told of when its answer changes.
void ControllerRuntime::log_commit(Sequence sequence, const absl::Status& status) {
  std::string trouble = status.ok() ? "" : one_line(describe(status));
  const std::lock_guard lock(trouble_mutex_);
  if (trouble == commit_trouble_) return;
  if (status.ok()) {
    spdlog::info("commits go through again sequence={}", sequence.value());
  } else {
    spdlog::error("commit failed sequence={} error=\"{}\"", sequence.value(), trouble);
  }
  commit_trouble_ = std::move(trouble);
}

void ControllerRuntime::carry_out_one(controller::ObserveHead) {
  const auto observe = [this] { loop_.post(controller::HeadObserved{parts_.store.observe()}); };
  if (!store_thread_.try_run(observe)) std::abort();
}

void ControllerRuntime::carry_out_one(controller::LogGrew output) {
  durable_.store(output.durable.value());
  become_ready(absl::OkStatus());
  // Held while they are called, so that unlisten returns when no call is under way.
  const std::lock_guard lock(listeners_mutex_);
  for (const auto& [id, listener] : listeners_) listener(output.durable);
}

void ControllerRuntime::carry_out_one(controller::DeleteImageFiles output) {
  const auto remove = [this, image = output.image] {
    fetcher_.end(image);
    absl::Status result = parts_.storage.delete_image(image);
    spdlog::info("image files deleted image={} outcome=\"{}\"", image.to_string(),
                 one_line(describe(result)));
    loop_.post(controller::ImageFilesDeleted{image, std::move(result)});
  };
  if (blocking_.try_run(remove)) return;
  loop_.deliver(controller::ImageFilesDeleted{output.image, unavailable("too much waits")});
}

void ControllerRuntime::carry_out_one(controller::FetchImage output) {
  fetcher_.fetch(output.image, output.source);
}

void ControllerRuntime::carry_out_one(controller::ListImageFiles) {
  const auto list = [this] {
    absl::StatusOr<storage::Inventory> there = parts_.storage.inventory();
    if (!there.ok()) return loop_.post(controller::ImageFilesListed{there.status()});
    std::vector<ImageUid> images = std::move(there->images);
    images.insert(images.end(), there->unfinished.begin(), there->unfinished.end());
    loop_.post(controller::ImageFilesListed{std::move(images)});
  };
  if (!blocking_.try_run(list)) spdlog::debug("too much waits; images are looked at later");
}

void ControllerRuntime::carry_out_one(controller::StepDown output) {
  spdlog::critical("controller steps down why=\"{}\"", one_line(output.why));
  stepped_down_ = true;
  become_ready(failed_precondition("{}", output.why));
  refuse_all_waiting();
  step_down_(std::move(output.why));
}

}  // namespace stellwerk::daemon

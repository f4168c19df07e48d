#include "tests/sim/daemon.h"

#include <algorithm>
#include <utility>

#include "tests/sim/damage.h"
#include "tests/sim/invariants.h"

namespace stellwerk::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

controller::ControllerConfig controller_config(const CellPlan& plan) {
  Network flat{.id = "flat",
               .bridge = "stellwerk0",
               // Five guests' addresses: small enough to run out and to be given again.
               .v4 = Subnet{.range = *IpPrefix::parse("10.64.0.0/29"),
                            .gateway = IpAddress::parse("10.64.0.1"),
                            .next = {}}};
  return {.placement = {.guarantee = plan.guarantee},
          .networks = {std::move(flat)},
          .image_audit_every = seconds(5),
          .image_grace = seconds(30)};
}

}  // namespace

Daemon::Daemon(const Stage& stage, const CellPlan& plan)
    : Service(stage, stage.world.machines().front(), "daemon"), plan_(plan) {}

void Daemon::start() {
  running_ = std::make_unique<Running>(stage_);
  running_->life.after(soon(), [this] { open_storage(); });
}

void Daemon::open_storage() {
  if (stage_.bug != Bug::kKeepPartialFiles) {
    SimStorage storage(stage_.world, machine_);
    storage.clean_up_images();
    storage.clean_up_disks();
  }
  running_->life.after(soon(), [this] { observe(); });
}

void Daemon::observe() {
  if (stage_.bug == Bug::kLoadBeforeTakeover && stage_.store.head()) {
    loaded_early_ = *controller::load_cell(stage_.store, *stage_.store.head());
    return running_->life.after(seconds(1), [this] { take_over(stage_.store.head()); });
  }
  const auto seen = stage_.store.observe();
  running_->life.after(soon(), [this, seen] { take_over(*seen); });
}

void Daemon::take_over(const std::optional<store::Head>& seen) {
  const auto head = stage_.store.take_over(seen, stage_.delays.uuid());
  if (!head.ok()) return exit(describe(head.status()));
  running_->life.after(soon(), [this, head = *head] { load(head); });
}

void Daemon::load(const store::Head& head) {
  auto state = controller::load_cell(stage_.store, head);
  if (!state.ok()) return exit(describe(state.status()));
  if (loaded_early_) state = *std::exchange(loaded_early_, std::nullopt);
  damage(stage_.bug, *state);
  serve(head, *std::move(state));
}

void Daemon::serve(const store::Head& head, controller::CellState state) {
  Running& running = *running_;
  stage_.invariants.process_begins();
  const CellUid fresh_cell(stage_.delays.uuid());
  cell_ = state.cell ? state.cell->uid : fresh_cell;
  stage_.log.add("daemon: serves cell {} with {} instances", brief(cell_), state.instances.size());
  running.executor = std::make_unique<Executor>(stage_, machine_, running.life, cell_);
  running.controller = std::make_unique<ControllerShell>(
      stage_, running.life, *running.executor,
      std::make_unique<controller::Controller>(controller_config(plan_), std::move(state), head,
                                               fresh_cell),
      ControllerShell::Ways{.send_orders =
                                [this](HostOrders orders) {
                                  const auto side = sides_.find(orders.host);
                                  if (side != sides_.end()) side->second->send_orders(orders);
                                },
                            .exit = [this](std::string why) { exit(std::move(why)); }});
  running.controller->start();
  for (const auto& [host, side] : sides_) side->controller_serves();
  running.side.emplace(stage_, machine_, running.life, *running.executor, cell_, *this);
  running.side->start();
}

void Daemon::enter(HostSide& side) {
  sides_[side.host()] = &side;
}

void Daemon::leave(HostSide& side) {
  sides_.erase(side.host());
}

size_t Daemon::count_linked() const {
  return static_cast<size_t>(
      std::ranges::count_if(sides_, [](const auto& side) { return side.second->is_linked(); }));
}

void Daemon::host_connects(HostHello hello) {
  ++running_->connections[hello.host];
  running_->controller->post(controller::HostConnected{std::move(hello)});
}

void Daemon::host_reports(HostStatus status) {
  running_->controller->post(controller::HostReported{std::move(status)});
}

// Unless it has connected anew before.
void Daemon::host_is_lost(const HostUid& host) {
  if (!is_serving()) return;
  running_->life.after(stage_.delays.between(milliseconds(1), seconds(2)),
                       [this, host, connection = running_->connections[host]] {
                         if (running_->connections[host] != connection) return;
                         running_->controller->post(controller::HostDisconnected{host});
                       });
}

void Daemon::break_link(const HostUid& host) {
  const auto side = sides_.find(host);
  if (side != sides_.end()) side->second->break_link();
}

void Daemon::end(bool power_cut) {
  running_.reset();
  for (const auto& [host, side] : sides_) side->controller_is_gone();
  stage_.store.writer_died(power_cut);
  if (on_death_) on_death_();
}

// The process ends by itself, after the function that noticed has returned.
void Daemon::exit(std::string why) {
  running_->life.after(Duration(0), [this, why = std::move(why)] { kill(why); });
}

void Daemon::submit(controller::Request request, AnswerCallback done) {
  if (!is_serving()) {
    return stage_.schedule.after(
        soon(), [done = std::move(done)] { done(unavailable("nobody listens on the socket")); });
  }
  running_->life.after(stage_.delays.between(Duration(50), milliseconds(3)),
                       [this, request = std::move(request), done = std::move(done)]() mutable {
                         running_->controller->submit(std::move(request), std::move(done));
                       });
}

void Daemon::import_image(controller::MutationContext context, controller::BeginImageImport begin,
                          AnswerCallback done) {
  submit(controller::Mutation{context, std::move(begin)},
         [this, context, done = std::move(done)](absl::StatusOr<controller::Answer> answer) {
           if (!answer.ok()) return done(std::move(answer));
           const auto& image = std::get<controller::ImageView>(*answer).image;
           if (image.state == ImageState::kActive) return done(std::move(answer));
           running_->executor->import_image(
               image.uid, [this, context, uid = image.uid, done](auto facts) {
                 if (!facts.ok()) return give_up_import(context, uid, facts.status(), done);
                 finish_import(context, uid, *facts, done);
               });
         });
}

void Daemon::finish_import(controller::MutationContext context, const ImageUid& image,
                           const storage::ImageFacts& facts, AnswerCallback done) {
  const controller::FinishImageImport finish{
      .image = image,
      .content = controller::ImportedContent{.format = facts.format,
                                             .file_size = facts.file_size,
                                             .virtual_size = facts.virtual_size,
                                             .sha256 = facts.sha256}};
  submit(controller::Mutation{context, finish},
         [this, context, image, done](absl::StatusOr<controller::Answer> answer) {
           if (answer.ok()) return done(std::move(answer));
           give_up_import(context, image, answer.status(), done);
         });
}

// Until the controller could commit it: the name stays taken before.
void Daemon::give_up_import(controller::MutationContext context, const ImageUid& image,
                            const absl::Status& why, AnswerCallback done) {
  submit(controller::Mutation{context, controller::FinishImageImport{image, why}},
         [this, context, image, why, done](const absl::StatusOr<controller::Answer>& answer) {
           const bool decided = answer.status() == why || !absl::IsUnavailable(answer.status());
           if (decided) return done(why);
           running_->life.after(seconds(1), [this, context, image, why, done] {
             give_up_import(context, image, why, done);
           });
         });
}

}  // namespace stellwerk::sim

#include "tests/sim/daemon.h"

#include <utility>

#include "tests/sim/invariants.h"

namespace stellwerk::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

controller::ControllerConfig controller_config() {
  Network flat{.id = "flat",
               .bridge = "stellwerk0",
               // Five guests' addresses: small enough to run out and to be given again.
               .v4 = Subnet{.range = *IpPrefix::parse("10.64.0.0/29"),
                            .gateway = IpAddress::parse("10.64.0.1"),
                            .next = {}}};
  return {
      .networks = {std::move(flat)}, .image_audit_every = seconds(5), .image_grace = seconds(30)};
}

}  // namespace

Daemon::Daemon(const Stage& stage) : stage_(stage) {
  stage_.world.listen([this](const hypervisor::DomainEvent& event) {
    if (running_ && running_->agent) running_->agent->domain_changes(event);
  });
}

Duration Daemon::soon() {
  return stage_.delays.between(milliseconds(1), milliseconds(40));
}

void Daemon::begin() {
  if (running_ || !stage_.world.machine().powered) return;
  stage_.log.add("daemon: begins");
  running_ = std::make_unique<Running>(stage_);
  running_->life.after(soon(), [this] { open_storage(); });
}

void Daemon::begin_later(Duration delay) {
  stage_.schedule.after(delay, [this] { begin(); });
}

void Daemon::open_storage() {
  if (stage_.bug != Bug::kKeepPartialFiles) SimStorage(stage_.world).clean_up();
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
  if (stage_.bug == Bug::kForgetRequests) state->requests.clear();
  if (stage_.bug == Bug::kLooseLimits) {
    for (auto& [uid, project] : state->projects) project.limits = {};
  }
  if (stage_.bug == Bug::kForgetPins) {
    for (auto& [uid, instance] : state->instances) instance.claim.cpus.clear();
  }
  serve(head, *std::move(state));
}

void Daemon::serve(const store::Head& head, controller::CellState state) {
  Running& running = *running_;
  stage_.invariants.process_begins();
  const CellUid fresh_cell(stage_.delays.uuid());
  cell_ = state.cell ? state.cell->uid : fresh_cell;
  stage_.log.add("daemon: serves cell {} with {} instances", brief(cell_), state.instances.size());
  running.executor = std::make_unique<Executor>(stage_, running.life, cell_);
  running.controller = std::make_unique<ControllerShell>(
      stage_, running.life, *running.executor,
      std::make_unique<controller::Controller>(controller_config(), std::move(state), head,
                                               fresh_cell),
      ControllerShell::Ways{.send_orders =
                                [this](HostOrders orders) {
                                  running_->link.to_agent([this, orders = std::move(orders)] {
                                    running_->agent->orders_arrive(orders);
                                  });
                                },
                            .exit = [this](std::string why) { exit(std::move(why)); }});
  running.agent = std::make_unique<AgentShell>(
      stage_, running.life, *running.executor,
      agent::AgentConfig{.cell = cell_, .host = stage_.world.machine().uid},
      [this](HostStatus status) {
        running_->link.to_controller([this, status = std::move(status)] {
          running_->controller->post(controller::HostReported{status});
        });
      });
  running.controller->start();
  running.agent->start();
  running.life.after(soon(), [this] { connect_agent(); });
}

void Daemon::connect_agent() {
  const Machine& machine = stage_.world.machine();
  running_->link.connect();
  running_->link.to_controller([this, hello = HostHello{.cell = cell_,
                                                        .host = machine.uid,
                                                        .id = machine.id,
                                                        .facts = machine.facts,
                                                        .reserve = machine.reserve}] {
    running_->controller->post(controller::HostConnected{hello});
  });
}

void Daemon::break_link() {
  if (!is_serving() || !running_->link.is_up()) return;
  stage_.log.add("link: breaks");
  running_->link.break_off();
  running_->life.after(stage_.delays.between(milliseconds(1), seconds(2)), [this] {
    running_->controller->post(controller::HostDisconnected{stage_.world.machine().uid});
  });
  running_->life.after(stage_.delays.between(seconds(2), seconds(45)), [this] {
    stage_.log.add("link: is back");
    connect_agent();
  });
}

void Daemon::die(bool power_cut) {
  running_.reset();
  stage_.store.writer_died(power_cut);
  if (on_death_) on_death_();
}

void Daemon::kill(std::string_view why) {
  if (!running_) return;
  stage_.log.add("daemon: killed ({})", why);
  die(false);
  begin_later(stage_.delays.between(milliseconds(100), seconds(5)));
}

void Daemon::power_cut() {
  if (!stage_.world.machine().powered) return;
  stage_.world.cut_power();
  die(true);
  stage_.schedule.after(stage_.delays.between(seconds(5), seconds(30)), [this] {
    stage_.world.restore_power();
    begin_later(stage_.delays.between(seconds(1), seconds(5)));
  });
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

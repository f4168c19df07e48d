// One stellwerkd of the simulated machine: a process that begins, takes the store over, serves,
// and may be killed at any moment; systemd starts it anew. All its soft state goes with it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tests/sim/agent_shell.h"
#include "tests/sim/controller_shell.h"
#include "tests/sim/link.h"
#include "tests/sim/stage.h"

namespace stellwerk::sim {

class Daemon {
 public:
  explicit Daemon(const Stage& stage);

  // systemd's part: starts the process unless it runs or the machine has no power.
  void begin();
  // Ends the process now; systemd begins the next after a moment.
  void kill(std::string_view why);
  void power_cut();
  // Controller and agent lose sight of each other for a while.
  void break_link();

  bool is_serving() const { return running_ && running_->controller; }
  bool is_linked() const { return is_serving() && running_->link.is_up(); }
  // What the controller holds in memory; only while it serves.
  const controller::CellState& state() const { return running_->controller->state(); }
  // The cell's identity, once somebody served it.
  const CellUid& cell() const { return cell_; }

  // Unavailable when nobody serves; no answer at all when the daemon dies meanwhile.
  void submit(controller::Request request, AnswerCallback done);
  // As the API server does it: the name, the bytes, the end.
  void import_image(controller::MutationContext context, controller::BeginImageImport begin,
                    AnswerCallback done);
  // Called after each death: who waits for answers will not get any.
  void on_death(Action listener) { on_death_ = std::move(listener); }

 private:
  struct Running {
    explicit Running(const Stage& stage) : life(stage.schedule), link(stage, life) {}
    Life life;
    Link link;
    std::unique_ptr<Executor> executor;
    std::unique_ptr<AgentShell> agent;
    std::unique_ptr<ControllerShell> controller;
  };

  // The stages of a beginning process, each an event of its own.
  void open_storage();
  void observe();
  void take_over(const std::optional<store::Head>& seen);
  void load(const store::Head& head);
  void serve(const store::Head& head, controller::CellState state);
  void connect_agent();

  void finish_import(controller::MutationContext context, const ImageUid& image,
                     const storage::ImageFacts& facts, AnswerCallback done);
  void give_up_import(controller::MutationContext context, const ImageUid& image,
                      const absl::Status& why, AnswerCallback done);
  void die(bool power_cut);
  void begin_later(Duration delay);
  void exit(std::string why);
  Duration soon();

  const Stage& stage_;
  std::unique_ptr<Running> running_;
  CellUid cell_;
  std::optional<controller::CellState> loaded_early_;  // by a planted bug
  Action on_death_;
};

}  // namespace stellwerk::sim

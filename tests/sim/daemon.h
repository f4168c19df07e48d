// The stellwerkd of the first machine: controller and agent in one process. It begins, takes the
// store over, and serves the cell: its own host and those that connect.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tests/sim/cell_plan.h"
#include "tests/sim/controller_shell.h"
#include "tests/sim/host_side.h"
#include "tests/sim/service.h"

namespace stellwerk::sim {

class Daemon final : public Service, public Reception {
 public:
  Daemon(const Stage& stage, const CellPlan& plan);
  ~Daemon() override { running_.reset(); }

  // The agent of this host, if it runs, loses sight of the controller for a while.
  void break_link(const HostUid& host);

  bool is_serving() const override { return running_ && running_->controller; }
  // The agents that have found the controller.
  size_t count_linked() const;
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

  void enter(HostSide& side) override;
  void leave(HostSide& side) override;
  void host_connects(HostHello hello) override;
  void host_reports(HostStatus status) override;
  void host_is_lost(const HostUid& host) override;

 private:
  struct Running {
    explicit Running(const Stage& stage) : life(stage.schedule) {}
    Life life;
    std::unique_ptr<Executor> executor;
    std::unique_ptr<ControllerShell> controller;
    std::map<HostUid, uint64_t> connections;  // so many of each
    std::optional<HostSide> side;             // of this host
  };

  bool runs() const override { return running_ != nullptr; }
  void start() override;
  void end(bool power_cut) override;

  // The stages of a beginning process, each an event of its own.
  void open_storage();
  void observe();
  void take_over(const std::optional<store::Head>& seen);
  void load(const store::Head& head);
  void serve(const store::Head& head, controller::CellState state);

  void finish_import(controller::MutationContext context, const ImageUid& image,
                     const storage::ImageFacts& facts, AnswerCallback done);
  void give_up_import(controller::MutationContext context, const ImageUid& image,
                      const absl::Status& why, AnswerCallback done);
  void exit(std::string why);

  const CellPlan& plan_;
  std::map<HostUid, HostSide*> sides_;  // of every agent that runs
  std::unique_ptr<Running> running_;
  CellUid cell_;
  std::optional<controller::CellState> loaded_early_;  // by a planted bug
  Action on_death_;
};

}  // namespace stellwerk::sim

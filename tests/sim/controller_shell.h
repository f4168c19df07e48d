// What the daemon puts around its controller: a queue in front, and hands that carry its outputs
// out. One life.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "orchestrator/controller/controller.h"
#include "tests/sim/executor.h"
#include "tests/sim/mailbox.h"
#include "tests/sim/stage.h"

namespace stellwerk::sim {

using AnswerCallback = std::function<void(absl::StatusOr<controller::Answer>)>;

class ControllerShell {
 public:
  struct Ways {
    std::function<void(HostOrders)> send_orders;
    std::function<void(std::string why)> exit;
  };

  ControllerShell(const Stage& stage, Life& life, Executor& executor,
                  std::unique_ptr<controller::Controller> controller, Ways ways);

  void start();
  void submit(controller::Request request, AnswerCallback done);
  void post(controller::Input input) { mailbox_.post(std::move(input)); }
  const controller::CellState& state() const { return controller_->state(); }

 private:
  struct Waiting {
    controller::Request request;
    AnswerCallback done;
  };

  std::optional<MonotonicTime> carry_out(controller::StepResult result);
  void carry_out(controller::SendAnswer output);
  void carry_out(controller::SendOrders output);
  void carry_out(controller::CommitBatch output);
  void carry_out(controller::ObserveHead output);
  void carry_out(controller::LogGrew output);
  void carry_out(controller::DeleteImageFiles output);
  void carry_out(controller::FetchImage output);
  void carry_out(controller::ListImageFiles output);
  void carry_out(controller::StepDown output);

  const Stage& stage_;
  Life& life_;
  Executor& executor_;
  std::unique_ptr<controller::Controller> controller_;
  Ways ways_;
  Mailbox<controller::Input, controller::TimePassed> mailbox_;
  controller::Ticket next_ticket_ = 1;
  std::map<controller::Ticket, Waiting> waiting_;
  bool committing_ = false;
  bool answered_ = false;        // anything yet: what comes before is what a restart goes on with
  std::set<ImageUid> unwanted_;  // their files are to go
};

}  // namespace stellwerk::sim

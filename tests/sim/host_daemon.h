// One stellwerkd that is an agent alone, on a machine of its own. It finds the controller of the
// cell that it belongs to whenever that serves, and goes on without it.
#pragma once

#include <memory>
#include <optional>

#include "tests/sim/host_side.h"
#include "tests/sim/service.h"

namespace stellwerk::sim {

class HostDaemon final : public Service {
 public:
  HostDaemon(const Stage& stage, Machine& machine, Reception& reception);

  // Once, before `begin`: the cell that its configuration names.
  void join(const CellUid& cell) { cell_ = cell; }

 private:
  struct Running {
    Running(const Stage& stage, Machine& machine, CellUid cell)
        : life(stage.schedule), executor(stage, machine, life, cell) {}
    Life life;
    Executor executor;
    std::optional<HostSide> side;
  };

  bool runs() const override { return running_ != nullptr; }
  void start() override;
  void end(bool power_cut) override;

  Reception& reception_;
  CellUid cell_;
  std::unique_ptr<Running> running_;
};

}  // namespace stellwerk::sim

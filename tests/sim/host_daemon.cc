#include "tests/sim/host_daemon.h"

namespace stellwerk::sim {

HostDaemon::HostDaemon(const Stage& stage, Machine& machine, Reception& reception)
    : Service(stage, machine, "daemon of " + machine.id), reception_(reception) {}

void HostDaemon::start() {
  running_ = std::make_unique<Running>(stage_, machine_, cell_);
  running_->life.after(soon(), [this] {
    if (stage_.bug != Bug::kKeepPartialFiles) {
      SimStorage(stage_.world, machine_).clean_up_disks();
    }
    running_->life.after(soon(), [this] {
      running_->side.emplace(stage_, machine_, running_->life, running_->executor, cell_,
                             reception_);
      running_->side->start();
    });
  });
}

void HostDaemon::end(bool /*power_cut*/) {
  running_.reset();
}

}  // namespace stellwerk::sim

// Whether the cell has come to rest: asks it through its API, and holds what it says against the
// world. Used once faults have stopped: then every instance must reach its desired state, and
// nothing may be left over.
#pragma once

#include <optional>
#include <string>

#include "tests/sim/client.h"
#include "tests/sim/daemon.h"
#include "tests/sim/stage.h"

namespace stellwerk::sim {

class Inspector {
 public:
  Inspector(const Stage& stage, Daemon& daemon, const Client& client)
      : stage_(stage), daemon_(daemon), client_(client) {}

  // `done` gets what is not yet as it should be, or nothing.
  using Finding = std::optional<std::string>;
  void inspect(std::function<void(Finding)> done);

 private:
  using Instances = controller::Page<controller::InstanceView>;
  using Hosts = controller::Page<controller::HostView>;
  using Projects = controller::Page<controller::ProjectView>;

  Finding judge(const Instances& instances, const Hosts& hosts) const;
  Finding judge(const controller::InstanceView& view) const;
  Finding judge_running(const controller::InstanceView& view) const;
  Finding judge_pins(const Instance& instance, const hypervisor::CpuPins& pins) const;
  Finding judge(const controller::HostView& host) const;
  Finding judge(const Projects& projects) const;
  Finding judge_memory() const;
  Finding judge_files() const;
  Finding judge_networks() const;
  Finding judge_store() const;

  const Stage& stage_;
  Daemon& daemon_;
  const Client& client_;
};

}  // namespace stellwerk::sim

// Carries out the agent's steps on the simulated drivers, call by call, as the daemon's own
// executor does on real ones. Every call may fail, be slow, or happen without its answer; between
// two calls the daemon may die, and what it had asked of the hypervisor may still happen.
//
// Belongs to one life of the daemon.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/agent/agent.h"
#include "tests/sim/sim_hypervisor.h"
#include "tests/sim/sim_storage.h"
#include "tests/sim/stage.h"

namespace stellwerk::sim {

class Executor {
 public:
  using Done = std::function<void(absl::Status)>;
  using Seen = std::function<void(absl::StatusOr<agent::HostObservation>)>;

  using Imported = std::function<void(absl::StatusOr<storage::ImageFacts>)>;

  Executor(const Stage& stage, Life& life, CellUid cell);

  void run(const agent::Step& step, Done done);
  // The upkeep; then domains, files and ports, one after the other.
  void observe(const agent::HostUpkeep& upkeep, Seen seen);
  void delete_image(const ImageUid& image, Done done);
  // The bytes of an image, streamed; a death in the middle leaves a partial file.
  // Nothing is published once it is no longer wanted.
  void import_image(
      const ImageUid& image, Imported done, std::function<bool()> wanted = [] { return true; });
  void list_images(std::function<void(absl::StatusOr<std::vector<ImageUid>>)> done);

 private:
  struct Call {
    std::string name;
    std::function<absl::Status()> effect;
    bool outlives_caller = false;  // libvirt's daemon finishes what it has begun
    // The domain whose process, as it is when the call is made, the call is about.
    std::optional<InstanceUid> target = std::nullopt;
    bool copies = false;  // takes seconds
    Action abandon;       // clears up after a refusal
  };
  using Calls = std::vector<Call>;

  Calls calls_of(const agent::Step& step);
  Calls calls_for(const agent::PrepareFiles& step);
  Calls calls_for(const agent::StartDomain& step);
  Call mark_started(const InstanceUid& instance, Generation run);
  Call hypervisor_call(std::string name, std::function<absl::Status(SimHypervisor&)> effect);
  Call domain_call(std::string name, const InstanceUid& target,
                   std::function<absl::Status(SimHypervisor&)> effect);

  void keep_up(const agent::HostUpkeep& upkeep, agent::HostObservation& sight);
  void run_from(std::shared_ptr<const Calls> calls, size_t index, Done done);
  void perform(const Call& call, Done done);
  void happen(const Call& call, Duration delay, Done done);

  const Stage& stage_;
  Life& life_;
  std::shared_ptr<SimHypervisor> hypervisor_;
  SimStorage storage_;
  SimNetwork network_;
};

}  // namespace stellwerk::sim

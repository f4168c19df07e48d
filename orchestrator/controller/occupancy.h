// What instances occupy, as the placement engine counts it: built from the cell's state, kept
// current with every change of it, and built anew when the fleet itself changes shape. One thread
// at a time.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "core/host_messages.h"
#include "orchestrator/controller/cell_state.h"
#include "placement/engine.h"

namespace stellwerk::controller {

class Occupancy {
 public:
  explicit Occupancy(const placement::Settings& settings);

  const placement::Engine& engine() const { return *engine_; }
  // To ask it; what it counts changes through the functions below alone.
  placement::Engine& engine() { return *engine_; }

  // After sites, zones, racks, feeds or where a host stands have changed.
  void rebuild(const CellState& state);
  // `state` has the host already; `moved`: it is new, or stands in another rack than before.
  void put(const Host& host, bool moved, const CellState& state);
  void put(const Group& group);
  void erase(const GroupUid& group);
  // Claims on a host whose record is unreadable count when it reports itself again.
  void add(const Instance& instance);
  void take_out(const Instance& instance);
  // True if that is new: on every host, there is no cache of images yet.
  bool set_images(Bytes images);

  // Soft: what a host's agent reported, true if that is new. Hosts that are not there are passed
  // over.
  bool set_accepting(const HostUid& host, bool accepting);
  bool set_foreign(const HostUid& host, const ForeignUse& foreign);
  // Processors that orphans have to themselves.
  void set_orphans_cpus(const HostUid& host, std::vector<int32_t> cpus);

 private:
  struct Soft {
    bool accepting = false;
    ForeignUse foreign;
    std::vector<int32_t> orphans_cpus;
  };

  const placement::Settings settings_;
  std::unique_ptr<placement::Engine> engine_;
  std::map<HostUid, Soft> soft_;
  Bytes images_;
};

placement::Occupation occupation_of(const Instance& instance);

}  // namespace stellwerk::controller

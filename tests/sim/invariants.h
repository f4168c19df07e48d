// What must hold at every moment, whatever fails: held against the truth of the world and of the
// store after every event and at every act. The first breach ends the run.
//
//  - never two processes of one instance, on whichever machines, and only where its claim is;
//    none of a stranger is touched
//  - no process, disk or port without a record; none is left when the record goes
//  - what is answered, shown or ordered is durable; no answer is lost afterwards
//  - the same request is decided once and always answered alike
//  - no address at the same time and no MAC ever is given twice
//  - what is placed may stand where it stands: see PlacementAudit
//  - no hardware thread is two instances' own, by their claims and by where their vCPUs run
//  - nothing is stopped or destroyed unless the orders at hand name it
//  - a reboot is carried out once; a claim changes by a resize alone, and then as a whole
//  - nothing is admitted beyond a project's limits; its members are told of no host
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/host_messages.h"
#include "orchestrator/agent/plan.h"
#include "orchestrator/controller/requests.h"
#include "tests/sim/event_log.h"
#include "tests/sim/placement_audit.h"
#include "tests/sim/record_history.h"
#include "tests/sim/sim_store.h"
#include "tests/sim/world.h"

namespace stellwerk::sim {

class Invariants {
 public:
  Invariants(EventLog& log, const World& world, SimStore& store,
             std::optional<DomainLevel> guarantee);

  void fail(std::string what);
  const std::optional<std::string>& failure() const { return failure_; }
  const RecordHistory& history() const { return history_; }
  const PlacementAudit& placements() const { return placements_; }

  void after_event();
  // The controller's acts, as they leave it.
  void answered(const controller::Request& request,
                const absl::StatusOr<controller::Answer>& answer);
  void orders_sent(const HostOrders& orders);
  void log_grew(Sequence durable);
  void fetch_begins(const ImageUid& image, const ImageSource& source);
  void stepped_down(const std::string& why);
  // The agent's, with the sequence of the newest orders that it got.
  void step_begins(const Machine& machine, const agent::Step& step, Sequence orders);
  // A new process begins to serve: what was ever answered must still be there.
  void process_begins();

 private:
  void committed(const store::Head& head, const store::Batch& batch);
  void check_written(const Instance& instance, const RecordHistory::Change& change);
  void check_image(const Instance& instance);
  void check_own_stop(const Instance& instance, const RecordHistory::Change& change);
  void check_ports(const Instance& instance);
  void check_erased(const Instance& instance);
  void check_audit(const RecordHistory::Change& change);
  void check_claim(const Instance& before, const Instance& after,
                   const RecordHistory::Change& change);
  void check_limits(const RecordHistory::Change& change);
  void check_processors(const Machine& machine);
  void check_acts();
  void check_processes(const Machine& machine, std::set<Uuid>& running);
  void check_pins(const Machine& machine);
  void check_left_overs(const Machine& machine);

  void check_explained(const controller::ExplainPlacement& asked,
                       const placement::Explanation& told);
  void check_mutation_answer(const controller::MutationContext& context,
                             const controller::Answer& answer);
  void check_refusal(const controller::Mutation& mutation, const absl::Status& why);
  void check_shown(const controller::InstanceView& view);
  bool must_stay_down(const Machine& machine, const Instance& ordered) const;
  bool may_destroy(const Machine& machine, const Instance& ordered) const;

  EventLog& log_;
  const World& world_;
  SimStore& store_;
  RecordHistory history_;
  PlacementAudit placements_;
  std::optional<std::string> failure_;
  std::map<uint64_t, InstanceUid> macs_;              // ever given, to whom
  std::map<ProjectUid, controller::ProjectUse> use_;  // after the last commit
  std::set<std::string> port_names_;                  // of the instances that have a record
  struct Kept {
    Sha256 body;
    std::string answer;
  };
  std::map<RequestId, Kept> answers_;  // the first good one
};

}  // namespace stellwerk::sim

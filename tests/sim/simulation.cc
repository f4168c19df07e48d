#include "tests/sim/simulation.h"

namespace stellwerk::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// The longest back-off is five minutes, and a guest may be in the middle of its second.
constexpr Duration kBound = minutes(12);
// Having come to rest, the cell has to stay so.
constexpr Duration kRest = seconds(25);
// A driver's call from before the faults stopped may still end late.
constexpr Duration kLastFault = seconds(10);
constexpr uint64_t kMostEvents = 300'000;
constexpr size_t kTail = 60;

std::vector<Bytes> memories_of(const CellPlan& plan) {
  std::vector<Bytes> memories;
  for (const CellPlan::Host& host : plan.hosts) memories.push_back(host.memory);
  return memories;
}

}  // namespace

Simulation::Simulation(uint64_t seed, Bug bug)
    : random_(seed),
      plan_(draw_cell(random_.fork("cell"))),
      log_(schedule_),
      mishaps_(random_.fork("mishaps")),
      world_(schedule_, log_, random_.fork("world"), memories_of(plan_)),
      guests_(schedule_, world_, mishaps_, random_.fork("guests")),
      delays_(random_.fork("delays")),
      store_(schedule_, log_, mishaps_, random_.fork("store")),
      invariants_(log_, world_, store_, plan_.guarantee),
      stage_{.schedule = schedule_,
             .log = log_,
             .world = world_,
             .mishaps = mishaps_,
             .delays = delays_,
             .store = store_,
             .guests = guests_,
             .invariants = invariants_,
             .bug = bug},
      daemon_(stage_, plan_),
      client_(stage_, plan_, daemon_, random_.fork("client")),
      inspector_(stage_, daemon_, client_),
      strangers_(random_.fork("strangers")),
      victims_(random_.fork("victims")) {
  for (size_t i = 1; i < world_.machines().size(); ++i) {
    hosts_.push_back(std::make_unique<HostDaemon>(stage_, world_.machines()[i], daemon_));
  }
  if (bug == Bug::kUnsyncedStore) store_.stop_syncing();
}

RunResult Simulation::run() {
  daemon_.begin();
  let_hosts_join();
  client_.prepare([this] { begin_faults(); });
  RunResult result;
  while (!invariants_.failure() && !at_rest_ && schedule_.run_one()) {
    invariants_.after_event();
    if (faults_) fail_by_chance();
    if (++result.events > kMostEvents) invariants_.fail("the simulation does not come to rest");
  }
  result.failure = invariants_.failure();
  result.log = log_.text();
  result.log_tail = log_.tail(kTail);
  return result;
}

void Simulation::let_hosts_join() {
  if (!daemon_.is_serving()) return schedule_.after(seconds(1), [this] { let_hosts_join(); });
  for (const auto& host : hosts_) {
    host->join(daemon_.cell());
    host->begin();
  }
}

void Simulation::begin_faults() {
  log_.add("faults begin");
  faults_ = true;
  mishaps_.begin();
  client_.begin();
  schedule_.after(random_.between(seconds(40), seconds(300)), [this] { stop_faults(); });
  tick();
}

void Simulation::tick() {
  if (!faults_) return;
  std::vector<Machine>& machines = world_.machines();
  for (Machine& machine : machines) {
    guests_.live_on(machine);
    if (mishaps_.link_breaks()) daemon_.break_link(machine.uid);
  }
  if (strangers_.chance(8)) {
    const bool of_this_cell = strangers_.chance(500) && !daemon_.cell().is_nil();
    guests_.start_stranger(machines[strangers_.below(machines.size())],
                           of_this_cell ? std::optional(daemon_.cell()) : std::nullopt);
  }
  // A file that no record knows: of a cell from before a backup was put back.
  if (strangers_.chance(3)) {
    world_.images().emplace(ImageUid(strangers_.uuid()), ImageFile::kPublished);
  }
  schedule_.after(seconds(1), [this] { tick(); });
}

void Simulation::fail_by_chance() {
  if (mishaps_.power_fails()) return any_daemon().power_cut();
  if (mishaps_.daemon_dies()) any_daemon().kill("kill -9");
}

Service& Simulation::any_daemon() {
  if (hosts_.empty() || victims_.chance(600)) return daemon_;
  return *hosts_[victims_.below(hosts_.size())];
}

void Simulation::stop_faults() {
  log_.add("faults stop");
  faults_ = false;
  faults_stopped_at_ = schedule_.now();
  mishaps_.stop();
  client_.stop();
  inspect();
}

void Simulation::inspect() {
  inspector_.inspect([this](const Inspector::Finding& finding) { judge(finding); });
  if (!at_rest_) schedule_.after(seconds(5), [this] { inspect(); });
}

void Simulation::judge(const Inspector::Finding& finding) {
  if (schedule_.now() - faults_stopped_at_ < kLastFault) return;
  const bool late = schedule_.now() - faults_stopped_at_ > kBound;
  if (finding) {
    if (settled_at_) return invariants_.fail("the cell was at rest and is no more: " + *finding);
    if (late) invariants_.fail("the cell does not come to rest: " + *finding);
    return;
  }
  if (const auto lost = client_.lost_instance()) return invariants_.fail("lost: " + *lost);
  if (!settled_at_) {
    log_.add("the cell is at rest");
    settled_at_ = schedule_.now();
  }
  at_rest_ = schedule_.now() - *settled_at_ >= kRest;
}

}  // namespace stellwerk::sim

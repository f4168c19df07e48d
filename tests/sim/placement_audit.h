// Whether what was placed may stand where it stands, and whether what the cell promises about power
// and failures holds: held against the records that each commit made durable, written anew, small
// and slow, and without a line of placement's.
//
//  - a claim keeps its host's capacity, what the host keeps for the loss of any one domain included
//  - a new claim or backup is on a host that is not in maintenance and keeps the instance's wishes
//  - a new member breaks no hard rule of its group
//  - no commit makes any rack or feed exceed its limit by more than before, also after the loss of
//    one other feed
//  - after the loss of any one domain, with backups in the place of what was in it, no hard rule of
//    anti-affinity is broken that was not before
//  - what is protected has a backup outside its domain when it is admitted, and when it has none
//    any more, somebody was told
//  - a booking's instances come in one commit, and no instance comes without a request
//
// What an operator corrects of the topology may break the promises about failures for a moment; at
// rest they hold again, or their loss was told.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/record_history.h"

namespace stellwerk::sim {

class PlacementAudit {
 public:
  PlacementAudit(const RecordHistory& history, std::optional<DomainLevel> guarantee)
      : history_(history), guarantee_(guarantee) {}

  // What is wrong with this commit, which the history has taken in.
  std::vector<std::string> check(const RecordHistory::Change& change);
  // What is wrong once nothing changes any more.
  std::optional<std::string> check_at_rest() const;

 private:
  using Excesses = std::map<std::string, int64_t>;  // in half milliwatts
  using Crowds = std::map<std::string, int64_t>;    // members too many
  using Shortages = std::set<std::string>;          // what a host lacks if which domain is lost

  void check_place(const Instance& instance, const RecordHistory::Change& change);
  void check_group(const Instance& instance, const RecordHistory::Change& change);
  void check_request(const Instance& instance, const RecordHistory::Change& change);
  void check_bookings(const RecordHistory::Change& change);
  void check_protection(const Instance& instance);
  void check_capacity();
  void check_reserves(const RecordHistory::Change& change);
  void check_crowds(const RecordHistory::Change& change);
  void check_power(const RecordHistory::Change& change);
  void note_told(const RecordHistory::Change& change);

  std::string domain_of(const HostUid& host, DomainLevel level) const;
  // Its backup lies outside its domain.
  bool is_apart(const Instance& instance) const;
  Shortages shortages() const;
  Crowds crowds() const;
  void count_crowds(const Group& group, const GroupRule& rule, Crowds& crowds) const;
  Excesses excesses(bool with_kept) const;
  // With what it keeps for failures, or without.
  Milliwatts draw_of(const Host& host, bool with_kept) const;
  void complain(std::string what) { problems_.push_back(std::move(what)); }

  const RecordHistory& history_;
  const std::optional<DomainLevel> guarantee_;
  std::vector<std::string> problems_;
  Excesses excesses_;
  Shortages shortages_;
  Crowds crowds_;
  std::set<InstanceUid> not_apart_;
  std::set<InstanceUid> told_;  // that they are not protected
};

}  // namespace stellwerk::sim

#include "placement/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/overloaded.h"
#include "placement/explain_change.h"
#include "placement/explain_refusal.h"
#include "placement/inquiry.h"

namespace stellwerk::placement {
namespace {

// So many instances of one request get their reasons, the others their hosts.
constexpr size_t kMostReasons = 5;

// Instances that are charged for as long as this lives.
class Charged {
 public:
  Charged(Engine& engine, const GroupUid& group) : engine_(engine), group_(group) {}
  ~Charged() {
    for (auto one = occupations_.rbegin(); one != occupations_.rend(); ++one) {
      engine_.release(*one);
    }
  }
  Charged(const Charged&) = delete;
  Charged& operator=(const Charged&) = delete;

  void charge(const Placement& placement) {
    occupations_.push_back({placement.claim, placement.backup, group_});
    engine_.charge(occupations_.back());
  }

 private:
  Engine& engine_;
  const GroupUid group_;
  std::vector<Occupation> occupations_;
};

// A host that is out of touch for as long as this lives.
class OutOfTouch {
 public:
  OutOfTouch(Engine& engine, const HostUid& host) : engine_(engine), host_(host) {
    engine_.set_accepting(host_, false);
  }
  ~OutOfTouch() { engine_.set_accepting(host_, true); }
  OutOfTouch(const OutOfTouch&) = delete;
  OutOfTouch& operator=(const OutOfTouch&) = delete;

 private:
  Engine& engine_;
  const HostUid host_;
};

std::string_view words_of(Policy policy) {
  switch (policy) {
    case Policy::kDefault:
      return "it is the one where it takes least of what other guests could still use";
    case Policy::kFgd:
    case Policy::kFgdInUse:
      return "it is the one left with the least that no other guest could use";
    case Policy::kFirstFit:
      return "it is the first";
    case Policy::kBestFit:
      return "it is the one left with the least free";
    case Policy::kWorstFit:
      return "it is the one left with the most free";
    case Policy::kDotProduct:
      return "what it has free is the most, and the most like what is asked";
    case Policy::kL2:
      return "it is the one left with the least free, of vCPUs and memory evenly";
  }
  return "";
}

std::string name_of(const HostLoad& host, const Fleet& fleet) {
  const std::string& rack = fleet.racks()[host.rack].id;
  return rack.empty() ? host.id : fmt::format("{} in {}", host.id, rack);
}

// The host that the next instance would get.
std::optional<HostUid> next_host(Engine& engine, const Request& request) {
  Decision decision = engine.place(request);
  const auto* placed = std::get_if<Placed>(&decision);
  if (placed == nullptr) return std::nullopt;
  return placed->placements.front().claim.host;
}

std::string left_out_by_group(const Tally& tally) {
  if (tally.group_rules.size() > 1) return "rules of its group forbid them";
  const GroupRule& rule = *tally.group_rules.front();
  const bool of_hosts = rule.level == DomainLevel::kHost;
  const std::string_view level = to_string(rule.level);
  switch (rule.policy) {
    case GroupPolicy::kAffinity:
      return of_hosts ? "members of its group are on another"
                      : fmt::format("members of its group are in another {}", level);
    case GroupPolicy::kAntiAffinity:
      return of_hosts ? "members of its group are there"
                      : fmt::format("members of its group are in the same {}", level);
  }
  return "";
}

// Hosts with room that rules across hosts kept from the choice.
std::vector<std::string> left_out(const std::vector<Tally>& tallies, const Request& request) {
  std::vector<std::string> words;
  for (const Tally& tally : tallies) {
    const auto hosts = static_cast<int64_t>(tally.hosts.size());
    const std::string were =
        fmt::format("{} {} left out", counted(hosts, "host"), hosts == 1 ? "was" : "were");
    switch (tally.objection.scope) {
      case Scope::kPlace:
        words.push_back(fmt::format("{}: {}", were,
                                    request.wishes.host.is_nil()
                                        ? "not within " + request.wishes.within
                                        : "another was asked for"));
        break;
      case Scope::kPower:
        words.push_back(were + ": no power is left there");
        break;
      case Scope::kGroup:
        words.push_back(fmt::format("{}: {}", were, left_out_by_group(tally)));
        break;
      case Scope::kHost:
      case Scope::kPool:
      case Scope::kFailover:
        break;
    }
  }
  return words;
}

std::string by_preferred_site(const Request& request, const Fleet& fleet, uint32_t host) {
  const std::string& site = request.wishes.preferred_site;
  const auto there = fleet.find_place(site);
  if (site.empty() || !there) return "";
  return host >= there->first && host < there->end
             ? fmt::format("it stands in {}, which is preferred", site)
             : fmt::format("nothing better is left in {}, which is preferred", site);
}

// Soft rules of the group, where the choice would be another without them.
std::string by_soft_rules(Engine& engine, const Request& one, const HostUid& chosen) {
  const GroupLoad* group = engine.group(one.group);
  if (group == nullptr || group->members.empty()) return "";
  std::vector<std::string> soft;
  for (const GroupRule& rule : group->rules) {
    if (!rule.hard) soft.push_back(placement::words_of(rule));
  }
  if (soft.empty()) return "";
  Request free = one;
  free.group = GroupUid();
  if (next_host(engine, free) == chosen) return "";
  return fmt::format("its group wishes {}", fmt::join(soft, ", "));
}

int64_t feasible_of(const std::vector<Tally>& tallies, int64_t hosts) {
  for (const Tally& tally : tallies) hosts -= static_cast<int64_t>(tally.hosts.size());
  return hosts;
}

// What is chosen now, before it is charged; `together` with others that must not be apart.
std::string reason_for(Engine& engine, const Request& one, const Placement& placement,
                       bool together) {
  const Fleet& fleet = engine.fleet();
  const uint32_t host = fleet.index_of(placement.claim.host);
  const Inquiry inquiry(engine, one);
  const std::vector<Tally> tallies = tallies_of(inquiry, false);
  const int64_t feasible = feasible_of(tallies, static_cast<int64_t>(fleet.hosts().size()));
  std::vector<std::string> reasons;
  if (feasible == 1) {
    reasons.emplace_back("it is the only host that could take it");
  } else if (together && next_host(engine, one) != placement.claim.host) {
    reasons.push_back(
        fmt::format("of {} that could take it, it is one where all find room together",
                    counted(feasible, "host")));
  } else {
    reasons.push_back(fmt::format("of {} that could take it, {}", counted(feasible, "host"),
                                  words_of(engine.settings().policy)));
  }
  for (std::string words :
       {by_preferred_site(one, fleet, host), by_soft_rules(engine, one, placement.claim.host)}) {
    if (!words.empty()) reasons.push_back(std::move(words));
  }
  for (std::string& words : left_out(tallies, one)) reasons.push_back(std::move(words));
  if (placement.backup) {
    reasons.push_back(
        fmt::format("{} keeps room for it", name_of(*fleet.find(placement.backup->host), fleet)));
  }
  if (feasible > 1) {
    const OutOfTouch without(engine, placement.claim.host);
    const std::optional<HostUid> runner_up = next_host(engine, one);
    if (runner_up) {
      reasons.push_back(fmt::format("next would be {}", name_of(*fleet.find(*runner_up), fleet)));
    }
  }
  return fmt::format("{}", fmt::join(reasons, "; "));
}

Request one_of(const Request& request) {
  Request one = request;
  one.count = 1;
  return one;
}

void explain_placed(Engine& engine, const Request& request, const Placed& placed,
                    Explanation& explanation) {
  explanation.fits = true;
  {
    const Inquiry inquiry(engine, request);
    const std::vector<Tally> tallies = tallies_of(inquiry, false);
    explanation.refusals = counts_of(tallies, inquiry);
    explanation.feasible = feasible_of(tallies, explanation.hosts);
  }
  const Request one = one_of(request);
  const bool together = request.count > 1 && must_stay_together(engine, request);
  Charged charged(engine, request.group);
  for (size_t i = 0; i < placed.placements.size(); ++i) {
    const Placement& placement = placed.placements[i];
    std::string words = name_of(*engine.fleet().find(placement.claim.host), engine.fleet());
    if (i < kMostReasons) {
      words += ": " + reason_for(engine, one, placement, together);
      charged.charge(placement);
    }
    explanation.chosen.push_back(std::move(words));
  }
  explanation.summary =
      fmt::format("it fits: {} of {} could take {}", explanation.feasible,
                  counted(explanation.hosts, "host"), request.count == 1 ? "it" : "one of them");
}

bool none_connected(const std::vector<RuleCount>& refusals) {
  bool any = false;
  for (const RuleCount& count : refusals) {
    if (count.rule != "accepting" && count.rule != "place") return false;
    any = any || count.rule == "accepting";
  }
  return any || refusals.empty();
}

void explain_refused(Engine& engine, const Request& request, int64_t placeable,
                     Explanation& explanation) {
  if (explanation.hosts == 0) {
    explanation.none_connected = true;
    explanation.summary = "no host belongs to the cell yet; start stellwerkd on one";
    return;
  }
  const Inquiry before(engine, request);
  explanation.feasible = feasible_of(tallies_of(before, false), explanation.hosts);
  const std::optional<std::string> overflow = overflow_of_group(before);
  {
    Charged charged(engine, request.group);
    Request some = request;
    some.count = placeable;
    Decision decision = placeable > 0 ? engine.place(some) : Decision(Refused{});
    if (const auto* placed = std::get_if<Placed>(&decision)) {
      for (const Placement& placement : placed->placements) charged.charge(placement);
    }
    const Inquiry next(engine, request);
    const std::vector<Tally> tallies = tallies_of(next, true);
    explanation.refusals = counts_of(tallies, next);
    explanation.nearest = nearest_hosts(next);
    explanation.summary = summary_of(tallies, next, overflow);
  }
  if (request.count > 1) {
    const std::string found =
        placeable == 0 ? fmt::format("none of {} finds a place", request.count)
                       : fmt::format("{} of {} {} a place, the next one does not", placeable,
                                     request.count, placeable == 1 ? "finds" : "find");
    explanation.summary = fmt::format("{}: {}", found, explanation.summary);
  }
  explanation.none_connected = none_connected(explanation.refusals);
  explanation.change = smallest_change(engine, request, placeable);
  if (explanation.change) explanation.smallest_change = explanation.change->words;
}

std::string listed(const std::vector<FieldViolation>& violations) {
  std::vector<std::string> words;
  for (const FieldViolation& one : violations) {
    words.push_back(fmt::format("{}: {}", one.field, one.description));
  }
  return fmt::format("{}", fmt::join(words, "; "));
}

}  // namespace

Explanation explain(Engine& engine, const Request& request) {
  Explanation explanation;
  explanation.hosts = static_cast<int64_t>(engine.fleet().hosts().size());
  const Decision decision = engine.place(request);
  std::visit(
      Overloaded{
          [&](const Placed& placed) { explain_placed(engine, request, placed, explanation); },
          [&](const Refused& refused) {
            explain_refused(engine, request, refused.placeable, explanation);
          },
          [&](const Malformed& malformed) { explanation.summary = listed(malformed.violations); }},
      decision);
  return explanation;
}

}  // namespace stellwerk::placement

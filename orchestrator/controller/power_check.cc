#include "orchestrator/controller/power_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "orchestrator/controller/users.h"
#include "placement/power.h"

namespace stellwerk::controller {
namespace {

// Racks and feeds with what hosts in them draw: idle, their claims, and what they keep for
// failures.
class PowerPlan {
 public:
  explicit PowerPlan(const Ledger& ledger);

  void change(const Feed& feed);
  void change(const Rack& rack);
  void change(const Host& host);

  // What is exceeded by more than in `before`, or OK.
  absl::Status check_against(const PowerPlan& before) const;

 private:
  struct Feeds {
    std::vector<placement::FeedLoad> loads;
    std::map<std::string, std::vector<std::string>> racks;  // by feed: "dc1/a/r07 (3 kW)"
  };

  Feeds feeds() const;
  void put_rack(const Rack& rack);
  absl::Status check_racks(const PowerPlan& before) const;
  absl::Status check_feeds(const PowerPlan& before) const;

  const Ledger& ledger_;
  std::vector<placement::FeedLoad> empty_feeds_;      // without any draw, ordered by id
  std::map<std::string, placement::RackLoad> racks_;  // by id, their draw included
};

placement::FeedLoad load_of(const Feed& feed) {
  return {.id = feed.id, .budget = feed.budget};
}

Milliwatts draw_of(const placement::HostLoad* load) {
  if (!load) return {};
  return load->power.idle + Milliwatts(load->used.power + load->backups.largest.power);
}

PowerPlan::PowerPlan(const Ledger& ledger) : ledger_(ledger) {
  for (const auto& [id, uid] : ledger.feed_names()) {
    empty_feeds_.push_back(load_of(ledger.state().feeds.at(uid)));
  }
  for (const auto& [id, uid] : ledger.rack_names()) put_rack(ledger.state().racks.at(uid));
  for (const placement::RackLoad& load : ledger.fleet().racks()) {
    const auto found = racks_.find(load.id);
    if (found != racks_.end()) found->second.draw = load.draw;
  }
}

void PowerPlan::put_rack(const Rack& rack) {
  placement::RackLoad& load = racks_[rack.id];
  load.id = rack.id;
  load.power_limit = rack.power_limit;
  load.feeds.clear();
  for (uint32_t i = 0; i < empty_feeds_.size(); ++i) {
    const Feed* feed = ledger_.feed(empty_feeds_[i].id);
    if (std::ranges::find(rack.feeds, feed->uid) != rack.feeds.end()) load.feeds.push_back(i);
  }
}

void PowerPlan::change(const Feed& feed) {
  for (placement::FeedLoad& load : empty_feeds_) {
    if (load.id == feed.id) load.budget = feed.budget;
  }
}

void PowerPlan::change(const Rack& rack) {
  put_rack(rack);
}

// What its claims draw was fixed when they were admitted.
void PowerPlan::change(const Host& host) {
  const placement::HostLoad* load = ledger_.fleet().find(host.uid);
  const Milliwatts before = draw_of(load);
  const auto& racks = ledger_.state().racks;
  const auto& known = ledger_.state().hosts;
  const auto old = known.find(host.uid);
  if (old != known.end()) {
    if (const auto rack = racks.find(old->second.rack); rack != racks.end()) {
      racks_.at(rack->second.id).draw += Milliwatts() - before;
    }
  }
  if (const auto rack = racks.find(host.rack); rack != racks.end()) {
    const Milliwatts idle = load ? load->power.idle : Milliwatts();
    racks_.at(rack->second.id).draw += before - idle + host.power.idle;
  }
}

PowerPlan::Feeds PowerPlan::feeds() const {
  Feeds feeds{.loads = empty_feeds_, .racks = {}};
  for (const auto& [id, rack] : racks_) {
    placement::RackLoad load = rack;
    load.draw = {};
    placement::add_draw(load, feeds.loads, rack.draw);
    for (const uint32_t feed : rack.feeds) {
      feeds.racks[feeds.loads[feed].id].push_back(fmt::format("{} ({})", id, to_string(rack.draw)));
    }
  }
  return feeds;
}

Milliwatts excess_of(Milliwatts draw, const std::optional<Milliwatts>& most) {
  return most && draw > *most ? draw - *most : Milliwatts();
}

absl::Status PowerPlan::check_racks(const PowerPlan& before) const {
  for (const auto& [id, rack] : racks_) {
    const placement::RackLoad& old = before.racks_.at(id);
    const Milliwatts excess = excess_of(rack.draw, rack.power_limit);
    if (excess <= excess_of(old.draw, old.power_limit)) continue;
    return failed_precondition(
        "rack {} would draw {}, and its limit is {}: what its hosts draw idle, their instances, "
        "and what they keep for failures; give it a limit of at least {}, or take {} from it "
        "first",
        id, to_string(rack.draw), to_string(*rack.power_limit), to_string(rack.draw),
        to_string(excess));
  }
  return absl::OkStatus();
}

absl::Status PowerPlan::check_feeds(const PowerPlan& before) const {
  const Feeds now = feeds();
  const Feeds then = before.feeds();
  for (size_t i = 0; i < now.loads.size(); ++i) {
    const placement::FeedLoad& feed = now.loads[i];
    const Milliwatts worst = placement::worst_draw(feed);
    const Milliwatts excess = excess_of(worst, feed.budget);
    if (excess <= excess_of(placement::worst_draw(then.loads[i]), then.loads[i].budget)) continue;
    return failed_precondition(
        "feed {} would have to carry {}{}, and its budget is {}: it feeds {}; give it a budget of "
        "at least {}, or take {} from it first",
        feed.id, to_string(worst), feed.shared.empty() ? "" : " when another feed fails",
        to_string(feed.budget), few_of("rack", now.racks.at(feed.id)), to_string(worst),
        to_string(excess));
  }
  return absl::OkStatus();
}

absl::Status PowerPlan::check_against(const PowerPlan& before) const {
  SW_RETURN_IF_ERROR(check_racks(before));
  return check_feeds(before);
}

}  // namespace

absl::Status check_power_of(const PowerChange& change, const Ledger& ledger) {
  const PowerPlan before(ledger);
  PowerPlan after = before;
  std::visit([&after](const auto& changed) { after.change(changed); }, change);
  return with_reason(after.check_against(before), "POWER_EXCEEDED");
}

}  // namespace stellwerk::controller

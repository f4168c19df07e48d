// Mutations of sites, zones, feeds and racks.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/resource_names.h"
#include "core/validate.h"
#include "orchestrator/controller/frame.h"
#include "orchestrator/controller/mutations.h"
#include "orchestrator/controller/power_check.h"
#include "orchestrator/controller/users.h"
#include "orchestrator/controller/views.h"
#include "orchestrator/records/keys.h"

namespace stellwerk::controller {
namespace {

using Violations = std::vector<FieldViolation>;

void check_label_of(std::string_view field, const std::string& id, Violations& violations) {
  if (const Problem problem = check_dns_label(id))
    add_once(violations, std::string(field), *problem);
}

void check_power(std::string_view field, Milliwatts power, Violations& violations) {
  if (power > Milliwatts() && power <= kMostPower) return;
  add_once(
      violations, std::string(field),
      fmt::format("{} is out of range; give 1 W to {}", to_string(power), to_string(kMostPower)));
}

absl::Status name_taken(std::string_view kind, const std::string& path) {
  return with_reason(already_exists("{} {} exists; choose another id", kind, path), "NAME_TAKEN");
}

// The paths of an index that lie right below or anywhere within the site or zone.
template <class Index>
std::vector<std::string> paths_within(const Index& index, const std::string& path) {
  const std::string prefix = path + "/";
  std::vector<std::string> paths;
  for (auto at = index.lower_bound(prefix); at != index.end() && at->first.starts_with(prefix);
       ++at) {
    paths.push_back(at->first);
  }
  return paths;
}

// The feeds of a rack in that site, by path. Every mistake is named with its place.
std::vector<FeedUid> check_feeds(const std::vector<std::string>& paths, const SiteUid& site,
                                 const Ledger& ledger, Violations& violations) {
  if (paths.size() > kMostFeeds) {
    add_once(violations, "rack.feeds",
             fmt::format("{} given; a rack hangs on at most {}", paths.size(), kMostFeeds));
  }
  std::vector<FeedUid> feeds;
  for (size_t i = 0; i < paths.size(); ++i) {
    const std::string field = fmt::format("rack.feeds[{}]", i);
    const Feed* feed = ledger.feed(paths[i]);
    if (!feed) {
      add_once(violations, field,
               fmt::format("feed {} does not exist; create it first", quoted(paths[i])));
    } else if (feed->site != site && !site.is_nil()) {
      add_once(violations, field,
               fmt::format("feed {} is of another site; name one of the rack's own", feed->id));
    } else if (std::ranges::find(feeds, feed->uid) != feeds.end()) {
      add_once(violations, field, fmt::format("feed {} is named twice", feed->id));
    } else {
      feeds.push_back(feed->uid);
    }
  }
  return feeds;
}

Event event_of(std::string type, std::string resource, const Uuid& uid, std::string message = "") {
  return {.type = std::move(type),
          .resource = std::move(resource),
          .uid = uid,
          .message = std::move(message)};
}

std::string limit_text(const std::optional<Milliwatts>& limit) {
  return limit ? to_string(*limit) : "none";
}

// "feeds dc1/f1, dc1/f2; power limit 8 kW (was none)"; nothing if they are alike.
std::string changes_of(const RackView& before, const RackView& after) {
  std::vector<std::string> changes;
  if (before.rack.feeds != after.rack.feeds) {
    changes.push_back(after.feeds.empty() ? "no feeds"
                                          : fmt::format("feeds {}", fmt::join(after.feeds, ", ")));
  }
  if (before.rack.power_limit != after.rack.power_limit) {
    changes.push_back(fmt::format("power limit {} (was {})", limit_text(after.rack.power_limit),
                                  limit_text(before.rack.power_limit)));
  }
  return fmt::format("{}", fmt::join(changes, "; "));
}

}  // namespace

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const CreateSite& create) {
  Violations violations = frame.context.violations;
  check_label_of("site_id", create.id, violations);
  if (!violations.empty()) return invalid_fields(violations);
  if (ledger_.site(create.id)) return name_taken("site", create.id);
  const Site site{.uid = SiteUid(frame.fresh_uid()), .id = create.id, .created_at = frame.now.wall};
  record_event(frame.now, event_of("SiteCreated", site_name(site.id), site.uid.value()));
  ledger_.put(site);
  return view_of(*ledger_.site(create.id), ledger_);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const DeleteSite& deletion) {
  const Site* found = ledger_.site(deletion.id);
  const std::string name = site_name(deletion.id);
  SW_RETURN_IF_ERROR(check_existing(frame, name, found));
  const std::string what = "site " + found->id;
  SW_RETURN_IF_ERROR(refuse_if_unreadable(what, records::kZonePrefix, ledger_));
  SW_RETURN_IF_ERROR(refuse_if_unreadable(what, records::kFeedPrefix, ledger_));
  SW_RETURN_IF_ERROR(
      with_reason(refuse_for(what, {few_of("zone", paths_within(ledger_.zone_names(), found->id)),
                                    few_of("feed", paths_within(ledger_.feed_names(), found->id))}),
                  "SITE_IN_USE"));
  const SiteView view = view_of(*found, ledger_);
  record_event(frame.now, event_of("SiteDeleted", name, view.site.uid.value()));
  ledger_.erase(view.site.uid);
  return view;
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const CreateZone& create) {
  Violations violations = frame.context.violations;
  check_label_of("zone_id", create.id, violations);
  const Site* site = ledger_.site(create.site);
  if (!site) {
    add_once(violations, "parent",
             fmt::format("site {} does not exist; create it first", quoted(create.site)));
  }
  if (!violations.empty()) return invalid_fields(violations);
  const Zone zone{.uid = ZoneUid(frame.fresh_uid()),
                  .site = site->uid,
                  .id = site->id + "/" + create.id,
                  .created_at = frame.now.wall};
  if (ledger_.zone(zone.id)) return name_taken("zone", zone.id);
  record_event(frame.now, event_of("ZoneCreated", zone_name(zone.id), zone.uid.value()));
  ledger_.put(zone);
  return view_of(*ledger_.zone(zone.id), ledger_);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const DeleteZone& deletion) {
  const Zone* found = ledger_.zone(deletion.id);
  const std::string name = zone_name(deletion.id);
  SW_RETURN_IF_ERROR(check_existing(frame, name, found));
  const std::string what = "zone " + found->id;
  SW_RETURN_IF_ERROR(refuse_if_unreadable(what, records::kRackPrefix, ledger_));
  SW_RETURN_IF_ERROR(
      with_reason(refuse_for(what, {few_of("rack", paths_within(ledger_.rack_names(), found->id))}),
                  "ZONE_IN_USE"));
  const ZoneView view = view_of(*found, ledger_);
  record_event(frame.now, event_of("ZoneDeleted", name, view.zone.uid.value()));
  ledger_.erase(view.zone.uid);
  return view;
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const CreateFeed& create) {
  Violations violations = frame.context.violations;
  check_label_of("feed_id", create.id, violations);
  const Site* site = ledger_.site(create.site);
  if (!site) {
    add_once(violations, "parent",
             fmt::format("site {} does not exist; create it first", quoted(create.site)));
  }
  check_power("feed.budget_watts", create.budget, violations);
  if (!violations.empty()) return invalid_fields(violations);
  const Feed feed{.uid = FeedUid(frame.fresh_uid()),
                  .site = site->uid,
                  .id = site->id + "/" + create.id,
                  .budget = create.budget,
                  .created_at = frame.now.wall};
  if (ledger_.feed(feed.id)) return name_taken("feed", feed.id);
  record_event(frame.now, event_of("FeedCreated", feed_name(feed.id), feed.uid.value(),
                                   "budget " + to_string(feed.budget)));
  ledger_.put(feed);
  return view_of(*ledger_.feed(feed.id), ledger_);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const UpdateFeed& update) {
  Violations violations = frame.context.violations;
  if (update.budget) check_power("feed.budget_watts", *update.budget, violations);
  if (!violations.empty()) return invalid_fields(violations);
  const Feed* found = ledger_.feed(update.id);
  const std::string name = feed_name(update.id);
  SW_RETURN_IF_ERROR(check_existing(frame, name, found));
  Feed feed = *found;
  feed.budget = update.budget.value_or(feed.budget);
  if (feed.budget == found->budget) return view_of(*found, ledger_);
  SW_RETURN_IF_ERROR(check_power_of(feed, ledger_));
  record_event(frame.now, event_of("FeedUpdated", name, feed.uid.value(),
                                   fmt::format("budget {} (was {})", to_string(feed.budget),
                                               to_string(found->budget))));
  ledger_.put(std::move(feed));
  return view_of(*ledger_.feed(update.id), ledger_);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const DeleteFeed& deletion) {
  const Feed* found = ledger_.feed(deletion.id);
  const std::string name = feed_name(deletion.id);
  SW_RETURN_IF_ERROR(check_existing(frame, name, found));
  const std::string what = "feed " + found->id;
  SW_RETURN_IF_ERROR(refuse_if_unreadable(what, records::kRackPrefix, ledger_));
  std::vector<std::string> racks;
  for (const auto& [path, uid] : ledger_.rack_names()) {
    const auto& feeds = ledger_.state().racks.at(uid).feeds;
    if (std::ranges::find(feeds, found->uid) != feeds.end()) racks.push_back(path);
  }
  SW_RETURN_IF_ERROR(with_reason(refuse_for(what, {few_of("rack", racks)}), "FEED_IN_USE"));
  const FeedView view = view_of(*found, ledger_);
  record_event(frame.now, event_of("FeedDeleted", name, view.feed.uid.value()));
  ledger_.erase(view.feed.uid);
  return view;
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const CreateRack& create) {
  Violations violations = frame.context.violations;
  check_label_of("rack_id", create.id, violations);
  const Zone* zone = ledger_.zone(create.zone);
  if (!zone) {
    add_once(violations, "parent",
             fmt::format("zone {} does not exist; create it first", quoted(create.zone)));
  }
  const std::vector<FeedUid> feeds =
      check_feeds(create.feeds, zone ? zone->site : SiteUid(), ledger_, violations);
  if (create.power_limit) check_power("rack.power_limit_watts", *create.power_limit, violations);
  if (!violations.empty()) return invalid_fields(violations);
  const Rack rack{.uid = RackUid(frame.fresh_uid()),
                  .zone = zone->uid,
                  .id = zone->id + "/" + create.id,
                  .feeds = feeds,
                  .power_limit = create.power_limit,
                  .created_at = frame.now.wall};
  if (ledger_.rack(rack.id)) return name_taken("rack", rack.id);
  record_event(frame.now, event_of("RackCreated", rack_name(rack.id), rack.uid.value(),
                                   changes_of({}, view_of(rack, ledger_))));
  ledger_.put(rack);
  return view_of(*ledger_.rack(rack.id), ledger_);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const UpdateRack& update) {
  Violations violations = frame.context.violations;
  const Rack* found = ledger_.rack(update.id);
  const Zone* zone = ledger_.zone(update.id.substr(0, update.id.rfind('/')));
  std::vector<FeedUid> feeds;
  if (update.feeds) {
    feeds = check_feeds(*update.feeds, zone ? zone->site : SiteUid(), ledger_, violations);
  }
  if (update.power_limit && *update.power_limit) {
    check_power("rack.power_limit_watts", **update.power_limit, violations);
  }
  if (!violations.empty()) return invalid_fields(violations);
  const std::string name = rack_name(update.id);
  SW_RETURN_IF_ERROR(check_existing(frame, name, found));
  Rack rack = *found;
  if (update.feeds) rack.feeds = std::move(feeds);
  if (update.power_limit) rack.power_limit = *update.power_limit;
  std::string changes = changes_of(view_of(*found, ledger_), view_of(rack, ledger_));
  if (changes.empty()) return view_of(*found, ledger_);
  SW_RETURN_IF_ERROR(check_power_of(rack, ledger_));
  record_event(frame.now, event_of("RackUpdated", name, rack.uid.value(), std::move(changes)));
  ledger_.put(std::move(rack));
  return view_of(*ledger_.rack(update.id), ledger_);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const DeleteRack& deletion) {
  const Rack* found = ledger_.rack(deletion.id);
  const std::string name = rack_name(deletion.id);
  SW_RETURN_IF_ERROR(check_existing(frame, name, found));
  const std::string what = "rack " + found->id;
  SW_RETURN_IF_ERROR(refuse_if_unreadable(what, records::kHostPrefix, ledger_));
  std::vector<std::string> hosts;
  for (const auto& [id, uid] : ledger_.host_names()) {
    if (ledger_.hosts_in(found->uid).contains(uid)) hosts.push_back(id);
  }
  SW_RETURN_IF_ERROR(with_reason(refuse_for(what, {few_of("host", hosts)}), "RACK_IN_USE"));
  const RackView view = view_of(*found, ledger_);
  record_event(frame.now, event_of("RackDeleted", name, view.rack.uid.value()));
  ledger_.erase(view.rack.uid);
  return view;
}

}  // namespace stellwerk::controller

// Racks, and the power feeds that they hang on.
#include <fmt/ranges.h>

#include <memory>

#include "api/cli/exit_code.h"
#include "api/cli/pages.h"
#include "api/cli/power.h"
#include "api/cli/topology.h"

namespace stellwerk::cli {
namespace {

using v1::Feed;
using v1::Rack;
using v1::Topology;

struct RackOptions {
  std::string path;
  std::vector<std::string> feeds;
  bool no_feeds = false;
  std::string power_limit;
  MutationOptions mutation;
};

struct FeedOptions {
  std::string path;
  std::string budget;
  MutationOptions mutation;
};

std::string feeds_text(const Rack& rack) {
  std::vector<std::string> feeds;
  for (const std::string& feed : rack.feeds()) feeds.push_back(path_of(feed));
  return fmt::format("{}", fmt::join(feeds, ", "));
}

std::string limit_text(const Rack& rack) {
  return rack.has_power_limit_watts() ? power_text(rack.power_limit_watts()) : "none";
}

Columns<Rack> rack_columns(const Context& context) {
  Columns<Rack> columns = {
      {"NAME", Shown::kAlways, [](const Rack& r) { return Cell(path_of(r.name())); }},
      {"FEEDS", Shown::kAlways, [](const Rack& r) { return Cell(feeds_text(r)); }},
      {"POWER LIMIT", Shown::kAlways, [](const Rack& r) { return Cell(limit_text(r)); }},
      count_column<Rack>("HOSTS", &Rack::host_count)};
  add_common_columns(columns, context.now().wall);
  return columns;
}

Columns<Feed> feed_columns(const Context& context) {
  Columns<Feed> columns = {
      {"NAME", Shown::kAlways, [](const Feed& f) { return Cell(path_of(f.name())); }},
      {"BUDGET", Shown::kAlways, [](const Feed& f) { return Cell(power_text(f.budget_watts())); }},
      count_column<Feed>("RACKS", &Feed::rack_count)};
  add_common_columns(columns, context.now().wall);
  return columns;
}

void print_rack(const Context& context, const Rack& rack) {
  KeyValues pairs = {{"Name", path_of(rack.name())},
                     {"Feeds", feeds_text(rack)},
                     {"Power limit", limit_text(rack)},
                     {"Hosts", std::to_string(rack.host_count())}};
  add_common_pairs(pairs, rack, context.now().wall);
  print_details(context, rack, pairs);
}

void print_feed(const Context& context, const Feed& feed) {
  KeyValues pairs = {{"Name", path_of(feed.name())},
                     {"Budget", power_text(feed.budget_watts())},
                     {"Racks", std::to_string(feed.rack_count())}};
  add_common_pairs(pairs, feed, context.now().wall);
  print_details(context, feed, pairs);
}

void fill(const RackOptions& options, Rack& rack) {
  for (const std::string& feed : options.feeds) {
    rack.add_feeds(place_name(Place::kFeed, feed));
  }
  if (!options.power_limit.empty() && options.power_limit != "none") {
    rack.set_power_limit_watts(watts_of(options.power_limit));
  }
}

absl::Status create_rack(Context& context, const RackOptions& options) {
  v1::CreateRackRequest request;
  SW_ASSIGN_OR_RETURN(const NewPlace place, new_place(Place::kRack, options.path));
  request.set_parent(place_name(Place::kZone, place.parent));
  request.set_rack_id(place.id);
  fill(options, *request.mutable_rack());
  request.set_request_id(claim_request_id(context, options.mutation));
  SW_ASSIGN_OR_RETURN(const Rack rack, context.client.call(&Topology::Stub::CreateRack, request));
  print_one(context, rack, rack_columns(context));
  return absl::OkStatus();
}

absl::Status update_rack(Context& context, const RackOptions& options) {
  v1::UpdateRackRequest request;
  Rack& rack = *request.mutable_rack();
  rack.set_name(place_name(Place::kRack, options.path));
  fill(options, rack);
  auto& mask = *request.mutable_update_mask();
  if (!options.feeds.empty() || options.no_feeds) mask.add_paths("feeds");
  if (!options.power_limit.empty()) mask.add_paths("power_limit_watts");
  if (mask.paths().empty()) {
    return usage_error("nothing to change is given; see stellwerk rack update --help");
  }
  request.set_etag(options.mutation.etag);
  request.set_request_id(claim_request_id(context, options.mutation));
  SW_ASSIGN_OR_RETURN(const Rack answer, context.client.call(&Topology::Stub::UpdateRack, request));
  print_rack(context, answer);
  return absl::OkStatus();
}

// Of a zone, of a site, or all.
absl::Status list_racks(Context& context, const std::string& place) {
  v1::ListRacksRequest request;
  const bool is_site = place.find('/') == std::string::npos ||
                       (place.starts_with("sites/") && path_of(place).find('/') == place.npos &&
                        place.find('/') == place.rfind('/'));
  if (place.empty()) {
    request.set_parent("sites/-/zones/-");
  } else if (is_site) {
    request.set_parent(place_name(Place::kSite, place) + "/zones/-");
  } else {
    request.set_parent(place_name(Place::kZone, place));
  }
  SW_ASSIGN_OR_RETURN(
      const std::vector<Rack> racks,
      collect(context, &Topology::Stub::ListRacks, request, &v1::ListRacksResponse::mutable_racks));
  print_list(context, racks, rack_columns(context));
  return absl::OkStatus();
}

absl::Status show_rack(Context& context, const std::string& path) {
  SW_ASSIGN_OR_RETURN(const Rack rack,
                      get(context, &Topology::Stub::GetRack, place_name(Place::kRack, path)));
  print_rack(context, rack);
  return absl::OkStatus();
}

absl::Status delete_rack(Context& context, const DeleteOptions& options) {
  return delete_place(context, &Topology::Stub::DeleteRack, place_name(Place::kRack, options.id),
                      options.mutation, "rack {} is deleted");
}

absl::Status create_feed(Context& context, const FeedOptions& options) {
  v1::CreateFeedRequest request;
  SW_ASSIGN_OR_RETURN(const NewPlace place, new_place(Place::kFeed, options.path));
  request.set_parent(place_name(Place::kSite, place.parent));
  request.set_feed_id(place.id);
  request.mutable_feed()->set_budget_watts(watts_of(options.budget));
  request.set_request_id(claim_request_id(context, options.mutation));
  SW_ASSIGN_OR_RETURN(const Feed feed, context.client.call(&Topology::Stub::CreateFeed, request));
  print_one(context, feed, feed_columns(context));
  return absl::OkStatus();
}

absl::Status update_feed(Context& context, const FeedOptions& options) {
  v1::UpdateFeedRequest request;
  request.mutable_feed()->set_name(place_name(Place::kFeed, options.path));
  request.mutable_feed()->set_budget_watts(watts_of(options.budget));
  request.mutable_update_mask()->add_paths("budget_watts");
  request.set_etag(options.mutation.etag);
  request.set_request_id(claim_request_id(context, options.mutation));
  SW_ASSIGN_OR_RETURN(const Feed feed, context.client.call(&Topology::Stub::UpdateFeed, request));
  print_feed(context, feed);
  return absl::OkStatus();
}

absl::Status list_feeds(Context& context, const std::string& site) {
  v1::ListFeedsRequest request;
  request.set_parent(place_name(Place::kSite, site.empty() ? "-" : site));
  SW_ASSIGN_OR_RETURN(
      const std::vector<Feed> feeds,
      collect(context, &Topology::Stub::ListFeeds, request, &v1::ListFeedsResponse::mutable_feeds));
  print_list(context, feeds, feed_columns(context));
  return absl::OkStatus();
}

absl::Status show_feed(Context& context, const std::string& path) {
  SW_ASSIGN_OR_RETURN(const Feed feed,
                      get(context, &Topology::Stub::GetFeed, place_name(Place::kFeed, path)));
  print_feed(context, feed);
  return absl::OkStatus();
}

absl::Status delete_feed(Context& context, const DeleteOptions& options) {
  return delete_place(context, &Topology::Stub::DeleteFeed, place_name(Place::kFeed, options.id),
                      options.mutation, "feed {} is deleted");
}

void add_feeds_option(CLI::App* verb, RackOptions& options) {
  add_repeated(verb, {"--feed", "FEED", "A feed of the rack's site (dc1/f1); at most two"},
               options.feeds);
}

}  // namespace

void add_rack_commands(CLI::App& app, Command& chosen) {
  CLI::App* noun = add_noun(app, "rack", "Racks of zones, in which hosts stand");
  auto made = std::make_shared<RackOptions>();
  CLI::App* create = add_verb(noun, {"create", "Enter a rack of a zone",
                                     "stellwerk rack create dc1/a/r07 --feed dc1/f1 \\\n"
                                     "      --feed dc1/f2 --power-limit 8kW"});
  create->add_option("NAME", made->path, "SITE/ZONE/RACK")->required();
  add_feeds_option(create, *made);
  add_power(create, "--power-limit", made->power_limit, "Of the rack itself; else its feeds'");
  add_request_id(create, made->mutation);
  choose(create, made, chosen, create_rack);
  auto changed = std::make_shared<RackOptions>();
  CLI::App* update = add_verb(noun, {"update", "Change a rack's feeds and power limit",
                                     "stellwerk rack update dc1/a/r07 --power-limit none"});
  update->add_option("NAME", changed->path, "The rack")->required();
  add_feeds_option(update, *changed);
  update->add_flag("--no-feeds", changed->no_feeds, "Hang it on none")->excludes("--feed");
  add_power_or_none(update, "--power-limit", changed->power_limit, "Of the rack itself; or none");
  add_mutation(update, changed, chosen, update_rack);
  add_list_within(noun, chosen, {"list", "List the racks", "stellwerk rack list dc1/a"},
                  {"ZONE", "Of this zone or site alone"}, list_racks);
  add_show(noun, chosen, {"show", "Show one rack", "stellwerk rack show dc1/a/r07"}, show_rack);
  add_delete(noun, chosen,
             {"delete", "Delete a rack without hosts", "stellwerk rack delete dc1/a/r07"},
             delete_rack);
}

void add_feed_commands(CLI::App& app, Command& chosen) {
  CLI::App* noun = add_noun(app, "feed", "Power feeds of sites");
  auto made = std::make_shared<FeedOptions>();
  CLI::App* create = add_verb(noun, {"create", "Enter a power feed of a site",
                                     "stellwerk feed create dc1/f1 --budget 40kW"});
  create->add_option("NAME", made->path, "SITE/FEED")->required();
  add_power(create, "--budget", made->budget, "The most that may be drawn from it")->required();
  add_request_id(create, made->mutation);
  choose(create, made, chosen, create_feed);
  auto changed = std::make_shared<FeedOptions>();
  CLI::App* update = add_verb(
      noun, {"update", "Change a feed's budget", "stellwerk feed update dc1/f1 --budget 30kW"});
  update->add_option("NAME", changed->path, "The feed")->required();
  add_power(update, "--budget", changed->budget, "The most that may be drawn from it")->required();
  add_mutation(update, changed, chosen, update_feed);
  add_list_within(noun, chosen, {"list", "List the feeds", "stellwerk feed list dc1"},
                  {"SITE", "Of this site alone"}, list_feeds);
  add_show(noun, chosen, {"show", "Show one feed", "stellwerk feed show dc1/f1"}, show_feed);
  add_delete(noun, chosen,
             {"delete", "Delete a feed that no rack hangs on", "stellwerk feed delete dc1/f1"},
             delete_feed);
}

}  // namespace stellwerk::cli

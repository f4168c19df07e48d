// Sites, zones, racks and feeds, and what operators enter of hosts.
#include "api/convert/from_wire.h"
#include "api/convert/mask.h"
#include "api/convert/mutation_context.h"
#include "api/convert/read_page.h"

namespace stellwerk::convert {
namespace {

constexpr int kMostFeedsRead = 16;  // more than admission takes, so that it can say so

// The range that means anything is admission's to know; here it is kept from overflowing.
Milliwatts read_watts(RequestReader& reader, std::string_view field, int64_t value) {
  return watts(1) *
         reader.amount(
             {.field = field, .value = value, .most = kMostPower.count() / watts(1).count()});
}

// A place that stays empty is a mistake that has been told.
std::vector<std::string> read_feeds(RequestReader& reader, const v1::Rack& rack) {
  std::vector<std::string> feeds;
  if (rack.feeds_size() > kMostFeedsRead) {
    reader.add("rack.feeds",
               fmt::format("has {}; a rack hangs on at most {}", rack.feeds_size(), kMostFeeds));
    return feeds;
  }
  for (int i = 0; i < rack.feeds_size(); ++i) {
    const std::string field = fmt::format("rack.feeds[{}]", i);
    feeds.push_back(reader.name(field, rack.feeds(i), ResourceKind::kFeed).id);
  }
  return feeds;
}

template <class Body, class Request>
controller::Mutation deletion(const Request& request, const MethodCall& call, ResourceKind kind) {
  RequestReader reader;
  const ResourceName name = reader.name("name", request.name(), kind);
  return mutation(request, call, reader, Body{.id = name.id});
}

template <class Query, class Request>
absl::StatusOr<controller::Query> get(const Request& request, ResourceKind kind) {
  RequestReader reader;
  ResourceName name = reader.name("name", request.name(), kind);
  SW_RETURN_IF_ERROR(reader.status());
  return Query{.id = std::move(name.id)};
}

// `parent` with "-" for every one is that of which those are; empty: of all.
template <class Query, class Request>
absl::StatusOr<controller::Query> list_in_site(const Request& request) {
  RequestReader reader;
  Query list;
  if (request.parent() != "sites/-") {
    list.within = reader.name("parent", request.parent(), ResourceKind::kSite).id;
  }
  list.page = read_page(reader, request);
  SW_RETURN_IF_ERROR(reader.status());
  return list;
}

}  // namespace

controller::Mutation to_mutation(const v1::CreateSiteRequest& request, const Origin& origin) {
  RequestReader reader;
  controller::CreateSite create{.id = reader.label_id("site_id", request.site_id())};
  return mutation(request, {"CreateSite", origin}, reader, std::move(create));
}

controller::Mutation to_mutation(const v1::DeleteSiteRequest& request, const Origin& origin) {
  return deletion<controller::DeleteSite>(request, {"DeleteSite", origin}, ResourceKind::kSite);
}

absl::StatusOr<controller::Query> to_query(const v1::GetSiteRequest& request) {
  return get<controller::GetSite>(request, ResourceKind::kSite);
}

absl::StatusOr<controller::Query> to_query(const v1::ListSitesRequest& request) {
  RequestReader reader;
  controller::ListSites list{.page = read_page(reader, request)};
  SW_RETURN_IF_ERROR(reader.status());
  return list;
}

controller::Mutation to_mutation(const v1::CreateZoneRequest& request, const Origin& origin) {
  RequestReader reader;
  controller::CreateZone create;
  create.site = reader.name("parent", request.parent(), ResourceKind::kSite).id;
  create.id = reader.label_id("zone_id", request.zone_id());
  return mutation(request, {"CreateZone", origin}, reader, std::move(create));
}

controller::Mutation to_mutation(const v1::DeleteZoneRequest& request, const Origin& origin) {
  return deletion<controller::DeleteZone>(request, {"DeleteZone", origin}, ResourceKind::kZone);
}

absl::StatusOr<controller::Query> to_query(const v1::GetZoneRequest& request) {
  return get<controller::GetZone>(request, ResourceKind::kZone);
}

absl::StatusOr<controller::Query> to_query(const v1::ListZonesRequest& request) {
  return list_in_site<controller::ListZones>(request);
}

controller::Mutation to_mutation(const v1::CreateFeedRequest& request, const Origin& origin) {
  RequestReader reader;
  controller::CreateFeed create;
  create.site = reader.name("parent", request.parent(), ResourceKind::kSite).id;
  create.id = reader.label_id("feed_id", request.feed_id());
  create.budget = read_watts(reader, "feed.budget_watts", request.feed().budget_watts());
  return mutation(request, {"CreateFeed", origin}, reader, std::move(create));
}

controller::Mutation to_mutation(const v1::UpdateFeedRequest& request, const Origin& origin) {
  RequestReader reader;
  const v1::Feed& feed = request.feed();
  controller::UpdateFeed update;
  update.id = reader.name("feed.name", feed.name(), ResourceKind::kFeed).id;
  const auto meant =
      read_mask(reader, request.update_mask(), {{"budget_watts", feed.budget_watts() != 0}});
  if (meant.contains("budget_watts")) {
    update.budget = read_watts(reader, "feed.budget_watts", feed.budget_watts());
  }
  return mutation(request, {"UpdateFeed", origin}, reader, std::move(update));
}

controller::Mutation to_mutation(const v1::DeleteFeedRequest& request, const Origin& origin) {
  return deletion<controller::DeleteFeed>(request, {"DeleteFeed", origin}, ResourceKind::kFeed);
}

absl::StatusOr<controller::Query> to_query(const v1::GetFeedRequest& request) {
  return get<controller::GetFeed>(request, ResourceKind::kFeed);
}

absl::StatusOr<controller::Query> to_query(const v1::ListFeedsRequest& request) {
  return list_in_site<controller::ListFeeds>(request);
}

controller::Mutation to_mutation(const v1::CreateRackRequest& request, const Origin& origin) {
  RequestReader reader;
  const v1::Rack& rack = request.rack();
  controller::CreateRack create;
  create.zone = reader.name("parent", request.parent(), ResourceKind::kZone).id;
  create.id = reader.label_id("rack_id", request.rack_id());
  create.feeds = read_feeds(reader, rack);
  if (rack.has_power_limit_watts()) {
    create.power_limit = read_watts(reader, "rack.power_limit_watts", rack.power_limit_watts());
  }
  return mutation(request, {"CreateRack", origin}, reader, std::move(create));
}

controller::Mutation to_mutation(const v1::UpdateRackRequest& request, const Origin& origin) {
  RequestReader reader;
  const v1::Rack& rack = request.rack();
  controller::UpdateRack update;
  update.id = reader.name("rack.name", rack.name(), ResourceKind::kRack).id;
  const auto meant = read_mask(
      reader, request.update_mask(),
      {{"feeds", !rack.feeds().empty()}, {"power_limit_watts", rack.has_power_limit_watts()}});
  if (meant.contains("feeds")) update.feeds = read_feeds(reader, rack);
  if (meant.contains("power_limit_watts")) {
    std::optional<Milliwatts> limit;
    if (rack.has_power_limit_watts()) {
      limit = read_watts(reader, "rack.power_limit_watts", rack.power_limit_watts());
    }
    update.power_limit = limit;
  }
  return mutation(request, {"UpdateRack", origin}, reader, std::move(update));
}

controller::Mutation to_mutation(const v1::DeleteRackRequest& request, const Origin& origin) {
  return deletion<controller::DeleteRack>(request, {"DeleteRack", origin}, ResourceKind::kRack);
}

absl::StatusOr<controller::Query> to_query(const v1::GetRackRequest& request) {
  return get<controller::GetRack>(request, ResourceKind::kRack);
}

absl::StatusOr<controller::Query> to_query(const v1::ListRacksRequest& request) {
  constexpr std::string_view kAllZones = "/zones/-";
  RequestReader reader;
  controller::ListRacks list;
  const std::string_view parent = request.parent();
  if (parent.ends_with(kAllZones)) {
    const std::string_view site = parent.substr(0, parent.size() - kAllZones.size());
    if (site != "sites/-") list.within = reader.name("parent", site, ResourceKind::kSite).id;
  } else {
    list.within = reader.name("parent", parent, ResourceKind::kZone).id;
  }
  list.page = read_page(reader, request);
  SW_RETURN_IF_ERROR(reader.status());
  return list;
}

controller::Mutation to_mutation(const v1::UpdateHostRequest& request, const Origin& origin) {
  RequestReader reader;
  const v1::Host& host = request.host();
  controller::UpdateHost update;
  update.id = reader.name("host.name", host.name(), ResourceKind::kHost).id;
  const auto meant = read_mask(reader, request.update_mask(),
                               {{"labels", !host.labels().empty()},
                                {"rack", !host.rack().empty()},
                                {"idle_watts", host.idle_watts() != 0},
                                {"peak_watts", host.peak_watts() != 0},
                                {"maintenance", host.maintenance()}});
  if (meant.contains("labels")) update.labels = reader.labels("host.labels", host.labels());
  if (meant.contains("rack")) {
    update.rack = host.rack().empty()
                      ? std::string()
                      : reader.name("host.rack", host.rack(), ResourceKind::kRack).id;
  }
  if (meant.contains("idle_watts")) {
    update.idle = read_watts(reader, "host.idle_watts", host.idle_watts());
  }
  if (meant.contains("peak_watts")) {
    update.peak = read_watts(reader, "host.peak_watts", host.peak_watts());
  }
  if (meant.contains("maintenance")) update.maintenance = host.maintenance();
  return mutation(request, {"UpdateHost", origin}, reader, std::move(update));
}

}  // namespace stellwerk::convert

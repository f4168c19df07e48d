// Sites and zones; racks and feeds are in rack.cc.
#include "api/cli/topology.h"

#include <memory>

#include "api/cli/commands.h"
#include "api/cli/pages.h"

namespace stellwerk::cli {
namespace {

using v1::Site;
using v1::Topology;
using v1::Zone;

struct CreateOptions {
  std::string path;
  MutationOptions mutation;
};

Columns<Site> site_columns(const Context& context) {
  const WallTime now = context.now().wall;
  Columns<Site> columns = {
      {"NAME", Shown::kAlways, [](const Site& s) { return Cell(path_of(s.name())); }},
      count_column<Site>("ZONES", &Site::zone_count),
      count_column<Site>("RACKS", &Site::rack_count),
      count_column<Site>("HOSTS", &Site::host_count),
      count_column<Site>("FEEDS", &Site::feed_count)};
  add_common_columns(columns, now);
  return columns;
}

Columns<Zone> zone_columns(const Context& context) {
  const WallTime now = context.now().wall;
  Columns<Zone> columns = {
      {"NAME", Shown::kAlways, [](const Zone& z) { return Cell(path_of(z.name())); }},
      count_column<Zone>("RACKS", &Zone::rack_count),
      count_column<Zone>("HOSTS", &Zone::host_count)};
  add_common_columns(columns, now);
  return columns;
}

absl::Status create_site(Context& context, const CreateOptions& options) {
  v1::CreateSiteRequest request;
  SW_ASSIGN_OR_RETURN(const NewPlace place, new_place(Place::kSite, options.path));
  request.set_site_id(place.id);
  request.set_request_id(claim_request_id(context, options.mutation));
  SW_ASSIGN_OR_RETURN(const Site site, context.client.call(&Topology::Stub::CreateSite, request));
  print_one(context, site, site_columns(context));
  return absl::OkStatus();
}

absl::Status list_sites(Context& context) {
  SW_ASSIGN_OR_RETURN(const std::vector<Site> sites,
                      collect(context, &Topology::Stub::ListSites, v1::ListSitesRequest(),
                              &v1::ListSitesResponse::mutable_sites));
  print_list(context, sites, site_columns(context));
  return absl::OkStatus();
}

absl::Status show_site(Context& context, const std::string& path) {
  SW_ASSIGN_OR_RETURN(const Site site,
                      get(context, &Topology::Stub::GetSite, place_name(Place::kSite, path)));
  KeyValues pairs = {{"Name", path_of(site.name())},
                     {"Zones", std::to_string(site.zone_count())},
                     {"Racks", std::to_string(site.rack_count())},
                     {"Hosts", std::to_string(site.host_count())},
                     {"Feeds", std::to_string(site.feed_count())}};
  add_common_pairs(pairs, site, context.now().wall);
  print_details(context, site, pairs);
  return absl::OkStatus();
}

absl::Status delete_site(Context& context, const DeleteOptions& options) {
  return delete_place(context, &Topology::Stub::DeleteSite, place_name(Place::kSite, options.id),
                      options.mutation, "site {} is deleted");
}

absl::Status create_zone(Context& context, const CreateOptions& options) {
  v1::CreateZoneRequest request;
  SW_ASSIGN_OR_RETURN(const NewPlace place, new_place(Place::kZone, options.path));
  request.set_parent(place_name(Place::kSite, place.parent));
  request.set_zone_id(place.id);
  request.set_request_id(claim_request_id(context, options.mutation));
  SW_ASSIGN_OR_RETURN(const Zone zone, context.client.call(&Topology::Stub::CreateZone, request));
  print_one(context, zone, zone_columns(context));
  return absl::OkStatus();
}

absl::Status list_zones(Context& context, const std::string& site) {
  v1::ListZonesRequest request;
  request.set_parent(place_name(Place::kSite, site.empty() ? "-" : site));
  SW_ASSIGN_OR_RETURN(
      const std::vector<Zone> zones,
      collect(context, &Topology::Stub::ListZones, request, &v1::ListZonesResponse::mutable_zones));
  print_list(context, zones, zone_columns(context));
  return absl::OkStatus();
}

absl::Status show_zone(Context& context, const std::string& path) {
  SW_ASSIGN_OR_RETURN(const Zone zone,
                      get(context, &Topology::Stub::GetZone, place_name(Place::kZone, path)));
  KeyValues pairs = {{"Name", path_of(zone.name())},
                     {"Racks", std::to_string(zone.rack_count())},
                     {"Hosts", std::to_string(zone.host_count())}};
  add_common_pairs(pairs, zone, context.now().wall);
  print_details(context, zone, pairs);
  return absl::OkStatus();
}

absl::Status delete_zone(Context& context, const DeleteOptions& options) {
  return delete_place(context, &Topology::Stub::DeleteZone, place_name(Place::kZone, options.id),
                      options.mutation, "zone {} is deleted");
}

void add_create(CLI::App* noun, Command& chosen, const VerbText& text, const char* form,
                absl::Status (*action)(Context&, const CreateOptions&)) {
  CLI::App* verb = add_verb(noun, text);
  auto options = std::make_shared<CreateOptions>();
  verb->add_option("NAME", options->path, form)->required();
  add_request_id(verb, options->mutation);
  choose(verb, options, chosen, action);
}

void add_sites(CLI::App& app, Command& chosen) {
  CLI::App* noun = add_noun(app, "site", "Data centres");
  add_create(noun, chosen, {"create", "Enter a site", "stellwerk site create dc1"}, "A DNS label",
             create_site);
  CLI::App* list = add_verb(noun, {"list", "List the sites", "stellwerk site list"});
  list->callback([&chosen] { chosen = list_sites; });
  add_show(noun, chosen, {"show", "Show one site", "stellwerk site show dc1"}, show_site);
  add_delete(noun, chosen,
             {"delete", "Delete a site without zones and feeds", "stellwerk site delete dc1"},
             delete_site);
}

void add_zones(CLI::App& app, Command& chosen) {
  CLI::App* noun = add_noun(app, "zone", "Fire compartments of sites");
  add_create(noun, chosen, {"create", "Enter a zone of a site", "stellwerk zone create dc1/a"},
             "SITE/ZONE", create_zone);
  add_list_within(noun, chosen, {"list", "List the zones", "stellwerk zone list dc1"},
                  {"SITE", "Of this site alone"}, list_zones);
  add_show(noun, chosen, {"show", "Show one zone", "stellwerk zone show dc1/a"}, show_zone);
  add_delete(noun, chosen, {"delete", "Delete a zone without racks", "stellwerk zone delete dc1/a"},
             delete_zone);
}

}  // namespace

void add_list_within(CLI::App* noun, Command& chosen, const VerbText& text,
                     const WithinText& within,
                     absl::Status (*action)(Context&, const std::string& place)) {
  CLI::App* verb = add_verb(noun, text);
  auto place = std::make_shared<std::string>();
  verb->add_option(within.name, *place, within.help);
  choose(verb, place, chosen, action);
}

void add_topology_commands(CLI::App& app, Command& chosen) {
  add_sites(app, chosen);
  add_zones(app, chosen);
  add_rack_commands(app, chosen);
  add_feed_commands(app, chosen);
}

}  // namespace stellwerk::cli

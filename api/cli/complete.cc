#include "api/cli/complete.h"

#include <algorithm>

#include "api/cli/command_line.h"
#include "api/cli/format.h"
#include "api/cli/places.h"

namespace stellwerk::cli {
namespace {

constexpr int kMostIds = 500;
constexpr Duration kPatience = std::chrono::seconds(2);

std::string long_name(const CLI::Option& option) {
  const auto& names = option.get_lnames();
  return names.empty() ? "" : names.front();
}

// The choices in "TEXT:{table,wide}", as CLI11 describes them.
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{');
  const size_t close = type.find('}', open);
  std::vector<std::string> choices;
  if (open == std::string::npos || close == std::string::npos) return choices;
  std::string_view rest = std::string_view(type).substr(open + 1, close - open - 1);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(','), rest.size());
    // A map of choices is described as name->value.
    const std::string_view one = rest.substr(0, end);
    choices.emplace_back(one.substr(0, one.find("->")));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return choices;
}

// The argument that comes next, after so many. Null: none is left.
const CLI::Option* next_argument(const CLI::App& command, size_t after) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional() && after-- == 0) return option;
  }
  return nullptr;
}

// Whose ids an argument takes: of what exists and the verb acts on, or of what it is called after.
std::string resource_of(const CLI::App& command, const CLI::Option* argument) {
  const bool makes = command.get_name() == "create" || command.get_name() == "import";
  if (command.get_parent() == nullptr || argument == nullptr) return "";
  const std::string name = argument->get_name(true);
  if (name == "HOST") return "host";
  if (name == "SITE") return "site";
  if (name == "ZONE") return "zone";
  const bool is_first = argument == next_argument(command, 0);
  return is_first && !makes ? command.get_parent()->get_name() : "";
}

void begin_with(std::vector<std::string>& candidates, const std::string& start) {
  std::erase_if(candidates, [&](const std::string& one) { return !one.starts_with(start); });
}

template <class Stub, class Request, class Response, class Items>
std::vector<std::string> list(client::Client& client,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                           Response*),
                              Request request, const Items& items) {
  request.set_page_size(kMostIds);
  const auto page = client.call_within(kPatience, method, request);
  std::vector<std::string> ids;
  if (!page.ok()) return ids;
  for (const auto& item : items(*page)) {
    const bool is_place = item.name().starts_with("sites/");
    ids.push_back(is_place ? path_of(item.name()) : id_of(item.name()));
  }
  return ids;
}

// The paths of sites, zones, racks and feeds.
std::vector<std::string> places_of(const std::string& resource, client::Client& client) {
  const auto within = [](const char* parent, auto request) {
    request.set_parent(parent);
    return request;
  };
  using Stub = v1::Topology::Stub;
  if (resource == "site") {
    return list(client, &Stub::ListSites, v1::ListSitesRequest(),
                [](auto& page) { return page.sites(); });
  }
  if (resource == "zone") {
    return list(client, &Stub::ListZones, within("sites/-", v1::ListZonesRequest()),
                [](auto& page) { return page.zones(); });
  }
  if (resource == "rack") {
    return list(client, &Stub::ListRacks, within("sites/-/zones/-", v1::ListRacksRequest()),
                [](auto& page) { return page.racks(); });
  }
  if (resource == "feed") {
    return list(client, &Stub::ListFeeds, within("sites/-", v1::ListFeedsRequest()),
                [](auto& page) { return page.feeds(); });
  }
  return {};
}

}  // namespace

Position position_of(const CLI::App& root, const std::vector<std::string>& words) {
  Position position;
  const CLI::App* command = &root;
  const CLI::Option* waiting = nullptr;
  size_t positionals = 0;
  const std::string current = words.empty() ? "" : words.back();
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (waiting != nullptr) {
      position.options[long_name(*waiting)] = words[i];
      waiting = nullptr;
    } else if (words[i].starts_with('-')) {
      const CLI::Option* option = find_option(command, words[i]);
      if (option != nullptr && takes_value(*option)) waiting = option;
    } else if (const CLI::App* next = find_subcommand(*command, words[i])) {
      command = next;
    } else {
      ++positionals;
    }
  }
  if (waiting != nullptr) {
    position.fixed = choices_of(*waiting);
    position.resource = long_name(*waiting);
  } else if (current.starts_with('-')) {
    position.fixed = option_names(command);
  } else {
    const CLI::Option* argument = next_argument(*command, positionals);
    position.fixed = subcommand_names(*command);
    if (argument != nullptr) position.fixed = choices_of(*argument);
    if (position.fixed.empty()) position.resource = resource_of(*command, argument);
  }
  begin_with(position.fixed, current);
  return position;
}

std::vector<std::string> ids_of(const std::string& resource, client::Client& client,
                                const std::string& project) {
  const auto of_project = [&project](auto request) {
    request.set_parent("projects/" + project);
    return request;
  };
  if (resource == "instance") {
    return list(client, &v1::Instances::Stub::ListInstances, of_project(v1::ListInstancesRequest()),
                [](auto& page) { return page.instances(); });
  }
  if (resource == "image") {
    return list(client, &v1::Images::Stub::ListImages, of_project(v1::ListImagesRequest()),
                [](auto& page) { return page.images(); });
  }
  if (resource == "flavor") {
    return list(client, &v1::Flavors::Stub::ListFlavors, v1::ListFlavorsRequest(),
                [](auto& page) { return page.flavors(); });
  }
  if (resource == "network") {
    return list(client, &v1::Networks::Stub::ListNetworks, of_project(v1::ListNetworksRequest()),
                [](auto& page) { return page.networks(); });
  }
  if (resource == "host") {
    return list(client, &v1::Hosts::Stub::ListHosts, v1::ListHostsRequest(),
                [](auto& page) { return page.hosts(); });
  }
  if (resource == "project") {
    return list(client, &v1::Projects::Stub::ListProjects, v1::ListProjectsRequest(),
                [](auto& page) { return page.projects(); });
  }
  if (resource == "group") {
    return list(client, &v1::Groups::Stub::ListGroups, of_project(v1::ListGroupsRequest()),
                [](auto& page) { return page.groups(); });
  }
  if (resource == "prefer-site") return places_of("site", client);
  if (resource != "within") return places_of(resource, client);
  std::vector<std::string> places;
  for (const char* kind : {"site", "zone", "rack"}) {
    const std::vector<std::string> some = places_of(kind, client);
    places.insert(places.end(), some.begin(), some.end());
  }
  return places;
}

std::string bash_script() {
  return "# Completion of stellwerk for bash; printed by: stellwerk completion bash\n"
         "_stellwerk() {\n"
         "  mapfile -t COMPREPLY < <(\n"
         "    \"${COMP_WORDS[0]}\" __complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2> /dev/null)\n"
         "}\n"
         "complete -o default -F _stellwerk stellwerk\n";
}

}  // namespace stellwerk::cli

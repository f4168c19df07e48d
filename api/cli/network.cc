#include <memory>

#include "api/cli/commands.h"
#include "api/cli/exit_code.h"
#include "api/cli/format.h"
#include "api/cli/pages.h"
#include "api/cli/verbs.h"
#include "core/network_checks.h"
#include "core/parse_number.h"

namespace stellwerk::cli {
namespace {

using v1::Network;
using v1::Networks;

struct CreateOptions {
  std::string id;
  std::vector<std::string> subnets;
  std::vector<std::string> gateways;
  bool isolated = false;
  std::vector<std::string> dns;
  std::vector<std::string> routes;
  std::string mtu;
  std::string bridge;
  std::vector<std::string> labels;
  MutationOptions mutation;
};

std::string network_name(const Context& context, std::string_view id) {
  return full_name(project_name(context) + "/networks/", id);
}

std::string subnets_of(const Network& network) {
  const std::string& v4 = network.ipv4_subnet();
  const std::string& v6 = network.ipv6_subnet();
  return v4 + (v4.empty() || v6.empty() ? "" : ", ") + v6;
}

std::string state_name(const Network& network) {
  return network.state() == Network::DELETING ? "deleting" : "active";
}

Columns<Network> network_columns(const Context& context) {
  const WallTime now = context.now().wall;
  Columns<Network> columns;
  if (context.project == "-") {
    columns.push_back(
        {"PROJECT", Shown::kAlways, [](const Network& n) { return Cell(project_of(n.name())); }});
  }
  const Columns<Network> rest = {
      {"NAME", Shown::kAlways, [](const Network& n) { return Cell(id_of(n.name())); }},
      {"STATE", Shown::kAlways, [](const Network& n) { return Cell(state_name(n)); }},
      {"SUBNETS", Shown::kAlways, [](const Network& n) { return Cell(subnets_of(n)); }},
      {"ISOLATED", Shown::kAlways,
       [](const Network& n) { return Cell(n.isolated() ? "yes" : "no"); }},
      {"PORTS", Shown::kAlways,
       [](const Network& n) { return Cell(std::to_string(n.port_count())); }},
      {"AGE", Shown::kAlways, [now](const Network& n) { return Cell(age(n.create_time(), now)); }},
      {"MTU", Shown::kWide, [](const Network& n) { return Cell(std::to_string(n.mtu_bytes())); }},
      {"BRIDGE", Shown::kWide, [](const Network& n) { return Cell(n.bridge()); }},
      {"ETAG", Shown::kWide, [](const Network& n) { return Cell(n.etag()); }},
      {"UID", Shown::kWide, [](const Network& n) { return Cell(n.uid()); }},
  };
  columns.insert(columns.end(), rest.begin(), rest.end());
  return columns;
}

// Which family a subnet is of decides its field; what is neither is the daemon's to refuse.
absl::Status set_subnets(const std::vector<std::string>& subnets, Network& network) {
  for (const std::string& subnet : subnets) {
    const auto range = parse_range(subnet);
    std::string& field = range && !range->address.is_v4() ? *network.mutable_ipv6_subnet()
                                                          : *network.mutable_ipv4_subnet();
    if (!field.empty()) {
      return usage_error("--subnet: {} and {} given; give at most one IPv4 and one IPv6 range",
                         quoted(field), quoted(subnet));
    }
    field = subnet;
  }
  return absl::OkStatus();
}

std::string check_route_form(const std::string& text) {
  const size_t equals = text.find('=');
  const bool both = equals != std::string::npos && equals > 0 && equals + 1 < text.size();
  if (both) return "";
  return fmt::format("{} is not RANGE=ADDRESS, such as 192.0.2.0/24=10.8.0.9", quoted(text));
}

std::string check_mtu_form(const std::string& text) {
  if (parse_number<int64_t>(text)) return "";
  return fmt::format("{} is no number; give the bytes, {} to {}", quoted(text), kSmallestMtu,
                     kLargestMtu);
}

absl::Status create_network(Context& context, const CreateOptions& options) {
  v1::CreateNetworkRequest request;
  request.set_parent(project_name(context));
  request.set_network_id(options.id);
  Network& network = *request.mutable_network();
  SW_RETURN_IF_ERROR(set_subnets(options.subnets, network));
  network.mutable_gateways()->Assign(options.gateways.begin(), options.gateways.end());
  network.set_isolated(options.isolated);
  network.mutable_dns_servers()->Assign(options.dns.begin(), options.dns.end());
  for (const std::string& route : options.routes) {
    const size_t equals = route.find('=');
    auto* added = network.add_routes();
    added->set_destination(route.substr(0, equals));
    added->set_next_hop(route.substr(equals + 1));
  }
  network.set_mtu_bytes(parse_number<int64_t>(options.mtu).value_or(0));
  network.set_bridge(options.bridge);
  copy_labels(options.labels, *network.mutable_labels());
  request.set_request_id(claim_request_id(context, options.mutation));
  SW_ASSIGN_OR_RETURN(const Network answer,
                      context.client.call(&Networks::Stub::CreateNetwork, request));
  print_one(context, answer, network_columns(context));
  return absl::OkStatus();
}

absl::Status list_networks(Context& context) {
  v1::ListNetworksRequest request;
  request.set_parent(project_name(context));
  SW_ASSIGN_OR_RETURN(const std::vector<Network> networks,
                      collect(context, &Networks::Stub::ListNetworks, request,
                              &v1::ListNetworksResponse::mutable_networks));
  print_list(context, networks, network_columns(context));
  return absl::OkStatus();
}

absl::Status show_network(Context& context, const std::string& id) {
  SW_ASSIGN_OR_RETURN(const Network network,
                      get(context, &Networks::Stub::GetNetwork, network_name(context, id)));
  KeyValues pairs = {
      {"Name", id_of(network.name())},
      {"Project", network.cell_owned() ? "of every project" : project_of(network.name())},
      {"State", state_name(network)},
      {"Subnets", subnets_of(network)},
      {"Gateways", fmt::format("{}", fmt::join(network.gateways(), ", "))},
      {"Isolated", network.isolated() ? "yes" : "no"},
      {"DNS servers", fmt::format("{}", fmt::join(network.dns_servers(), ", "))}};
  for (const Network::Route& route : network.routes()) {
    pairs.emplace_back("Route", route.destination() + " via " + route.next_hop());
  }
  const KeyValues rest = {{"MTU", std::to_string(network.mtu_bytes())},
                          {"Bridge", network.bridge()},
                          {"Ports", std::to_string(network.port_count())},
                          {"Labels", labels_text(network.labels())},
                          {"Created", time_and_age(network.create_time(), context.now().wall)},
                          {"UID", network.uid()},
                          {"Etag", network.etag()}};
  pairs.insert(pairs.end(), rest.begin(), rest.end());
  print_details(context, network, pairs);
  return absl::OkStatus();
}

absl::Status delete_network(Context& context, const DeleteOptions& options) {
  return delete_resource(context, &Networks::Stub::DeleteNetwork, network_name(context, options.id),
                         options.mutation, "network {} is being deleted");
}

void add_create(CLI::App* noun, Command& chosen) {
  CLI::App* verb = add_verb(noun, {"create", "Make a network",
                                   "stellwerk network create back --subnet 10.8.0.0/24 \\\n"
                                   "      --subnet fd00:8::/64 --dns 10.8.0.1"});
  auto options = std::make_shared<CreateOptions>();
  verb->add_option("NAME", options->id, "A DNS label")->required();
  add_repeated(verb, {"--subnet", "RANGE", "IPv4 or IPv6 range; one of each at most"},
               options->subnets)
      ->required();
  add_repeated(verb, {"--gateway", "ADDRESS", "The host's address in a subnet; else its first one"},
               options->gateways);
  verb->add_flag("--isolated", options->isolated, "Guests reach each other and nothing else");
  add_repeated(verb, {"--dns", "ADDRESS", "Name server for guests; may be repeated"}, options->dns);
  add_repeated(
      verb, {"--route", "RANGE=ADDRESS", "Route for guests through a neighbour; may be repeated"},
      options->routes)
      ->check(CLI::Validator(check_route_form, ""));
  verb->add_option("--mtu", options->mtu, "Largest packet in bytes; else 1500")
      ->type_name("BYTES")
      ->check(CLI::Validator(check_mtu_form, ""));
  verb->add_option("--bridge", options->bridge, "Use this bridge of the host's as it is")
      ->type_name("NAME");
  add_labels(verb, options->labels);
  add_request_id(verb, options->mutation);
  choose(verb, options, chosen, create_network);
}

}  // namespace

void add_network_commands(CLI::App& app, Command& chosen) {
  CLI::App* noun = add_noun(app, "network", "What instances' ports hang on");
  add_create(noun, chosen);
  CLI::App* list = add_verb(noun, {"list", "List the networks", "stellwerk network list"});
  list->callback([&chosen] { chosen = list_networks; });
  add_show(noun, chosen, {"show", "Show one network", "stellwerk network show flat"}, show_network);
  add_delete(noun, chosen,
             {"delete", "Delete a network that no instance uses", "stellwerk network delete back"},
             delete_network);
}

}  // namespace stellwerk::cli

// What is to be booked: one instance or several, and the question what that would meet.
#include "api/convert/addresses_from_wire.h"
#include "api/convert/from_wire.h"
#include "api/convert/ingress_from_wire.h"
#include "api/convert/instance_fields.h"
#include "api/convert/mutation_context.h"
#include "api/convert/reading.h"
#include "core/cpu_baseline.h"

namespace stellwerk::convert {
namespace {

std::string of_same_project(RequestReader& reader, std::string_view field, std::string_view project,
                            const ResourceName& name) {
  if (!project.empty() && !name.project.empty() && name.project != project) {
    reader.add(field, fmt::format("belongs to project {}; it must be of {}, like the instance",
                                  name.project, project));
    return {};
  }
  return name.id;
}

// One of each family.
constexpr size_t kMostAddresses = 2;

std::vector<controller::PortRequest> read_ports(RequestReader& reader, const v1::Instance& instance,
                                                std::string_view project) {
  std::vector<controller::PortRequest> ports;
  const size_t count = instance.network_interfaces().size();
  if (count > kMostNetworkInterfaces) {
    reader.add("instance.network_interfaces",
               fmt::format("has {}; give at most {}", count, kMostNetworkInterfaces));
    return ports;
  }
  for (int i = 0; i < instance.network_interfaces_size(); ++i) {
    const std::string field = fmt::format("instance.network_interfaces[{}]", i);
    const auto& interface = instance.network_interfaces(i);
    const ResourceName name =
        reader.name(field + ".network", interface.network(), ResourceKind::kNetwork);
    controller::PortRequest port;
    port.network = of_same_project(reader, field + ".network", project, name);
    port.addresses =
        read_addresses(reader, field + ".ip_addresses", interface.ip_addresses(), kMostAddresses);
    ports.push_back(std::move(port));
  }
  return ports;
}

std::vector<std::string> read_ssh_keys(RequestReader& reader, const v1::Instance& instance) {
  const size_t count = instance.ssh_keys().size();
  if (count > kMostSshKeys) {
    reader.add("instance.ssh_keys", fmt::format("has {}; give at most {}", count, kMostSshKeys));
    return {};
  }
  for (int i = 0; i < instance.ssh_keys_size(); ++i) {
    reader.add_if(fmt::format("instance.ssh_keys[{}]", i), check_ssh_key(instance.ssh_keys(i)));
  }
  return {instance.ssh_keys().begin(), instance.ssh_keys().end()};
}

// The path of a site, a zone or a rack.
std::string read_place(RequestReader& reader, std::string_view field, const std::string& text) {
  if (text.empty()) return {};
  const absl::StatusOr<ResourceName> name = parse_any_name(text);
  const bool is_place =
      name.ok() && (name->kind == ResourceKind::kSite || name->kind == ResourceKind::kZone ||
                    name->kind == ResourceKind::kRack);
  if (is_place) return name->id;
  reader.add(field, fmt::format("{} is not the name of a place; write sites/{{site}}, "
                                "sites/{{site}}/zones/{{zone}} or "
                                "sites/{{site}}/zones/{{zone}}/racks/{{rack}}",
                                quoted(text)));
  return {};
}

std::string read_name_if_set(RequestReader& reader, std::string_view field, const std::string& text,
                             ResourceKind kind) {
  return text.empty() ? std::string() : reader.name(field, text, kind).id;
}

constexpr int kMostMatches = 16;

// "KEY" or "KEY=VALUE"
std::vector<LabelMatch> read_matches(RequestReader& reader, const std::string& field,
                                     const google::protobuf::RepeatedPtrField<std::string>& wire) {
  std::vector<LabelMatch> matches;
  if (wire.size() > kMostMatches) {
    reader.add(field, fmt::format("has {} labels; give at most {}", wire.size(), kMostMatches));
    return matches;
  }
  for (int i = 0; i < wire.size(); ++i) {
    const size_t equals = wire[i].find('=');
    LabelMatch match{.key = wire[i].substr(0, equals), .value = std::nullopt};
    if (equals != std::string::npos) match.value = wire[i].substr(equals + 1);
    reader.add_if(fmt::format("{}[{}]", field, i),
                  check_label(match.key, match.value.value_or("")));
    matches.push_back(std::move(match));
  }
  return matches;
}

controller::WishesRequest read_wishes(RequestReader& reader, const v1::Instance::Wishes& wishes) {
  const std::string field = "instance.wishes.";
  if (!wishes.cpu_baseline().empty()) {
    reader.add_if(field + "cpu_baseline", check_cpu_baseline(wishes.cpu_baseline()));
  }
  return {
      .within = read_place(reader, field + "within", wishes.within()),
      .host = read_name_if_set(reader, field + "host", wishes.host(), ResourceKind::kHost),
      .required_labels = read_matches(reader, field + "required_labels", wishes.required_labels()),
      .forbidden_labels =
          read_matches(reader, field + "forbidden_labels", wishes.forbidden_labels()),
      .cpu_baseline = wishes.cpu_baseline(),
      .preferred_site = read_name_if_set(reader, field + "preferred_site", wishes.preferred_site(),
                                         ResourceKind::kSite)};
}

void read_instance(RequestReader& reader, const v1::Instance& instance,
                   controller::CreateInstance& create) {
  create.flavor = reader.name("instance.flavor", instance.flavor(), ResourceKind::kFlavor).id;
  const ResourceName image = reader.name("instance.image", instance.image(), ResourceKind::kImage);
  create.image = image.id;
  create.image_project = image.project;
  const Bytes disk = reader.size("instance.boot_disk_bytes", instance.boot_disk_bytes());
  if (disk > Bytes()) create.boot_disk = disk;
  create.ports = read_ports(reader, instance, create.project);
  create.ssh_keys = read_ssh_keys(reader, instance);
  reader.add_if("instance.user_data", check_user_data(instance.user_data()));
  create.user_data = instance.user_data();
  create.labels = reader.labels("instance.labels", instance.labels());
  create.ingress = read_ingress(reader, "instance.ingress_rules", instance.ingress_rules());
  create.restart_policy = read_restart_policy(reader, instance);
  create.desired = read_desired_state(reader, instance);
  create.delete_protection = instance.delete_protection();
  if (!instance.group().empty()) {
    const std::string field = "instance.group";
    create.group = of_same_project(reader, field, create.project,
                                   reader.name(field, instance.group(), ResourceKind::kGroup));
  }
  create.wishes = read_wishes(reader, instance.wishes());
  create.failover = instance.failover_protected();
}

template <class Request, class Create>
void read_booking(RequestReader& reader, const Request& request, Create& create) {
  create.project = reader.parent("parent", request.parent());
  create.id = reader.label_id("instance_id", request.instance_id());
  if constexpr (requires { create.count; }) create.count = request.count();
  read_instance(reader, request.instance(), create);
}

}  // namespace

controller::Mutation to_mutation(const v1::CreateInstanceRequest& request, const Origin& origin) {
  RequestReader reader;
  controller::CreateInstance create;
  read_booking(reader, request, create);
  return mutation(request, {"CreateInstance", origin}, reader, std::move(create));
}

controller::Mutation to_mutation(const v1::CreateInstancesRequest& request, const Origin& origin) {
  RequestReader reader;
  controller::CreateInstances create;
  read_booking(reader, request, create);
  return mutation(request, {"CreateInstances", origin}, reader, std::move(create));
}

// The controller adds its own mistakes to those found here.
absl::StatusOr<controller::Query> to_query(const v1::ExplainPlacementRequest& request) {
  RequestReader reader;
  controller::ExplainPlacement explain;
  read_booking(reader, request, explain.booking);
  if (request.count() == 0) explain.booking.count = 1;
  explain.violations = reader.take();
  // Nobody but operators gets as far as here: see server::OperatorRule.
  explain.to_operator = !request.as_member();
  return explain;
}

}  // namespace stellwerk::convert

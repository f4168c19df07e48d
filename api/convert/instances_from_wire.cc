#include "api/convert/addresses_from_wire.h"
#include "api/convert/from_wire.h"
#include "api/convert/ingress_from_wire.h"
#include "api/convert/instance_fields.h"
#include "api/convert/mutation_context.h"
#include "api/convert/reading.h"
#include "core/validate.h"

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

}  // namespace

controller::Mutation to_mutation(const v1::CreateInstanceRequest& request, const Origin& origin) {
  RequestReader reader;
  const v1::Instance& instance = request.instance();
  controller::CreateInstance create;
  create.project = reader.parent("parent", request.parent());
  create.id = reader.label_id("instance_id", request.instance_id());
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
  return mutation(request, {"CreateInstance", origin}, reader, std::move(create));
}

controller::Mutation to_mutation(const v1::StartInstanceRequest& request, const Origin& origin) {
  RequestReader reader;
  const ResourceName name = instance_named(reader, request);
  return mutation(request, {"StartInstance", origin}, reader,
                  controller::StartInstance{.project = name.project, .id = name.id});
}

controller::Mutation to_mutation(const v1::StopInstanceRequest& request, const Origin& origin) {
  RequestReader reader;
  const ResourceName name = instance_named(reader, request);
  return mutation(
      request, {"StopInstance", origin}, reader,
      controller::StopInstance{.project = name.project, .id = name.id, .hard = request.force()});
}

controller::Mutation to_mutation(const v1::RebootInstanceRequest& request, const Origin& origin) {
  RequestReader reader;
  const ResourceName name = instance_named(reader, request);
  return mutation(
      request, {"RebootInstance", origin}, reader,
      controller::RebootInstance{.project = name.project, .id = name.id, .hard = request.force()});
}

controller::Mutation to_mutation(const v1::DeleteInstanceRequest& request, const Origin& origin) {
  RequestReader reader;
  const ResourceName name = instance_named(reader, request);
  return mutation(request, {"DeleteInstance", origin}, reader,
                  controller::DeleteInstance{.project = name.project, .id = name.id});
}

absl::StatusOr<controller::Query> to_query(const v1::GetInstanceRequest& request) {
  RequestReader reader;
  ResourceName name = instance_named(reader, request);
  SW_RETURN_IF_ERROR(reader.status());
  return controller::GetInstance{.project = std::move(name.project), .id = std::move(name.id)};
}

absl::StatusOr<controller::Query> to_query(const v1::ListInstancesRequest& request) {
  RequestReader reader;
  controller::ListInstances list;
  list.project = reader.parent_or_all("parent", request.parent());
  list.page = {.size = reader.page_size(request.page_size()),
               .token = reader.page_token(request.page_token())};
  list.labels = read_label_filter(reader, request.filter());
  SW_RETURN_IF_ERROR(reader.status());
  return list;
}

}  // namespace stellwerk::convert

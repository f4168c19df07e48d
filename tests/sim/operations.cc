#include "tests/sim/operations.h"

#include <fmt/format.h>

#include <utility>

namespace stellwerk::sim {
namespace {

const std::vector<std::string> kProjects = {"default", "blue"};
const std::vector<std::string> kInstances = {"vm-1", "vm-2", "vm-3", "vm-4", "vm-5", "vm-6"};
const std::vector<std::string> kNetworks = {"net-1", "net-2"};
const std::vector<std::string> kFlavors = {"tiny",   "tiny",     "big",      "pinned", "threaded",
                                           "modest", "SCS-1L-1", "SCS-2V-8", "no-such"};

std::string text_of(const std::vector<controller::PortRequest>& ports) {
  std::string text;
  for (const auto& port : ports) {
    text += " " + port.network;
    for (const IpAddress& address : port.addresses) text += "=" + address.to_string();
  }
  return text;
}

Operation flavor(std::string id, CpuClass cpu_class, int64_t vcpus, Bytes memory) {
  return {controller::CreateFlavor{
              .id = id, .cpu_class = cpu_class, .vcpus = VcpuCount(vcpus), .memory = memory},
          "create flavor " + id};
}

Operation image(const std::string& project, const std::string& id) {
  return {controller::BeginImageImport{.project = project, .id = id},
          fmt::format("import image {}/{}", project, id)};
}

}  // namespace

std::vector<Operation> Operations::preparations() const {
  return {{controller::CreateProject{.id = "blue"}, "create project blue"},
          image("default", "debian"),
          image("blue", "debian"),
          flavor("tiny", CpuClass::kShared, 1, mebibytes(512)),
          flavor("big", CpuClass::kShared, 4, gibibytes(8)),
          flavor("pinned", CpuClass::kDedicatedCore, 1, gibibytes(1)),
          flavor("threaded", CpuClass::kDedicatedThread, 1, gibibytes(1)),
          flavor("modest", CpuClass::kLowPerformance, 2, gibibytes(1))};
}

Operation Operations::create(const std::string& project, const std::string& id) {
  controller::CreateInstance create{.project = project,
                                    .id = id,
                                    .flavor = random_.pick(kFlavors),
                                    .image = random_.chance(50) ? "other" : "debian"};
  create.ports = ports();
  if (random_.chance(300)) create.user_data = "#cloud-config";
  if (random_.chance(250)) create.restart_policy = RestartPolicy::kNever;
  if (random_.chance(100)) create.desired = DesiredState::kStopped;
  std::string text = fmt::format(
      "create {}/{} {} {}{}{} restart {}{}", project, id, create.flavor, create.image,
      text_of(create.ports), create.user_data.empty() ? "" : " user-data",
      to_string(create.restart_policy), create.desired == DesiredState::kStopped ? " stopped" : "");
  return {std::move(create), std::move(text)};
}

std::vector<controller::PortRequest> Operations::ports() {
  std::vector<controller::PortRequest> ports;
  if (random_.chance(600)) ports.push_back({"flat", {}});
  while (random_.chance(300) && ports.size() < 4) {
    controller::PortRequest port{random_.pick(kNetworks), {}};
    if (random_.chance(300)) port.addresses = {IpAddress::v4(0x0A080000 + random_.below(20))};
    ports.push_back(std::move(port));
  }
  return ports;
}

// Small ranges, some of which overlap: they run out, and some are refused.
Operation Operations::create_network(const std::string& project) {
  controller::CreateNetwork create{.project = project, .id = random_.pick(kNetworks)};
  create.v4 = IpPrefix{IpAddress::v4(0x0A080000 + 8 * static_cast<uint32_t>(random_.below(3))), 29};
  if (random_.chance(300)) create.v6 = IpPrefix::parse("fd00:8::/120");
  create.isolated = random_.chance(400);
  std::string text =
      fmt::format("create network {}/{} {}", project, create.id, create.v4->to_string());
  return {std::move(create), std::move(text)};
}

Operation Operations::remove(const std::string& project, const std::string& id) const {
  return {controller::DeleteInstance{.project = project, .id = id},
          fmt::format("delete {}/{}", project, id)};
}

Operation Operations::change_instance(const std::string& project, const std::string& id) {
  const bool hard = random_.chance(400);
  const std::string name = fmt::format("{}/{}{}", project, id, hard ? " hard" : "");
  switch (random_.below(4)) {
    case 0:
      return {controller::StartInstance{project, id}, fmt::format("start {}/{}", project, id)};
    case 1:
      return {controller::StopInstance{project, id, hard}, "stop " + name};
    case 2:
      return {controller::RebootInstance{project, id, hard}, "reboot " + name};
    default:
      return remove(project, id);
  }
}

Operation Operations::change_resource() {
  const std::string project = random_.pick(kProjects);
  switch (random_.below(10)) {
    case 6:
    case 7:
      return create_network(project);
    case 8:
    case 9: {
      const std::string id = random_.pick(kNetworks);
      return {controller::DeleteNetwork{project, id},
              fmt::format("delete network {}/{}", project, id)};
    }
    case 0:
      return image(project, "other");
    case 1:
      return {controller::DeleteImage{project, "other"},
              fmt::format("delete image {}/other", project)};
    case 2:
      return flavor("passing", CpuClass::kShared, 1, gibibytes(1));
    case 3:
      return {controller::DeleteFlavor{"passing"}, "delete flavor passing"};
    case 4:
      return {controller::CreateProject{.id = "passing"}, "create project passing"};
    default:
      return {controller::DeleteProject{"passing"}, "delete project passing"};
  }
}

Operation Operations::any() {
  const std::string project = random_.pick(kProjects);
  const std::string id = random_.pick(kInstances);
  if (random_.chance(350)) return create(project, id);
  return random_.chance(150) ? change_resource() : change_instance(project, id);
}

}  // namespace stellwerk::sim

#include "tests/sim/operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace stellwerk::sim {
namespace {

const std::vector<std::string> kProjects = {"default", "blue"};
// Some as bookings call theirs.
const std::vector<std::string> kInstances = {"vm-1", "vm-2", "vm-3", "web-1", "web-2", "web-3"};
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

std::vector<Operation> Operations::preparations() {
  std::vector<Operation> all = fleet_.preparations();
  std::vector<Operation> rest = {{controller::CreateProject{.id = "blue"}, "create project blue"},
                                 image("default", "debian"),
                                 image("blue", "debian"),
                                 flavor("tiny", CpuClass::kShared, 1, mebibytes(512)),
                                 flavor("big", CpuClass::kShared, 4, gibibytes(8)),
                                 flavor("pinned", CpuClass::kDedicatedCore, 1, gibibytes(1)),
                                 flavor("threaded", CpuClass::kDedicatedThread, 1, gibibytes(1)),
                                 flavor("modest", CpuClass::kLowPerformance, 2, gibibytes(1))};
  std::ranges::move(rest, std::back_inserter(all));
  for (const std::string& project : kProjects) all.push_back(fleet_.create_group(project));
  return all;
}

Operation Operations::create(const std::string& project, const std::string& id) {
  controller::CreateInstance create{.project = project,
                                    .id = id,
                                    .flavor = random_.pick(kFlavors),
                                    .image = random_.chance(50) ? "other" : "debian"};
  if (random_.chance(150)) create.image_project = random_.pick(kProjects);
  create.ports = ports();
  if (random_.chance(300)) create.user_data = "#cloud-config";
  if (random_.chance(250)) create.restart_policy = RestartPolicy::kNever;
  if (random_.chance(100)) create.desired = DesiredState::kStopped;
  const std::string placing = draw_placing(create);
  std::string text =
      fmt::format("create {}/{} {} {}/{}{}{} restart {}{}{}", project, id, create.flavor,
                  create.image_project, create.image, text_of(create.ports),
                  create.user_data.empty() ? "" : " user-data", to_string(create.restart_policy),
                  create.desired == DesiredState::kStopped ? " stopped" : "", placing);
  return {std::move(create), std::move(text)};
}

std::string Operations::draw_placing(controller::CreateInstance& create) {
  std::string text;
  controller::WishesRequest& wishes = create.wishes;
  if (random_.chance(400)) text += " in " + (create.group = fleet_.some_group());
  if (random_.chance(100)) text += " within " + (wishes.within = fleet_.some_place());
  if (random_.chance(50)) text += " on " + (wishes.host = fleet_.some_host());
  if (random_.chance(120)) wishes.required_labels.push_back(fleet_.some_label());
  if (random_.chance(150)) wishes.forbidden_labels.push_back(fleet_.some_label());
  for (const LabelMatch& match : wishes.required_labels) text += " with " + match.key;
  for (const LabelMatch& match : wishes.forbidden_labels) text += " without " + match.key;
  if (random_.chance(100)) wishes.preferred_site = "dc1";
  create.failover = random_.chance(500);
  if (create.failover) text += " protected";
  return text;
}

controller::CreateInstances Operations::draw_booking(const std::string& project) {
  controller::CreateInstances booking;
  booking.project = project;
  booking.id = "web";
  booking.flavor = random_.pick(kFlavors);
  booking.image = "debian";
  if (random_.chance(300)) booking.ports = {{"flat", {}}};
  booking.count = 1 + static_cast<int64_t>(random_.below(3));
  return booking;
}

Operation Operations::book(const std::string& project) {
  controller::CreateInstances booking = draw_booking(project);
  const std::string placing = draw_placing(booking);
  std::string text = fmt::format("book {} times {}/{} {}{}", booking.count, project, booking.id,
                                 booking.flavor, placing);
  return {std::move(booking), std::move(text)};
}

controller::ExplainPlacement Operations::inquiry() {
  controller::ExplainPlacement explain{.booking = draw_booking(random_.pick(kProjects))};
  draw_placing(explain.booking);
  explain.to_operator = random_.chance(500);
  return explain;
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

Operation Operations::update(const std::string& project, const std::string& id) {
  controller::UpdateInstance update{.project = project, .id = id};
  if (random_.chance(500)) update.labels = Labels{{"tier", random_.chance(500) ? "front" : "back"}};
  if (random_.chance(300)) {
    update.restart_policy = random_.chance(500) ? RestartPolicy::kNever : RestartPolicy::kOnFailure;
  }
  if (random_.chance(300)) {
    update.desired = random_.chance(700) ? DesiredState::kRunning : DesiredState::kStopped;
  }
  if (random_.chance(100)) update.user_data = random_.chance(700) ? "#cloud-config" : "";
  if (random_.chance(100)) update.delete_protection = random_.chance(300);
  return {std::move(update), fmt::format("update {}/{} {}", project, id, random_.next())};
}

Operation Operations::limit(const std::string& project) {
  controller::UpdateProject update{.id = project};
  for (const controller::Limit limit : controller::kAllLimits) {
    if (random_.chance(600)) continue;
    update.limits.insert(limit);
    const bool is_bytes = limit == controller::Limit::kMemory || limit == controller::Limit::kDisk;
    const auto value = static_cast<int64_t>(random_.below(8)) * (is_bytes ? (int64_t{1} << 30) : 1);
    if (random_.chance(600)) controller::set_value(update.values, limit, value);
  }
  return {std::move(update), fmt::format("limit {} {}", project, random_.next())};
}

Operation Operations::change_life(const std::string& project, const std::string& id) {
  switch (random_.below(5)) {
    case 0:
      return {controller::ResetInstance{project, id}, fmt::format("reset {}/{}", project, id)};
    case 1: {
      const std::string to = random_.pick(kInstances);
      return {controller::RenameInstance{project, id, to},
              fmt::format("rename {}/{} to {}", project, id, to)};
    }
    case 2:
    case 3: {
      controller::ResizeInstance resize{.project = project, .id = id};
      resize.flavor = random_.pick(kFlavors);
      if (random_.chance(500)) resize.boot_disk = gibibytes(random_.chance(800) ? 4 : 1);
      std::string text = fmt::format("resize {}/{} {}{}", project, id, resize.flavor,
                                     resize.boot_disk ? to_string(*resize.boot_disk) : "");
      return {std::move(resize), std::move(text)};
    }
    default:
      return update(project, id);
  }
}

Operation Operations::change_resource() {
  const std::string project = random_.pick(kProjects);
  switch (random_.below(14)) {
    case 6:
    case 7:
      return create_network(project);
    case 8:
    case 9: {
      const std::string id = random_.pick(kNetworks);
      return {controller::DeleteNetwork{project, id},
              fmt::format("delete network {}/{}", project, id)};
    }
    case 10:
    case 11:
      return limit(project);
    case 12:
      return {controller::ImportImageFromUrl{.image = {.project = project, .id = "other"},
                                             .source = {.url = "http://images.example/other"}},
              fmt::format("fetch image {}/other", project)};
    case 13: {
      const bool open = random_.chance(700);
      return {controller::UpdateImage{.project = project, .id = "debian", .is_public = open},
              fmt::format("make image {}/debian {}", project, open ? "public" : "private")};
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
  if (random_.chance(100)) return fleet_.any();
  if (random_.chance(60)) return fleet_.change_group(project);
  if (random_.chance(90)) return book(project);
  if (random_.chance(350)) return create(project, id);
  if (random_.chance(190)) return change_resource();
  return random_.chance(450) ? change_life(project, id) : change_instance(project, id);
}

}  // namespace stellwerk::sim

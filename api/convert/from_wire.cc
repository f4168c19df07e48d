#include "api/convert/from_wire.h"

#include <algorithm>

#include "api/convert/mutation_context.h"
#include "api/convert/read_page.h"
#include "api/convert/reading.h"
#include "core/validate.h"

namespace stellwerk::convert {
namespace {

constexpr int64_t kMostDisks = 64;

std::optional<CpuClass> read_cpu_class(RequestReader& reader, const v1::Flavor& flavor) {
  switch (flavor.cpu_class()) {
    case v1::Flavor::CPU_CLASS_UNSPECIFIED:
      return std::nullopt;
    case v1::Flavor::LOW_PERFORMANCE:
      return CpuClass::kLowPerformance;
    case v1::Flavor::SHARED:
      return CpuClass::kShared;
    case v1::Flavor::DEDICATED_THREAD:
      return CpuClass::kDedicatedThread;
    case v1::Flavor::DEDICATED_CORE:
      return CpuClass::kDedicatedCore;
    default:
      break;
  }
  reader.add("flavor.cpu_class",
             fmt::format("{} is no CPU class; give LOW_PERFORMANCE, SHARED, DEDICATED_THREAD or "
                         "DEDICATED_CORE",
                         static_cast<int>(flavor.cpu_class())));
  return std::nullopt;
}

DiskType read_disk_type(RequestReader& reader, const v1::Flavor::Disks& disks) {
  switch (disks.type()) {
    case v1::Flavor::DISK_TYPE_UNSPECIFIED:
      return DiskType::kUnspecified;
    case v1::Flavor::NETWORK:
      return DiskType::kNetwork;
    case v1::Flavor::HDD:
      return DiskType::kHardDisk;
    case v1::Flavor::SSD:
      return DiskType::kSsd;
    case v1::Flavor::NVME:
      return DiskType::kNvme;
    default:
      break;
  }
  reader.add("flavor.disks.type", fmt::format("{} is no disk type; give NETWORK, HDD, SSD or NVME",
                                              static_cast<int>(disks.type())));
  return DiskType::kUnspecified;
}

std::optional<FlavorDisks> read_disks(RequestReader& reader, const v1::Flavor& flavor) {
  if (!flavor.has_disks()) return std::nullopt;
  const v1::Flavor::Disks& wire = flavor.disks();
  FlavorDisks disks;
  disks.count = std::max<int64_t>(
      1, reader.amount({.field = "flavor.disks.count", .value = wire.count(), .most = kMostDisks}));
  disks.size = reader.size("flavor.disks.size_bytes", wire.size_bytes());
  disks.type = read_disk_type(reader, wire);
  return disks;
}

template <class Request>
EventFilter read_filter(RequestReader& reader, const Request& request) {
  EventFilter filter;
  if (!request.parent().empty()) {
    const std::string project = reader.parent_or_all("parent", request.parent());
    if (project != "-") filter.project = project;
  }
  if (request.resource().empty()) return filter;
  const absl::StatusOr<ResourceName> name = parse_any_name(request.resource());
  if (!name.ok()) {
    reader.add("resource", message_of(name.status()));
  } else if (!filter.project.empty() && name->project != filter.project &&
             !(name->kind == ResourceKind::kProject && name->id == filter.project)) {
    reader.add("resource", fmt::format("is not of project {}; leave out one of parent and resource",
                                       filter.project));
  }
  filter.resource = request.resource();
  return filter;
}

}  // namespace

controller::Mutation to_mutation(const v1::CreateFlavorRequest& request, const Origin& origin) {
  RequestReader reader;
  const v1::Flavor& flavor = request.flavor();
  controller::CreateFlavor create;
  const Problem problem = check_flavor_id(request.flavor_id());
  reader.add_if("flavor_id", problem);
  if (!problem) create.id = request.flavor_id();
  create.cpu_class = read_cpu_class(reader, flavor);
  const int64_t vcpus =
      reader.amount({.field = "flavor.vcpus", .value = flavor.vcpus(), .most = kMostVcpus});
  if (vcpus > 0) create.vcpus = VcpuCount(vcpus);
  const int64_t memory = reader.amount({.field = "flavor.memory_mib",
                                        .value = flavor.memory_mib(),
                                        .most = kMostBytes.count() / mebibytes(1).count()});
  if (memory > 0) create.memory = mebibytes(memory);
  create.disks = read_disks(reader, flavor);
  return mutation(request, {"CreateFlavor", origin}, reader, std::move(create));
}

controller::Mutation to_mutation(const v1::DeleteFlavorRequest& request, const Origin& origin) {
  RequestReader reader;
  const ResourceName name = reader.name("name", request.name(), ResourceKind::kFlavor);
  return mutation(request, {"DeleteFlavor", origin}, reader,
                  controller::DeleteFlavor{.id = name.id});
}

absl::StatusOr<controller::Query> to_query(const v1::GetFlavorRequest& request) {
  RequestReader reader;
  ResourceName name = reader.name("name", request.name(), ResourceKind::kFlavor);
  SW_RETURN_IF_ERROR(reader.status());
  return controller::GetFlavor{.id = std::move(name.id)};
}

absl::StatusOr<controller::Query> to_query(const v1::ListFlavorsRequest& request) {
  RequestReader reader;
  controller::ListFlavors list{.page = read_page(reader, request)};
  SW_RETURN_IF_ERROR(reader.status());
  return list;
}

absl::StatusOr<controller::Query> to_query(const v1::GetHostRequest& request) {
  RequestReader reader;
  ResourceName name = reader.name("name", request.name(), ResourceKind::kHost);
  SW_RETURN_IF_ERROR(reader.status());
  return controller::GetHost{.id = std::move(name.id)};
}

absl::StatusOr<controller::Query> to_query(const v1::ListHostsRequest& request) {
  RequestReader reader;
  controller::ListHosts list{.page = read_page(reader, request)};
  SW_RETURN_IF_ERROR(reader.status());
  return list;
}

absl::StatusOr<controller::Query> to_query(const v1::GetProjectRequest& request) {
  RequestReader reader;
  ResourceName name = reader.name("name", request.name(), ResourceKind::kProject);
  SW_RETURN_IF_ERROR(reader.status());
  return controller::GetProject{.id = std::move(name.id)};
}

absl::StatusOr<controller::Query> to_query(const v1::ListProjectsRequest& request) {
  RequestReader reader;
  controller::ListProjects list{.page = read_page(reader, request)};
  SW_RETURN_IF_ERROR(reader.status());
  return list;
}

bool EventFilter::matches(const Event& event) const {
  return (project.empty() || event.project_id == project) &&
         (resource.empty() || event.resource == resource);
}

absl::StatusOr<EventListing> to_listing(const v1::ListEventsRequest& request, const CellUid& cell) {
  RequestReader reader;
  EventListing listing;
  listing.filter = read_filter(reader, request);
  listing.size = reader.page_size(request.page_size());
  if (!request.page_token().empty()) {
    const absl::StatusOr<EventPlace> place = parse_event_page_token(request.page_token(), cell);
    if (!place.ok()) reader.add("page_token", place.status());
    listing.place = place.value_or(EventPlace());
  }
  SW_RETURN_IF_ERROR(reader.status());
  return listing;
}

absl::StatusOr<EventWatch> to_watch(const v1::WatchEventsRequest& request, const CellUid& cell) {
  RequestReader reader;
  EventWatch watch;
  watch.filter = read_filter(reader, request);
  if (!request.token().empty()) {
    const absl::StatusOr<Sequence> after = parse_event_token(request.token(), cell);
    if (!after.ok()) reader.add("token", after.status());
    watch.after = after.value_or(Sequence());
  }
  SW_RETURN_IF_ERROR(reader.status());
  return watch;
}

}  // namespace stellwerk::convert

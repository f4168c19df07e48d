#include "placement/request.h"

#include <fmt/format.h>

#include <set>
#include <string_view>

namespace stellwerk::placement {
namespace {

class Checker {
 public:
  // Almost every request is well formed, and this is on the way of every decision: words are made
  // only when they are needed.
  template <class... Values>
  void need(bool holds, std::string_view field, fmt::format_string<const Values&...> format,
            const Values&... values) {
    if (!holds) add_once(violations_, std::string(field), fmt::format(format, values...));
  }
  std::vector<FieldViolation> take() { return std::move(violations_); }

 private:
  std::vector<FieldViolation> violations_;
};

template <class Amount>
bool within(Amount amount, Amount least, Amount most) {
  return amount >= least && amount <= most;
}

void check_size(const Request& request, Checker& check) {
  check.need(within(request.vcpus, VcpuCount(1), VcpuCount(kMostVcpus)), "vcpus",
             "{} asked; 1 to {} are possible", request.vcpus.count(), kMostVcpus);
  const bool in_pages = request.page_size != PageSize::kNormal;
  check.need(within(request.memory, in_pages ? Bytes() : Bytes(1), kMostMemory), "memory",
             "{} bytes asked; 1 byte to 64 TiB are possible", request.memory.count());
  check.need(within(request.disk, Bytes(), kMostDisk), "disk",
             "{} bytes asked; nothing to 1024 TiB is possible", request.disk.count());
  check.need(within(request.pool_bytes, Bytes(), kMostDisk * 1024), "pool_bytes", "{} bytes asked",
             request.pool_bytes.count());
  check.need(request.pool_bytes == Bytes() || !request.pool.empty(), "pool",
             "bytes of a pool are asked, and no pool is named");
  check.need(within(request.bandwidth, MegabitsPerSecond(), MegabitsPerSecond(10'000'000)),
             "bandwidth", "{} Mbit/s asked; 0 to 10,000,000 are possible",
             request.bandwidth.count());
  check.need(within<int64_t>(request.count, 1, kMostInstances), "count",
             "{} asked; 1 to {} instances are possible in one request", request.count,
             kMostInstances);
}

void check_nodes_and_pages(const Request& request, Checker& check) {
  const int32_t nodes = request.numa_nodes;
  check.need(nodes == 0 || nodes == 1 || nodes == 2 || nodes == 4, "numa_nodes",
             "{} asked; 1, 2 or 4 are possible", nodes);
  if (nodes > 0) {
    check.need(request.vcpus.count() % nodes == 0, "numa_nodes",
               "{} vCPUs cannot be shared evenly by {} nodes; ask for a multiple",
               request.vcpus.count(), nodes);
    check.need(request.pages % nodes == 0, "pages",
               "{} pages cannot be shared evenly by {} nodes; ask for a multiple", request.pages,
               nodes);
  }
  if (request.page_size == PageSize::kNormal) {
    check.need(request.pages == 0, "pages", "huge pages are asked, and no size of page is named");
    return;
  }
  const int64_t most = kMostMemory.count() / bytes_of(request.page_size).count();
  check.need(within<int64_t>(request.pages, 1, most), "pages",
             "{} huge pages asked; 1 to {} are possible", request.pages, most);
}

void check_devices(const Request& request, Checker& check) {
  std::set<std::string> classes;
  for (const DeviceCount& device : request.devices) {
    check.need(within<int64_t>(device.count, 1, kMostDevices), "devices",
               "{} of {} asked; 1 to {} are possible", device.count, device.device_class,
               kMostDevices);
    check.need(classes.insert(device.device_class).second, "devices",
               "{} is asked twice; ask once for all of them", device.device_class);
  }
}

bool contradict(const LabelMatch& required, const LabelMatch& forbidden) {
  return required.key == forbidden.key && (!forbidden.value || required.value == forbidden.value);
}

void check_wishes(const Wishes& wishes, Checker& check) {
  for (const LabelMatch& required : wishes.required_labels) {
    for (const LabelMatch& forbidden : wishes.forbidden_labels) {
      check.need(!contradict(required, forbidden), "forbidden_labels",
                 "label {} is required and forbidden", required.key);
    }
    for (const LabelMatch& other : wishes.required_labels) {
      check.need(required.key != other.key || !required.value || !other.value ||
                     required.value == other.value,
                 "required_labels", "label {} cannot have two values", required.key);
    }
  }
}

}  // namespace

std::vector<FieldViolation> check_request(const Request& request) {
  Checker check;
  check_size(request, check);
  check_nodes_and_pages(request, check);
  check_devices(request, check);
  check_wishes(request.wishes, check);
  return check.take();
}

Claim claim_of(const Request& request, const HostUid& host) {
  return {.host = host,
          .cpu_class = request.cpu_class,
          .vcpus = request.vcpus,
          .memory = request.memory,
          .disk = request.disk,
          .by_node = request.numa_nodes > 0,
          .page_size = request.page_size,
          .pages = request.pages,
          .bandwidth = request.bandwidth,
          .devices = request.devices};
}

}  // namespace stellwerk::placement

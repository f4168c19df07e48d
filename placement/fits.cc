#include "placement/fits.h"

#include <fmt/format.h>

#include "placement/capacity.h"
#include "placement/processors.h"

namespace stellwerk::placement {
namespace {

using Check = std::optional<std::string>;

Check check_accepting(const HostLoad& host, const Request&, const CpuLimits&) {
  if (host.accepting) return std::nullopt;
  return "its agent is not connected";
}

Check check_disk_type(const HostLoad& host, const Request& request, const CpuLimits&) {
  if (offers(host.facts.disk_type, request.disk_type)) return std::nullopt;
  return fmt::format("{} asked, its disk is declared {}", to_string(request.disk_type),
                     to_string(host.facts.disk_type));
}

Check check_topology(const HostLoad& host, const Request& request, const CpuLimits&) {
  if (!is_dedicated(request.cpu_class) || knows_topology(host.facts)) return std::nullopt;
  return fmt::format(
      "{} vCPUs asked; which cores and threads it has is not known, so none can be "
      "given to one guest alone",
      to_string(request.cpu_class));
}

Check check_cpu(const HostLoad& host, const Request& request, const CpuLimits& limits) {
  const VcpuCount free = free_vcpus(host, request.cpu_class, limits);
  if (request.vcpus <= free) return std::nullopt;
  return fmt::format("{} {} vCPUs asked, {} more fit on {} cores with {} threads",
                     request.vcpus.count(), to_string(request.cpu_class), free.count(),
                     host.facts.cores, host.facts.threads);
}

Check check_memory(const HostLoad& host, const Request& request, const CpuLimits&) {
  const Bytes free = free_memory(host);
  if (request.memory <= free) return std::nullopt;
  return fmt::format("{} asked, {} free of {}", to_string(request.memory), to_string(free),
                     to_string(host.facts.memory));
}

Check check_disk(const HostLoad& host, const Request& request, const CpuLimits&) {
  const Bytes free = free_disk(host);
  if (request.disk <= free) return std::nullopt;
  return fmt::format("{} asked, {} free of {}", to_string(request.disk), to_string(free),
                     to_string(host.facts.disk));
}

constexpr Rule kRules[] = {{"accepting", check_accepting}, {"disk-type", check_disk_type},
                           {"topology", check_topology},   {"cpu", check_cpu},
                           {"memory", check_memory},       {"disk", check_disk}};

}  // namespace

std::span<const Rule> rules() {
  return kRules;
}

std::optional<Refusal> first_refusal(const HostLoad& host, const Request& request,
                                     const CpuLimits& limits) {
  for (const Rule& rule : kRules) {
    if (const Check problem = rule.check(host, request, limits)) {
      return Refusal{host.uid, std::string(rule.name), *problem};
    }
  }
  return std::nullopt;
}

}  // namespace stellwerk::placement

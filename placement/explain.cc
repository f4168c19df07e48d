#include "placement/explain.h"

#include <fmt/format.h>

#include <algorithm>

#include "placement/capacity.h"
#include "placement/fits.h"

namespace stellwerk::placement {
namespace {

using Hosts = std::vector<const HostLoad*>;

Hosts refused_by(std::string_view rule, const Fleet& fleet, const std::vector<Refusal>& refusals) {
  Hosts hosts;
  for (size_t i = 0; i < refusals.size(); ++i) {
    if (refusals[i].rule == rule) hosts.push_back(&fleet.hosts[i]);
  }
  return hosts;
}

template <class Free>
auto largest(const Hosts& hosts, Free free) {
  auto most = free(*hosts.front());
  for (const HostLoad* host : hosts) most = std::max(most, free(*host));
  return most;
}

std::string asked_and_free(Bytes asked, Bytes free) {
  const bool told_apart = to_string(asked) != to_string(free);
  const auto show = [told_apart](Bytes amount) {
    return told_apart ? to_string(amount) : fmt::format("{} bytes", amount.count());
  };
  return fmt::format("{} asked, the largest free is {}", show(asked), show(free));
}

std::string reason(std::string_view rule, const Hosts& hosts, const Fleet& fleet,
                   const Request& request) {
  if (rule == "accepting") return "not connected";
  if (rule == "disk-type") return fmt::format("{} asked, none there", to_string(request.disk_type));
  if (rule == "topology") {
    return fmt::format("{} vCPUs asked, cores and threads are not known",
                       to_string(request.cpu_class));
  }
  if (rule == "cpu") {
    const VcpuCount free = largest(hosts, [&](const HostLoad& host) {
      return free_vcpus(host, request.cpu_class, fleet.cpu_limits);
    });
    return fmt::format("{} {} vCPUs asked, the largest free is {}", request.vcpus.count(),
                       to_string(request.cpu_class), free.count());
  }
  if (rule == "memory") return asked_and_free(request.memory, largest(hosts, free_memory));
  return asked_and_free(request.disk, largest(hosts, free_disk));
}

std::string_view advice(std::string_view rule) {
  if (rule == "accepting") return "try again when a host has connected";
  if (rule == "disk-type") return "choose a flavor without this disk type";
  if (rule == "topology") return "choose a flavor of a shared class";
  if (rule == "cpu") return "ask for fewer vCPUs or another class of flavor";
  if (rule == "memory") return "ask for less memory or another flavor";
  return "ask for a smaller disk or another flavor";
}

}  // namespace

std::string summarize(const Fleet& fleet, const Request& request,
                      const std::vector<Refusal>& refusals) {
  if (refusals.empty()) return "no host belongs to the cell yet; start stellwerkd on one";
  std::string text;
  std::string_view last_rule;
  for (const Rule& rule : rules()) {
    const Hosts hosts = refused_by(rule.name, fleet, refusals);
    if (hosts.empty()) continue;
    const std::string share = hosts.size() == refusals.size()
                                  ? ""
                                  : fmt::format(" ({} of {} hosts)", hosts.size(), refusals.size());
    const std::string_view subject = rule.name == "accepting" ? "hosts" : rule.name;
    text += fmt::format("{}{}: {}; ", subject, share, reason(rule.name, hosts, fleet, request));
    last_rule = rule.name;
  }
  // Hosts that failed the last rule came nearest.
  text += advice(last_rule);
  return text;
}

}  // namespace stellwerk::placement

#include "api/metrics/cell_families.h"

#include <array>
#include <functional>

namespace stellwerk::metrics {
namespace {

using controller::CellSummary;
using controller::HostView;

constexpr std::array kPhases = {
    Phase::kPending, Phase::kPreparing, Phase::kStarting, Phase::kRunning, Phase::kStopping,
    Phase::kStopped, Phase::kCrashed,   Phase::kDeleting, Phase::kDeleted, Phase::kUnknown};

double amount(Bytes bytes) {
  return static_cast<double>(bytes.count());
}

std::vector<Sample> instances_by_phase(const CellSummary& summary) {
  std::vector<Sample> samples;
  for (const Phase phase : kPhases) {
    const auto found = summary.instances.find(phase);
    const int64_t count = found == summary.instances.end() ? 0 : found->second;
    samples.push_back({{{"phase", std::string(to_string(phase))}}, static_cast<double>(count)});
  }
  return samples;
}

void add_of_hosts(Families& families, const CellSummary& summary, const FamilyText& text,
                  const std::function<double(const HostView&)>& value) {
  std::vector<Sample> samples;
  for (const HostView& view : summary.hosts) {
    samples.push_back({{{"host", view.host.id}}, value(view)});
  }
  add_gauge(families, text, samples);
}

void add_resources(Families& families, const CellSummary& cell) {
  add_of_hosts(families, cell, {"stellwerk_host_memory_bytes", "Memory of the host"},
               [](const HostView& view) { return amount(view.host.facts.memory); });
  add_of_hosts(families, cell,
               {"stellwerk_host_memory_reserved_bytes", "Memory held back for the host itself"},
               [](const HostView& view) { return amount(view.host.reserve.memory); });
  add_of_hosts(families, cell,
               {"stellwerk_host_memory_used_bytes", "Memory that instances have claimed"},
               [](const HostView& view) { return amount(view.memory_used); });
  add_of_hosts(families, cell,
               {"stellwerk_host_disk_bytes", "Size of the file system that holds disks"},
               [](const HostView& view) { return amount(view.host.facts.disk); });
  add_of_hosts(families, cell,
               {"stellwerk_host_disk_reserved_bytes", "Disk held back for the host itself"},
               [](const HostView& view) { return amount(view.host.reserve.disk); });
  add_of_hosts(families, cell,
               {"stellwerk_host_disk_used_bytes", "Disk that instances and images have claimed"},
               [](const HostView& view) { return amount(view.disk_used); });
  add_of_hosts(families, cell,
               {"stellwerk_host_disk_available_bytes", "Free space as last measured"},
               [](const HostView& view) { return amount(view.disk_available); });
  add_of_hosts(families, cell, {"stellwerk_host_threads", "Hardware threads of the host"},
               [](const HostView& view) { return static_cast<double>(view.host.facts.threads); });
}

std::vector<Sample> vcpus_used(const CellSummary& summary) {
  std::vector<Sample> samples;
  for (const HostView& view : summary.hosts) {
    for (const CpuClass cpu_class : {CpuClass::kLowPerformance, CpuClass::kShared,
                                     CpuClass::kDedicatedThread, CpuClass::kDedicatedCore}) {
      const auto found = view.vcpus_used.find(cpu_class);
      const int64_t count = found == view.vcpus_used.end() ? 0 : found->second.count();
      samples.push_back({{{"host", view.host.id}, {"class", std::string(to_string(cpu_class))}},
                         static_cast<double>(count)});
    }
  }
  return samples;
}

}  // namespace

Families families_of(const CellSummary& summary) {
  Families families;
  add_gauge(families, {"stellwerk_instances", "Instances by phase"}, instances_by_phase(summary));
  add_gauge(families, {"stellwerk_projects", "Projects of the cell"},
            {{{}, static_cast<double>(summary.projects)}});
  add_gauge(families, {"stellwerk_images", "Images of the cell"},
            {{{}, static_cast<double>(summary.images)}});
  add_gauge(families, {"stellwerk_event_log_records", "Commits whose events are still kept"},
            {{{}, static_cast<double>(summary.log_records)}});
  add_gauge(families, {"stellwerk_unreadable_records", "Records of the store that cannot be read"},
            {{{}, static_cast<double>(summary.unreadable_records)}});
  add_of_hosts(families, summary,
               {"stellwerk_host_ready", "1 if the host takes guests, 0 if its agent is not heard"},
               [](const HostView& view) { return view.connected ? 1.0 : 0.0; });
  add_resources(families, summary);
  add_gauge(families, {"stellwerk_host_vcpus_used", "vCPUs that instances have claimed, by class"},
            vcpus_used(summary));
  add_of_hosts(
      families, summary,
      {"stellwerk_host_orphans", "Domains of this cell that no record claims; they run on"},
      [](const HostView& view) { return static_cast<double>(view.orphans.size()); });
  add_of_hosts(families, summary,
               {"stellwerk_host_foreign_domains", "Domains that are not this cell's"},
               [](const HostView& view) { return static_cast<double>(view.foreign.domains); });
  return families;
}

}  // namespace stellwerk::metrics

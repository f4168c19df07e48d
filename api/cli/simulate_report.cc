#include "api/cli/simulate_report.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "api/cli/exit_code.h"
#include "api/cli/files.h"
#include "api/cli/table.h"
#include "placement/simulate/plots.h"

namespace stellwerk::cli {
namespace {

using Json = nlohmann::ordered_json;
using placement::simulate::Loss;
using placement::simulate::Report;
using placement::simulate::WhatIfResult;

std::string failover_text(const SimulatedCase& simulated) {
  return simulated.failover ? std::string(to_string(*simulated.failover)) : "none";
}

Json outcome_json(const Report& report) {
  return {{"placed", report.placed},
          {"rejected", report.rejected},
          {"rejected_vcpu_seconds", report.rejected_vcpu_seconds},
          {"rejected_vcpu_fraction", report.rejected_vcpu_fraction()},
          {"time_avg_hosts_used", report.time_avg_hosts_used},
          {"peak_hosts_used", report.peak_hosts_used},
          {"bound_time_avg_hosts", report.bound_time_avg_hosts},
          {"bound_peak_hosts", report.bound_peak_hosts},
          {"bound_time_avg_hosts_all", report.bound_of_demand.time_average},
          {"bound_peak_hosts_all", report.bound_of_demand.peak},
          {"time_avg_vcpu_load", report.time_avg_vcpu_load},
          {"time_avg_memory_load", report.time_avg_memory_load},
          {"stranded_vcpu_fraction", report.stranded_vcpu_fraction},
          {"stranded_memory_fraction", report.stranded_memory_fraction},
          {"waited", report.waited},
          {"total_wait_s", report.total_wait_s},
          {"longest_wait_s", report.longest_wait_s}};
}

Json what_if_json(const WhatIfResult& result) {
  Json json = {{"what_if", result.text}, {"time_s", result.time}};
  if (!result.loss) {
    json["hosts_added"] = result.hosts_added;
    return json;
  }
  const Loss& loss = *result.loss;
  json["hosts_lost"] = loss.hosts;
  json["guests"] = loss.guests;
  json["by_backup"] = loss.by_backup;
  json["placed_anew"] = loss.placed_anew;
  json["lost"] = loss.lost.size();
  json["lost_vcpu_seconds"] = result.lost_vcpu_seconds;
  json["lost_instances"] = result.lost;
  json["broken_backups"] = loss.broken_backups;
  json["unprotected"] = loss.unprotected;
  return json;
}

std::string percent(double share) {
  return fmt::format("{:.2f} %", share * 100);
}

std::string rejections_text(const Report& report) {
  std::string text;
  for (const auto& [reason, count] : report.rejections) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, to_string(reason));
  }
  return text;
}

std::string what_if_text(const WhatIfResult& result) {
  if (!result.loss) return fmt::format("{} hosts more", result.hosts_added);
  const Loss& loss = *result.loss;
  return fmt::format("{} guests of {} hosts: {} by backup, {} placed anew, {} lost", loss.guests,
                     loss.hosts, loss.by_backup, loss.placed_anew, loss.lost.size());
}

}  // namespace

std::string report_json(const SimulatedCase& simulated, const Report& report,
                        const std::optional<Report>& without) {
  Json json = {{"trace", simulated.trace},
               {"rows", {{"from", simulated.from_row}, {"count", report.rows}}},
               {"window_s", {{"begin", report.window.begin}, {"end", report.window.end}}},
               {"fleet",
                {{"file", simulated.fleet.empty() ? Json() : Json(simulated.fleet)},
                 {"hosts", report.hosts},
                 {"racks", simulated.racks},
                 {"sites", simulated.sites},
                 {"oversubscription", simulated.oversubscription}}},
               {"policy", to_string(simulated.policy)},
               {"on_full", to_string(simulated.on_full)},
               {"failover", failover_text(simulated)},
               {"smallest_common_size",
                {{"vcpus", report.smallest_common_size.vcpus},
                 {"memory_mib", report.smallest_common_size.memory_mib}}}};
  json.update(outcome_json(report));
  json["rejections"] = Json::object();
  for (const auto& [reason, count] : report.rejections) {
    json["rejections"][std::string(to_string(reason))] = count;
  }
  json["decisions"] = report.decisions;
  json["decisions_per_second"] = report.decisions_per_second;
  json["latency_ns"] = {
      {"p50", report.latency.p50}, {"p99", report.latency.p99}, {"p999", report.latency.p999}};
  json["what_if"] = Json::array();
  for (const WhatIfResult& one : report.what_ifs) json["what_if"].push_back(what_if_json(one));
  if (without) json["without_what_if"] = outcome_json(*without);
  return json.dump(2, ' ', true, Json::error_handler_t::replace);
}

void print_report(const Context& context, const SimulatedCase& simulated, const Report& report,
                  const std::optional<Report>& without) {
  KeyValues pairs = {
      {"Trace",
       fmt::format("{}, {} rows from {}", simulated.trace, report.rows, simulated.from_row)},
      {"Fleet", fmt::format("{} hosts in {} racks of {} sites, oversubscribed {}:1", report.hosts,
                            simulated.racks, simulated.sites, simulated.oversubscription)},
      {"Policy", fmt::format("{}, failover {}, when full: {}", to_string(simulated.policy),
                             failover_text(simulated), to_string(simulated.on_full))},
      {"Placed", std::to_string(report.placed)},
      {"Rejected", fmt::format("{} ({} of the vCPU time)", report.rejected,
                               percent(report.rejected_vcpu_fraction()))},
      {"Reasons", rejections_text(report)},
      {"Hosts used",
       fmt::format("{:.1f} on average (at least {:.1f}), {} at the peak (at least {})",
                   report.time_avg_hosts_used, report.bound_time_avg_hosts, report.peak_hosts_used,
                   report.bound_peak_hosts)},
      {"Load", fmt::format("{} of the vCPUs, {} of the memory", percent(report.time_avg_vcpu_load),
                           percent(report.time_avg_memory_load))},
      {"Stranded", fmt::format("{} of the vCPUs, {} of the memory of hosts in use",
                               percent(report.stranded_vcpu_fraction),
                               percent(report.stranded_memory_fraction))},
      {"Waited", report.waited == 0 ? ""
                                    : fmt::format("{}, {} s in all, {} s at most", report.waited,
                                                  report.total_wait_s, report.longest_wait_s)},
      {"Decisions", fmt::format("{} at {:.0f} a second; {} ns (p50), {} ns (p99), {} ns (p99.9)",
                                report.decisions, report.decisions_per_second, report.latency.p50,
                                report.latency.p99, report.latency.p999)}};
  for (const WhatIfResult& one : report.what_ifs) pairs.push_back({one.text, what_if_text(one)});
  if (without) {
    pairs.push_back({"Without that",
                     fmt::format("{} placed, {} rejected, {:.1f} hosts on average", without->placed,
                                 without->rejected, without->time_avg_hosts_used)});
  }
  print_key_values(context.out(), pairs, context.colour);
}

absl::Status check_writable(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return usage_error("cannot write {}: it is a directory", quoted_path(path));
  }
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string directory = parent.empty() ? "." : parent.string();
  const bool there = std::filesystem::exists(path, ignored);
  if (::access(there ? path.c_str() : directory.c_str(), W_OK) == 0) return absl::OkStatus();
  return usage_error("cannot write {}: {}", quoted_path(path), strerror(errno));
}

absl::Status write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  if (file.good()) return absl::OkStatus();
  return data_loss("cannot write {}: {}", quoted_path(path), strerror(errno));
}

absl::Status write_plots(const std::string& directory, const Report& report) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return usage_error("cannot make {}: {}", quoted_path(directory), error.message());
  SW_RETURN_IF_ERROR(write_file(directory + "/load.svg", load_plot(report.load)));
  SW_RETURN_IF_ERROR(write_file(directory + "/racks.svg", rack_map(report.peak)));
  return write_file(directory + "/rejections.svg", rejections_plot(report.rejections));
}

}  // namespace stellwerk::cli

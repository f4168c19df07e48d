#include "drivers/hypervisor/libvirt/host_facts.h"

#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "core/cpu_baseline.h"
#include "drivers/hypervisor/libvirt/kernel_file.h"

namespace stellwerk::hypervisor {
namespace {

std::string_view trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}

struct Line {
  std::string_view key;
  std::string_view value;
};

// The next "key : value" of `text`, which is shortened by it; nothing at the end.
std::optional<Line> next_line(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return Line{};
  return Line{trim(line.substr(0, colon)), trim(line.substr(colon + 1))};
}

absl::StatusOr<std::string> read_all(const std::string& path) {
  std::optional<std::string> text = read_kernel_file(path);
  if (!text) return unavailable("{} cannot be read", path);
  return *std::move(text);
}

}  // namespace

Processors parse_processors(std::string_view cpuinfo) {
  Processors processors;
  std::set<std::pair<std::string, std::string>> cores;
  std::string package;
  while (const auto line = next_line(cpuinfo)) {
    if (line->key == "processor") ++processors.threads;
    if (line->key == "model name") processors.model = line->value;
    if (line->key == "flags") processors.baselines = cpu_baselines_of(line->value);
    if (line->key == "physical id") package = line->value;
    if (line->key == "core id") cores.emplace(package, line->value);
  }
  processors.cores = cores.empty() ? processors.threads : static_cast<int64_t>(cores.size());
  return processors;
}

absl::StatusOr<Bytes> parse_total_memory(std::string_view meminfo) {
  while (const auto line = next_line(meminfo)) {
    if (line->key != "MemTotal") continue;
    int64_t amount = 0;
    const char* end = line->value.data() + line->value.size();
    const auto [stop, error] = std::from_chars(line->value.data(), end, amount);
    if (error == std::errc() && std::string_view(stop, end) == " kB") return kibibytes(amount);
    return data_loss("meminfo: MemTotal is '{}', not an amount of kB", line->value);
  }
  return data_loss("meminfo: there is no MemTotal");
}

absl::StatusOr<HostFacts> read_host_facts(const std::string& proc_root) {
  SW_ASSIGN_OR_RETURN(const std::string cpuinfo, read_all(proc_root + "/cpuinfo"));
  SW_ASSIGN_OR_RETURN(const std::string meminfo, read_all(proc_root + "/meminfo"));
  SW_ASSIGN_OR_RETURN(const std::string boot_id,
                      read_all(proc_root + "/sys/kernel/random/boot_id"));
  HostFacts facts;
  const Processors processors = parse_processors(cpuinfo);
  facts.cores = processors.cores;
  facts.threads = processors.threads;
  facts.cpu_model = processors.model;
  facts.cpu_baselines = processors.baselines;
  SW_ASSIGN_OR_RETURN(facts.memory, parse_total_memory(meminfo));
  facts.boot_id = trim(boot_id);
  return facts;
}

}  // namespace stellwerk::hypervisor

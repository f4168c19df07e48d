#include "api/metrics/process_families.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include "core/parse_number.h"

namespace stellwerk::metrics {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

std::optional<double> number_at(const std::vector<std::string>& words, size_t index) {
  if (index >= words.size()) return std::nullopt;
  const auto number = parse_number<uint64_t>(words[index]);
  if (!number) return std::nullopt;
  return static_cast<double>(*number);
}

// Of proc(5)'s /proc/PID/stat what stands behind the program's name; the first field is the third.
std::vector<std::string> stat_of(const std::string& proc) {
  const std::string stat = content_of(proc + "/self/stat");
  const size_t name_ends = stat.rfind(')');
  return words_of(name_ends == std::string::npos ? "" : stat.substr(name_ends + 1));
}

std::optional<double> boot_time(const std::string& proc) {
  const std::string stat = content_of(proc + "/stat");
  const size_t at = stat.find("\nbtime ");
  if (at == std::string::npos) return std::nullopt;
  return number_at(words_of(stat.substr(at)), 1);
}

std::optional<double> open_descriptors(const std::string& proc) {
  std::error_code error;
  const std::filesystem::directory_iterator entries(proc + "/self/fd", error);
  if (error) return std::nullopt;
  // One of them is the iterator's own.
  return static_cast<double>(std::distance(begin(entries), end(entries)) - 1);
}

std::optional<double> most_descriptors(const std::string& proc) {
  const std::string limits = content_of(proc + "/self/limits");
  const size_t at = limits.find("Max open files");
  if (at == std::string::npos) return std::nullopt;
  return number_at(words_of(limits.substr(at)), 3);
}

void add_if(Families& families, bool counter, const FamilyText& text,
            const std::optional<double>& value) {
  if (!value) return;
  (counter ? add_counter : add_gauge)(families, text, {{{}, *value}});
}

}  // namespace

Families process_families(const std::string& proc) {
  constexpr size_t kUserTime = 11, kSystemTime = 12, kThreads = 17, kStart = 19, kSize = 20,
                   kResident = 21;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  const std::vector<std::string> stat = stat_of(proc);
  const auto user = number_at(stat, kUserTime);
  const auto system = number_at(stat, kSystemTime);
  const auto start = number_at(stat, kStart);
  const auto boot = boot_time(proc);
  const auto resident = number_at(stat, kResident);
  std::optional<double> busy;
  std::optional<double> started;
  std::optional<double> resident_bytes;
  if (user && system) busy = (*user + *system) / ticks;
  if (start && boot) started = *boot + *start / ticks;
  if (resident) resident_bytes = *resident * page;

  Families families;
  add_if(families, true, {"process_cpu_seconds_total", "CPU time used"}, busy);
  add_if(families, false, {"process_resident_memory_bytes", "Resident memory"}, resident_bytes);
  add_if(families, false, {"process_virtual_memory_bytes", "Virtual memory"},
         number_at(stat, kSize));
  add_if(families, false, {"process_start_time_seconds", "When it began, in seconds since 1970"},
         started);
  add_if(families, false, {"process_open_fds", "Open file descriptors"}, open_descriptors(proc));
  add_if(families, false, {"process_max_fds", "Most file descriptors that may be open"},
         most_descriptors(proc));
  add_if(families, false, {"process_threads", "Threads"}, number_at(stat, kThreads));
  return families;
}

}  // namespace stellwerk::metrics

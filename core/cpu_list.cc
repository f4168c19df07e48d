#include "core/cpu_list.h"

#include <fmt/format.h>

#include <set>

#include "core/parse_number.h"

namespace stellwerk {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

bool add_range(std::string_view range, std::set<int32_t>& cpus) {
  const size_t dash = range.find('-');
  const auto first = parse_number<int32_t>(range.substr(0, dash));
  const auto last =
      dash == std::string_view::npos ? first : parse_number<int32_t>(range.substr(dash + 1));
  if (!first || !last || *first < 0 || *last < *first || *last >= kMostCpus) return false;
  for (int32_t cpu = *first; cpu <= *last; ++cpu) cpus.insert(cpu);
  return true;
}

}  // namespace

std::string cpu_list_text(std::span<const int32_t> cpus) {
  std::string text;
  for (size_t i = 0; i < cpus.size();) {
    size_t end = i + 1;
    while (end < cpus.size() && cpus[end] == cpus[end - 1] + 1) ++end;
    if (!text.empty()) text += ',';
    text +=
        end - i == 1 ? fmt::format("{}", cpus[i]) : fmt::format("{}-{}", cpus[i], cpus[end - 1]);
    i = end;
  }
  return text;
}

std::optional<std::vector<int32_t>> parse_cpu_list(std::string_view text) {
  text = trim(text);
  std::set<int32_t> cpus;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    if (!add_range(text.substr(0, comma), cpus)) return std::nullopt;
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) return std::nullopt;
  }
  return std::vector<int32_t>(cpus.begin(), cpus.end());
}

}  // namespace stellwerk

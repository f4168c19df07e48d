#include "api/daemon/config_images.h"

namespace stellwerk::daemon {
namespace {

constexpr size_t kMostAllowed = 64;

void read_allowed(Section& section, std::vector<IpPrefix>& allowed) {
  const auto given = section.texts("allowed_addresses");
  if (!given) return;
  if (given->size() > kMostAllowed) {
    section.reject("allowed_addresses",
                   fmt::format("has {} entries; give at most {}", given->size(), kMostAllowed));
    return;
  }
  for (size_t i = 0; i < given->size(); ++i) {
    if (const auto range = IpPrefix::parse((*given)[i])) {
      allowed.push_back(*range);
    } else {
      section.reject("allowed_addresses",
                     fmt::format("[{}] {} is no range of addresses; write one such as "
                                 "\"10.20.0.0/16\" or \"fd00:1::/64\"",
                                 i, quoted((*given)[i])));
    }
  }
}

template <class Unit>
void read_time(Section& section, std::string_view key, const IntegerRange& range, Unit& into) {
  if (const auto count = section.integer(key, range)) into = Unit(*count);
}

}  // namespace

ImagesConfig read_images(Section section) {
  ImagesConfig config;
  read_allowed(section, config.allowed_addresses);
  config.ca_file = section.text("ca_file").value_or("");
  if (!config.ca_file.empty() && !config.ca_file.starts_with('/')) {
    section.reject("ca_file",
                   quoted(config.ca_file) +
                       " is not an absolute path; give \"\" for the system's authorities");
  }
  const auto parallel = section.integer("parallel_downloads", {.least = 1, .most = 16});
  config.parallel_downloads = parallel.value_or(config.parallel_downloads);
  const auto attempts = section.integer("attempts", {.least = 1, .most = 100});
  config.attempts = attempts.value_or(config.attempts);
  read_time(section, "download_minutes", {.least = 1, .most = 10'080}, config.longest_download);
  read_time(section, "connect_seconds", {.least = 1, .most = 600}, config.connect_within);
  const auto least = section.integer("least_bytes_per_second", {.least = 1, .most = 1 << 30});
  if (least) config.least_per_second = Bytes(*least);
  read_time(section, "slow_seconds", {.least = 1, .most = 3600}, config.slow_for);
  read_time(section, "collect_after_seconds", {.least = 0, .most = 31'536'000},
            config.collect_after);
  section.reject_unknown_keys();
  return config;
}

}  // namespace stellwerk::daemon

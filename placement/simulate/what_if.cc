#include "placement/simulate/what_if.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/overloaded.h"
#include "core/parse_number.h"
#include "core/validate.h"
#include "placement/simulate/trace.h"

namespace stellwerk::placement::simulate {
namespace {

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t blank = std::min(text.find(' '), text.size());
    if (blank > 0) words.push_back(text.substr(0, blank));
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return words;
}

int64_t seconds_in(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86'400;
    case 'w':
      return 604'800;
  }
  return 0;
}

std::optional<int64_t> parse_time(std::string_view text) {
  int64_t unit = 1;
  if (!text.empty() && seconds_in(text.back()) > 0) {
    unit = seconds_in(text.back());
    text.remove_suffix(1);
  }
  const auto count = parse_number<int64_t>(text);
  if (!count || *count < 0 || *count > kMostSeconds / unit) return std::nullopt;
  return *count * unit;
}

absl::Status misunderstood(std::string_view text, std::string_view why) {
  return invalid_argument(
      "what if {}: {}; say \"lose site dc2 at 3d\" or \"add 8 hosts to rack dc1/a/r07 at 36h\"",
      quoted(text), why);
}

absl::StatusOr<WhatIf> parse_loss(std::string_view text,
                                  const std::vector<std::string_view>& words) {
  if (words.size() != 5 || words[3] != "at") {
    return misunderstood(text, "what is to be lost and when is not clear");
  }
  const auto level = parse_domain_level(words[1]);
  if (!level) {
    return misunderstood(text,
                         fmt::format("{} is none of host, rack, zone, site", quoted(words[1])));
  }
  const auto time = parse_time(words[4]);
  if (!time) return misunderstood(text, fmt::format("{} is no time", quoted(words[4])));
  return WhatIf{std::string(text), *time, LoseDomain{*level, std::string(words[2])}};
}

absl::StatusOr<WhatIf> parse_addition(std::string_view text,
                                      const std::vector<std::string_view>& words) {
  const bool known = (words.size() == 6 || (words.size() == 8 && words[6] == "at")) &&
                     (words[2] == "hosts" || words[2] == "host") && words[3] == "to" &&
                     words[4] == "rack";
  if (!known) return misunderstood(text, "what is to be added where is not clear");
  const auto count = parse_number<int64_t>(words[1]);
  if (!count || *count < 1 || *count > kMostHosts) {
    return misunderstood(
        text, fmt::format("{} is no number of hosts from 1 to {}", quoted(words[1]), kMostHosts));
  }
  const auto time = words.size() == 6 ? std::optional<int64_t>(0) : parse_time(words[7]);
  if (!time) return misunderstood(text, fmt::format("{} is no time", quoted(words[7])));
  return WhatIf{std::string(text), *time, AddHosts{*count, std::string(words[5])}};
}

bool is_there(const FleetPlan& plan, const LoseDomain& loss) {
  const auto has = [&](const auto& domains) {
    return std::ranges::any_of(domains, [&](const auto& one) { return one.id == loss.name; });
  };
  switch (loss.level) {
    case DomainLevel::kHost:
      return has(plan.hosts);
    case DomainLevel::kRack:
      return has(plan.topology.racks);
    case DomainLevel::kZone:
      return has(plan.topology.zones);
    case DomainLevel::kSite:
      return has(plan.topology.sites);
  }
  return false;
}

}  // namespace

absl::StatusOr<WhatIf> parse_what_if(std::string_view text) {
  const std::vector<std::string_view> words = words_of(text);
  if (!words.empty() && words[0] == "lose") return parse_loss(text, words);
  if (!words.empty() && words[0] == "add") return parse_addition(text, words);
  return misunderstood(text, "it begins neither with lose nor with add");
}

absl::StatusOr<std::vector<AddedHosts>> add_to_plan(const std::vector<WhatIf>& what_ifs,
                                                    FleetPlan& plan) {
  std::vector<AddedHosts> added;
  const FleetPlan before = plan;
  for (size_t i = 0; i < what_ifs.size(); ++i) {
    const auto* addition = std::get_if<AddHosts>(&what_ifs[i].what);
    if (addition == nullptr) continue;
    auto model = first_host_of(before, addition->rack);
    if (!model.ok()) return annotate(model.status(), "what if " + quoted(what_ifs[i].text));
    AddedHosts range{.what_if = i, .first = plan.hosts.size(), .end = plan.hosts.size()};
    for (int64_t n = 0; n < addition->count; ++n) {
      if (static_cast<int64_t>(plan.hosts.size()) == kMostHosts) {
        return invalid_argument("what if {}: more than {} hosts in all", quoted(what_ifs[i].text),
                                kMostHosts);
      }
      Host host = *model;
      host.uid = numbered<HostUid>(range.end + 1);
      host.id = fmt::format("added-{}", range.end - before.hosts.size() + 1);
      plan.hosts.push_back(std::move(host));
      ++range.end;
    }
    added.push_back(range);
  }
  for (const WhatIf& one : what_ifs) {
    const auto* loss = std::get_if<LoseDomain>(&one.what);
    if (loss == nullptr || is_there(plan, *loss)) continue;
    return invalid_argument("what if {}: there is no {} {} in the fleet", quoted(one.text),
                            to_string(loss->level), quoted(loss->name));
  }
  return added;
}

}  // namespace stellwerk::placement::simulate

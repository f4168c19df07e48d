// Groups of instances that want to be together or apart, and what an instance asks of the place
// where it runs. Values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/time.h"
#include "core/topology.h"

namespace stellwerk {

enum class GroupPolicy : uint8_t { kAffinity, kAntiAffinity };

// Hard: nothing is placed against it. Soft: as few members against it as possible.
struct GroupRule {
  GroupPolicy policy = GroupPolicy::kAntiAffinity;
  DomainLevel level = DomainLevel::kHost;
  bool hard = true;
  int64_t most_per_domain = 1;  // of anti-affinity: so many members share one domain
  friend bool operator==(const GroupRule&, const GroupRule&) = default;
};

inline constexpr int64_t kLargestMostPerDomain = 10'000;

struct Group {
  GroupUid uid;
  ProjectUid project;
  std::string id;                // DNS label, unique in the project
  std::vector<GroupRule> rules;  // at least one; they stay as they are created
  std::map<std::string, std::string> labels;
  WallTime created_at;
  Sequence changed_at;
};

// Without a value: whatever the value is.
struct LabelMatch {
  std::string key;
  std::optional<std::string> value;
  friend bool operator==(const LabelMatch&, const LabelMatch&) = default;
};

struct Wishes {
  std::string within;  // "dc1", "dc1/a", "dc1/a/r07"; empty: anywhere
  HostUid host;        // nil: any
  std::vector<LabelMatch> required_labels;
  std::vector<LabelMatch> forbidden_labels;
  std::string cpu_baseline;    // "x86-64-v3": only hosts that have it; empty: any
  std::string preferred_site;  // where the data is; soft
  friend bool operator==(const Wishes&, const Wishes&) = default;
};

bool has_label(const std::map<std::string, std::string>& labels, const LabelMatch& wanted);

std::string to_string(const LabelMatch& match);  // "gpu", "gpu=l40s"
std::string_view to_string(GroupPolicy value);   // "affinity", "anti-affinity"

}  // namespace stellwerk

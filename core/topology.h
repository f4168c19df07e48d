// Where hosts stand and what feeds them: sites, their zones (fire compartments), racks, power
// feeds. Every level is a failure domain. Operators enter all of it. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/time.h"
#include "core/units.h"

namespace stellwerk {

enum class DomainLevel : uint8_t { kHost, kRack, kZone, kSite };

inline constexpr size_t kMostFeeds = 2;  // of one rack
// More than any feed or rack carries, and more than any host draws.
inline constexpr Milliwatts kMostPower = watts(100'000'000);
inline constexpr Milliwatts kMostHostPower = watts(1'000'000);

struct Site {
  SiteUid uid;
  std::string id;  // DNS label, unique in the cell
  WallTime created_at;
  Sequence changed_at;
};

struct Zone {
  ZoneUid uid;
  SiteUid site;
  std::string id;  // "dc1/a": the site's id and a DNS label
  WallTime created_at;
  Sequence changed_at;
};

struct Feed {
  FeedUid uid;
  SiteUid site;
  std::string id;  // "dc1/f1": the site's id and a DNS label
  Milliwatts budget;
  WallTime created_at;
  Sequence changed_at;
};

struct Rack {
  RackUid uid;
  ZoneUid zone;
  std::string id;  // "dc1/a/r07": the zone's id and a DNS label
  // At most two, of the rack's own site. Two share its load evenly; if one fails, the other has
  // all of it.
  std::vector<FeedUid> feeds;
  std::optional<Milliwatts> power_limit;  // of the rack itself; none: its feeds alone limit it
  WallTime created_at;
  Sequence changed_at;
};

// What a host draws; both zero: not known, and nothing is accounted for it.
struct HostPower {
  Milliwatts idle;
  Milliwatts peak;  // at least `idle`
  friend bool operator==(const HostPower&, const HostPower&) = default;
};

std::string_view to_string(DomainLevel value);  // "host", "rack", "zone", "site"
std::optional<DomainLevel> parse_domain_level(std::string_view text);

}  // namespace stellwerk

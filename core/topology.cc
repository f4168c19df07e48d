#include "core/topology.h"

#include <array>

namespace stellwerk {

std::string_view to_string(DomainLevel value) {
  switch (value) {
    case DomainLevel::kHost:
      return "host";
    case DomainLevel::kRack:
      return "rack";
    case DomainLevel::kZone:
      return "zone";
    case DomainLevel::kSite:
      return "site";
  }
  return "?";
}

std::optional<DomainLevel> parse_domain_level(std::string_view text) {
  constexpr std::array kLevels = {DomainLevel::kHost, DomainLevel::kRack, DomainLevel::kZone,
                                  DomainLevel::kSite};
  for (const DomainLevel level : kLevels) {
    if (to_string(level) == text) return level;
  }
  return std::nullopt;
}

}  // namespace stellwerk

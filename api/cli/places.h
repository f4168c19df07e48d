// Sites, zones, racks and feeds as people write them: paths such as dc1/a/r07, or full names. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/status.h"

namespace stellwerk::cli {

// "dc1/a/r07" of "sites/dc1/zones/a/racks/r07": every second part.
std::string path_of(std::string_view name);

enum class Place { kSite, kZone, kRack, kFeed };

// The full name of a path; a full name is taken as it is.
std::string place_name(Place place, std::string_view path_or_name);

// "dc1/a" and "r07" of the path or full name of what is to be made.
struct NewPlace {
  std::string parent;  // a path
  std::string id;
};
absl::StatusOr<NewPlace> new_place(Place place, std::string_view path_or_name);

}  // namespace stellwerk::cli

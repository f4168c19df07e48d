#include "api/cli/places.h"

#include <algorithm>

#include "api/cli/exit_code.h"
#include "core/resource_names.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

// How many parts the path has.
size_t depth_of(Place place) {
  switch (place) {
    case Place::kSite:
      return 1;
    case Place::kZone:
    case Place::kFeed:
      return 2;
    case Place::kRack:
      return 3;
  }
  return 0;
}

std::string_view form_of(Place place) {
  switch (place) {
    case Place::kSite:
      return "SITE, such as dc1";
    case Place::kZone:
      return "SITE/ZONE, such as dc1/a";
    case Place::kRack:
      return "SITE/ZONE/RACK, such as dc1/a/r07";
    case Place::kFeed:
      return "SITE/FEED, such as dc1/f1";
  }
  return "?";
}

size_t parts_of(std::string_view text) {
  return static_cast<size_t>(std::ranges::count(text, '/')) + 1;
}

bool is_full_name(Place place, std::string_view text) {
  return text.starts_with("sites/") && parts_of(text) == 2 * depth_of(place);
}

}  // namespace

std::string path_of(std::string_view name) {
  std::string path;
  for (bool is_id = false; !name.empty(); is_id = !is_id) {
    const std::string_view part = name.substr(0, name.find('/'));
    name.remove_prefix(std::min(name.size(), part.size() + 1));
    if (!is_id) continue;
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

std::string place_name(Place place, std::string_view path_or_name) {
  if (is_full_name(place, path_or_name)) return std::string(path_or_name);
  switch (place) {
    case Place::kSite:
      return site_name(path_or_name);
    case Place::kZone:
      return zone_name(path_or_name);
    case Place::kRack:
      return rack_name(path_or_name);
    case Place::kFeed:
      return feed_name(path_or_name);
  }
  return std::string(path_or_name);
}

absl::StatusOr<NewPlace> new_place(Place place, std::string_view path_or_name) {
  const bool full = is_full_name(place, path_or_name);
  const std::string path = full ? path_of(path_or_name) : std::string(path_or_name);
  if (parts_of(path) != depth_of(place)) {
    return usage_error("{} is not {}", stellwerk::quoted(path), form_of(place));
  }
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return NewPlace{.parent = "", .id = path};
  return NewPlace{.parent = path.substr(0, slash), .id = path.substr(slash + 1)};
}

}  // namespace stellwerk::cli

#include "core/resource_names.h"

#include <fmt/format.h>

#include <algorithm>

namespace stellwerk {
namespace {

// The part before the first slash, which goes, too; what has none goes as a whole.
std::string_view take_part(std::string_view& path) {
  const std::string_view part = path.substr(0, path.find('/'));
  path.remove_prefix(std::min(path.size(), part.size() + 1));
  return part;
}

}  // namespace

std::string project_name(std::string_view id) {
  return fmt::format("projects/{}", id);
}
std::string instance_name(std::string_view project, std::string_view id) {
  return fmt::format("projects/{}/instances/{}", project, id);
}
std::string image_name(std::string_view project, std::string_view id) {
  return fmt::format("projects/{}/images/{}", project, id);
}
std::string network_name(std::string_view project, std::string_view id) {
  return fmt::format("projects/{}/networks/{}", project, id);
}
std::string flavor_name(std::string_view id) {
  return fmt::format("flavors/{}", id);
}
std::string host_name(std::string_view id) {
  return fmt::format("hosts/{}", id);
}
std::string group_name(std::string_view project, std::string_view id) {
  return fmt::format("projects/{}/groups/{}", project, id);
}
std::string site_name(std::string_view id) {
  return fmt::format("sites/{}", id);
}
std::string zone_name(std::string_view path) {
  const std::string_view site = take_part(path);
  return fmt::format("sites/{}/zones/{}", site, path);
}
std::string rack_name(std::string_view path) {
  const std::string_view site = take_part(path);
  const std::string_view zone = take_part(path);
  return fmt::format("sites/{}/zones/{}/racks/{}", site, zone, path);
}
std::string feed_name(std::string_view path) {
  const std::string_view site = take_part(path);
  return fmt::format("sites/{}/feeds/{}", site, path);
}
std::string place_name(std::string_view path) {
  const auto slashes = std::count(path.begin(), path.end(), '/');
  return slashes == 0 ? site_name(path) : slashes == 1 ? zone_name(path) : rack_name(path);
}

}  // namespace stellwerk

#include "core/resource_names.h"

#include <fmt/format.h>

namespace stellwerk {

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

}  // namespace stellwerk

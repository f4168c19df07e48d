// Resource names as callers, events and messages write them: "projects/{project}/instances/{id}". A
// name says nothing of where a thing stands. Pure functions; nothing is checked.
#pragma once

#include <string>
#include <string_view>

namespace stellwerk {

std::string project_name(std::string_view id);
std::string instance_name(std::string_view project, std::string_view id);
std::string image_name(std::string_view project, std::string_view id);
std::string network_name(std::string_view project, std::string_view id);
std::string flavor_name(std::string_view id);
std::string host_name(std::string_view id);
std::string group_name(std::string_view project, std::string_view id);
// Of paths as core/topology.h has them: "dc1/a/r07" is "sites/dc1/zones/a/racks/r07".
std::string site_name(std::string_view id);
std::string zone_name(std::string_view path);
std::string rack_name(std::string_view path);
std::string feed_name(std::string_view path);
// Of a site, a zone or a rack, by the length of its path.
std::string place_name(std::string_view path);

}  // namespace stellwerk

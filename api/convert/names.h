// Reads resource names as callers write them (core/resource_names.h). Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace stellwerk::convert {

enum class ResourceKind : uint8_t {
  kProject,
  kInstance,
  kImage,
  kNetwork,
  kFlavor,
  kHost,
  kGroup,
  kSite,
  kZone,
  kRack,
  kFeed
};

struct ResourceName {
  ResourceKind kind = ResourceKind::kProject;
  std::string project;  // empty where the resource belongs to no project
  std::string id;       // of a project: its own; of zones, racks and feeds the path: "dc1/a/r07"
  friend bool operator==(const ResourceName&, const ResourceName&) = default;
};

// InvalidArgument whose message says what is wrong and what would do, without naming the field.
absl::StatusOr<ResourceName> parse_name(std::string_view text, ResourceKind expected);
// Of any kind.
absl::StatusOr<ResourceName> parse_any_name(std::string_view text);

// DNS labels joined by dots: hosts are called what their machines are called. Nothing if `id` is
// one.
std::optional<std::string> check_host_id(std::string_view id);

}  // namespace stellwerk::convert

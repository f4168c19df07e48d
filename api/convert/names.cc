#include "api/convert/names.h"

#include <algorithm>

#include "core/validate.h"

namespace stellwerk::convert {
namespace {

constexpr size_t kLongestHostId = 253;

struct Shape {
  ResourceKind kind;
  std::string_view article;                   // with the noun, for messages
  std::vector<std::string_view> collections;  // the words before the ids
  std::string_view pattern;
};

const std::vector<Shape>& shapes() {
  using Kind = ResourceKind;
  static const std::vector<Shape> kShapes = {
      {Kind::kProject, "a project", {"projects"}, "projects/{project}"},
      {Kind::kInstance,
       "an instance",
       {"projects", "instances"},
       "projects/{project}/instances/{instance}"},
      {Kind::kImage, "an image", {"projects", "images"}, "projects/{project}/images/{image}"},
      {Kind::kNetwork,
       "a network",
       {"projects", "networks"},
       "projects/{project}/networks/{network}"},
      {Kind::kGroup, "a group", {"projects", "groups"}, "projects/{project}/groups/{group}"},
      {Kind::kFlavor, "a flavor", {"flavors"}, "flavors/{flavor}"},
      {Kind::kHost, "a host", {"hosts"}, "hosts/{host}"},
      {Kind::kSite, "a site", {"sites"}, "sites/{site}"},
      {Kind::kZone, "a zone", {"sites", "zones"}, "sites/{site}/zones/{zone}"},
      {Kind::kRack,
       "a rack",
       {"sites", "zones", "racks"},
       "sites/{site}/zones/{zone}/racks/{rack}"},
      {Kind::kFeed, "a feed", {"sites", "feeds"}, "sites/{site}/feeds/{feed}"}};
  return kShapes;
}

bool is_in_project(const Shape& shape) {
  return shape.collections.size() == 2 && shape.collections[0] == "projects";
}

const Shape& shape_of(ResourceKind kind) {
  return *std::find_if(shapes().begin(), shapes().end(),
                       [kind](const Shape& shape) { return shape.kind == kind; });
}

// At most one part more than any name has, so that a hostile text costs no more than a short one.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (parts.size() < 7) {
    const size_t slash = text.find('/');
    parts.push_back(text.substr(0, slash));
    if (slash == std::string_view::npos) break;
    text.remove_prefix(slash + 1);
  }
  return parts;
}

bool fits(const Shape& shape, const std::vector<std::string_view>& parts) {
  if (parts.size() != 2 * shape.collections.size()) return false;
  for (size_t i = 0; i < shape.collections.size(); ++i) {
    if (parts[2 * i] != shape.collections[i]) return false;
  }
  return true;
}

Problem check_id(ResourceKind kind, std::string_view id) {
  switch (kind) {
    case ResourceKind::kFlavor:
      return check_flavor_id(id);
    case ResourceKind::kHost:
      return check_host_id(id);
    case ResourceKind::kProject:
    case ResourceKind::kInstance:
    case ResourceKind::kImage:
    case ResourceKind::kNetwork:
    case ResourceKind::kGroup:
    case ResourceKind::kSite:
    case ResourceKind::kZone:
    case ResourceKind::kRack:
    case ResourceKind::kFeed:
      return check_dns_label(id);
  }
  return std::nullopt;
}

absl::StatusOr<ResourceName> read_parts(const Shape& shape,
                                        const std::vector<std::string_view>& parts) {
  for (size_t i = 0; i + 1 < shape.collections.size(); ++i) {
    if (const Problem problem = check_dns_label(parts[2 * i + 1])) {
      const std::string_view collection = shape.collections[i];
      return invalid_argument("the {} {}", collection.substr(0, collection.size() - 1), *problem);
    }
  }
  if (const Problem problem = check_id(shape.kind, parts.back())) {
    return invalid_argument("the id {}", *problem);
  }
  ResourceName name{.kind = shape.kind, .project = {}, .id = std::string(parts.back())};
  if (is_in_project(shape)) {
    name.project = std::string(parts[1]);
    return name;
  }
  for (size_t i = shape.collections.size() - 1; i > 0; --i) {
    name.id = fmt::format("{}/{}", parts[2 * i - 1], name.id);
  }
  return name;
}

}  // namespace

absl::StatusOr<ResourceName> parse_name(std::string_view text, ResourceKind expected) {
  const Shape& shape = shape_of(expected);
  if (text.empty()) return invalid_argument("is missing; write {}", shape.pattern);
  const std::vector<std::string_view> parts = split(text);
  if (!fits(shape, parts)) {
    return invalid_argument("{} is not the name of {}; write {}", quoted(text), shape.article,
                            shape.pattern);
  }
  return read_parts(shape, parts);
}

absl::StatusOr<ResourceName> parse_any_name(std::string_view text) {
  const std::vector<std::string_view> parts = split(text);
  for (const Shape& shape : shapes()) {
    if (fits(shape, parts)) return read_parts(shape, parts);
  }
  return invalid_argument(
      "{} is not the name of a resource; write one such as "
      "projects/{{project}}/instances/{{instance}}",
      quoted(text));
}

std::optional<std::string> check_host_id(std::string_view id) {
  if (id.empty()) return "is missing; give a host's name";
  bool good = id.size() <= kLongestHostId;
  for (std::string_view rest = id; good;) {
    const size_t dot = rest.find('.');
    good = !check_dns_label(rest.substr(0, dot));
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (good) return std::nullopt;
  return fmt::format("{} is not a host's name; use DNS labels joined by dots", quoted(id));
}

}  // namespace stellwerk::convert

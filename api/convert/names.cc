#include "api/convert/names.h"

#include <algorithm>
#include <array>

#include "core/validate.h"

namespace stellwerk::convert {
namespace {

constexpr size_t kLongestHostId = 253;

struct Shape {
  ResourceKind kind;
  std::string_view article;     // with the noun, for messages
  std::string_view collection;  // the word before the id
  bool in_project;
  std::string_view pattern;
};
constexpr std::array<Shape, 6> kShapes = {{
    {ResourceKind::kProject, "a project", "projects", false, "projects/{project}"},
    {ResourceKind::kInstance, "an instance", "instances", true,
     "projects/{project}/instances/{instance}"},
    {ResourceKind::kImage, "an image", "images", true, "projects/{project}/images/{image}"},
    {ResourceKind::kNetwork, "a network", "networks", true,
     "projects/{project}/networks/{network}"},
    {ResourceKind::kFlavor, "a flavor", "flavors", false, "flavors/{flavor}"},
    {ResourceKind::kHost, "a host", "hosts", false, "hosts/{host}"},
}};

const Shape& shape_of(ResourceKind kind) {
  return *std::find_if(kShapes.begin(), kShapes.end(),
                       [kind](const Shape& shape) { return shape.kind == kind; });
}

// At most one part more than any name has, so that a hostile text costs no more than a short one.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (parts.size() < 5) {
    const size_t slash = text.find('/');
    parts.push_back(text.substr(0, slash));
    if (slash == std::string_view::npos) break;
    text.remove_prefix(slash + 1);
  }
  return parts;
}

bool fits(const Shape& shape, const std::vector<std::string_view>& parts) {
  if (!shape.in_project) return parts.size() == 2 && parts[0] == shape.collection;
  return parts.size() == 4 && parts[0] == "projects" && parts[2] == shape.collection;
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
      return check_dns_label(id);
  }
  return std::nullopt;
}

absl::StatusOr<ResourceName> read_parts(const Shape& shape,
                                        const std::vector<std::string_view>& parts) {
  if (shape.in_project) {
    if (const Problem problem = check_dns_label(parts[1])) {
      return invalid_argument("the project {}", *problem);
    }
  }
  if (const Problem problem = check_id(shape.kind, parts.back())) {
    return invalid_argument("the id {}", *problem);
  }
  return ResourceName{.kind = shape.kind,
                      .project = shape.in_project ? std::string(parts[1]) : std::string(),
                      .id = std::string(parts.back())};
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
  for (const Shape& shape : kShapes) {
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

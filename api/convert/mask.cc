#include "api/convert/mask.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/validate.h"

namespace stellwerk::convert {
namespace {

constexpr int kMostPaths = 64;

std::string paths_of(const std::vector<Changeable>& fields) {
  std::string paths;
  for (const Changeable& field : fields) paths += (paths.empty() ? "" : ", ") + field.path;
  return paths;
}

}  // namespace

std::set<std::string> read_mask(RequestReader& reader, const google::protobuf::FieldMask& mask,
                                const std::vector<Changeable>& fields) {
  std::set<std::string> meant;
  if (mask.paths_size() > kMostPaths) {
    reader.add("update_mask",
               fmt::format("has {} paths; at most {} are allowed", mask.paths_size(), kMostPaths));
    return meant;
  }
  if (mask.paths().empty()) {
    for (const Changeable& field : fields) {
      if (field.is_set) meant.insert(field.path);
    }
    if (meant.empty()) {
      reader.add("update_mask", fmt::format("names nothing, and nothing is set that could be "
                                            "changed; changeable are: {}",
                                            paths_of(fields)));
    }
    return meant;
  }
  for (const std::string& path : mask.paths()) {
    const bool known = std::any_of(fields.begin(), fields.end(),
                                   [&path](const Changeable& field) { return field.path == path; });
    if (known) {
      meant.insert(path);
    } else {
      reader.add("update_mask", fmt::format("{} cannot be changed; changeable are: {}",
                                            quoted(path), paths_of(fields)));
    }
  }
  return meant;
}

}  // namespace stellwerk::convert

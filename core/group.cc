#include "core/group.h"

namespace stellwerk {

bool has_label(const std::map<std::string, std::string>& labels, const LabelMatch& wanted) {
  const auto found = labels.find(wanted.key);
  return found != labels.end() && (!wanted.value || found->second == *wanted.value);
}

std::string to_string(const LabelMatch& match) {
  return match.value ? match.key + "=" + *match.value : match.key;
}

std::string_view to_string(GroupPolicy value) {
  switch (value) {
    case GroupPolicy::kAffinity:
      return "affinity";
    case GroupPolicy::kAntiAffinity:
      return "anti-affinity";
  }
  return "?";
}

}  // namespace stellwerk

#include "core/group.h"

namespace stellwerk {

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

// Fields of instances that creations and changes read alike. Used by the translations of this
// folder.
#pragma once

#include <optional>
#include <string_view>

#include "api/convert/reading.h"
#include "stellwerk/v1/instances.pb.h"

namespace stellwerk::convert {

RestartPolicy read_restart_policy(RequestReader& reader, const v1::Instance& instance);
DesiredState read_desired_state(RequestReader& reader, const v1::Instance& instance);
// The filter of a list of instances: labels.KEY=VALUE, joined by " AND ".
Labels read_label_filter(RequestReader& reader, std::string_view filter);

template <class Request>
ResourceName instance_named(RequestReader& reader, const Request& request) {
  return reader.name("name", request.name(), ResourceKind::kInstance);
}

}  // namespace stellwerk::convert

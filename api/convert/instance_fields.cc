#include "api/convert/instance_fields.h"

#include <fmt/format.h>

namespace stellwerk::convert {

RestartPolicy read_restart_policy(RequestReader& reader, const v1::Instance& instance) {
  switch (instance.restart_policy()) {
    case v1::Instance::RESTART_POLICY_UNSPECIFIED:
    case v1::Instance::ON_FAILURE:
      return RestartPolicy::kOnFailure;
    case v1::Instance::NEVER:
      return RestartPolicy::kNever;
    default:
      break;  // proto3 enums are open: any number may come
  }
  reader.add("instance.restart_policy",
             fmt::format("{} is no restart policy; give ON_FAILURE or NEVER",
                         static_cast<int>(instance.restart_policy())));
  return RestartPolicy::kOnFailure;
}

DesiredState read_desired_state(RequestReader& reader, const v1::Instance& instance) {
  switch (instance.desired_state()) {
    case v1::Instance::DESIRED_STATE_UNSPECIFIED:
    case v1::Instance::RUNNING:
      return DesiredState::kRunning;
    case v1::Instance::STOPPED:
      return DesiredState::kStopped;
    default:
      break;  // DELETED, and whatever number may come
  }
  reader.add("instance.desired_state", fmt::format("{} is no state to ask for; give RUNNING or "
                                                   "STOPPED, and DeleteInstance to delete it",
                                                   static_cast<int>(instance.desired_state())));
  return DesiredState::kRunning;
}

}  // namespace stellwerk::convert

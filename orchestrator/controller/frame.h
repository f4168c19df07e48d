// One mutation under way: who asked, when, and in whose name space. Internal to Mutations.
#pragma once

#include <string>

#include "core/time.h"
#include "orchestrator/controller/mutations.h"

namespace stellwerk::controller {

struct Mutations::Frame {
  const MutationContext& context;
  Now now;
  std::string method;
  std::string project;  // id; empty for what belongs to the cell
  ProjectUid project_uid;
  Uuid scope;  // of the request id, and name space of new uids

  // A new resource's uid follows from the request: a repetition cannot make a second one.
  Uuid fresh_uid() const { return Uuid::v5(scope, context.request_id.to_string()); }
};

}  // namespace stellwerk::controller

// One mutation under way: who asked, when, and in whose name space. Internal to Mutations.
#pragma once

#include <string>

#include "core/time.h"
#include "orchestrator/controller/mutations.h"
#include "orchestrator/controller/views.h"

namespace stellwerk::controller {

struct Mutations::Frame {
  const MutationContext& context;
  Now now;
  std::string method;
  std::string project;  // id; empty for what belongs to the cell
  ProjectUid project_uid;
  Uuid scope;  // of the request id, and name space of new uids

  Sequence sequence;  // of the commit that will hold the decision

  // Follows from the request and the commit that decides it. A repetition finds the first answer
  // and makes none; an id that was forgotten after a day makes another.
  Uuid fresh_uid() const {
    return Uuid::v5(scope, context.request_id.to_string() + "/" + std::to_string(sequence.value()));
  }
  // Of the n-th of several.
  Uuid fresh_uid(size_t number) const { return Uuid::v5(fresh_uid(), std::to_string(number)); }
};

template <class Resource>
absl::Status Mutations::check_existing(const Frame& frame, const std::string& name,
                                       const Resource* found) {
  if (!frame.context.violations.empty()) return invalid_fields(frame.context.violations);
  if (!found) return missing(name);
  return check_etag(frame, name, etag_of(found->changed_at));
}

}  // namespace stellwerk::controller

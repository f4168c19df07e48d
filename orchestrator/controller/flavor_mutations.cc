// Mutations of flavors.
#include <fmt/format.h>

#include <utility>

#include "core/resource_names.h"
#include "core/validate.h"
#include "orchestrator/controller/frame.h"
#include "orchestrator/controller/mutations.h"
#include "orchestrator/controller/views.h"

namespace stellwerk::controller {

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const CreateFlavor& create) {
  std::vector<FieldViolation> violations = frame.context.violations;
  Flavor flavor = check_flavor(create, violations);
  if (!violations.empty()) return invalid_fields(violations);
  if (ledger_.flavor(create.id)) {
    return with_reason(already_exists("flavor {} exists; choose another id", create.id),
                       "NAME_TAKEN");
  }
  flavor.uid = FlavorUid(frame.fresh_uid());
  flavor.created_at = frame.now.wall;
  const FlavorUid uid = flavor.uid;
  record_event(frame.now,
               {.type = "FlavorCreated", .resource = flavor_name(create.id), .uid = uid.value()});
  ledger_.put(std::move(flavor));
  return ledger_.state().flavors.at(uid);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const DeleteFlavor& deletion) {
  const Flavor* found = ledger_.flavor(deletion.id);
  const std::string name = flavor_name(deletion.id);
  SW_RETURN_IF_ERROR(check_existing(frame, name, found));
  if (found->builtin) {
    return with_reason(
        failed_precondition("flavor {} is mandatory after SCS-0103 and stays", deletion.id),
        "BUILTIN_FLAVOR");
  }
  const Flavor flavor = *found;
  record_event(frame.now, {.type = "FlavorDeleted", .resource = name, .uid = flavor.uid.value()});
  ledger_.erase(flavor.uid);
  return flavor;
}

}  // namespace stellwerk::controller

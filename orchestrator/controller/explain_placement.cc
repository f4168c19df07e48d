#include "orchestrator/controller/explain_placement.h"

#include <string>
#include <utility>
#include <vector>

#include "core/resource_names.h"
#include "orchestrator/controller/admission.h"
#include "orchestrator/controller/claims.h"
#include "orchestrator/controller/quota.h"
#include "orchestrator/controller/resize.h"
#include "orchestrator/controller/views.h"

namespace stellwerk::controller {
namespace {

placement::Explanation without_hosts(placement::Explanation told) {
  return {.fits = told.fits,
          .none_connected = told.none_connected,
          .summary = std::move(told.summary),
          .smallest_change = std::move(told.smallest_change)};
}

}  // namespace

absl::StatusOr<PlacementView> explain_placement(const ExplainPlacement& asked, const Ledger& ledger,
                                                placement::Engine& engine) {
  const CreateInstances& booking = asked.booking;
  std::vector<FieldViolation> violations = asked.violations;
  const Project* project = ledger.project(booking.project);
  if (!project && violations.empty()) return missing(project_name(booking.project));
  // One may be meant to have no number.
  const Sizing sizing = booking.count == 1 ? check_instance(booking, ledger, violations)
                                           : check_instances(booking, ledger, violations);
  if (!violations.empty()) return invalid_fields(violations);
  const absl::Status within_limits = check_limits(*project, ledger.use_of_project(project->uid),
                                                  demand_of(sizing) * booking.count);
  if (!within_limits.ok()) {
    return PlacementView{{.summary = std::string(message_of(within_limits))}};
  }
  const placement::Request request =
      request_for({*sizing.flavor, sizing.boot_disk}, asked_of(booking, sizing, booking.count));
  placement::Explanation told = placement::explain(engine, request);
  return PlacementView{asked.to_operator ? std::move(told) : without_hosts(std::move(told))};
}

}  // namespace stellwerk::controller

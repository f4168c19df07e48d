#include "tests/sim/bugs.h"

namespace stellwerk::sim {

std::string_view to_string(Bug bug) {
  switch (bug) {
    case Bug::kNone:
      return "none";
    case Bug::kAnswerBeforeDurable:
      return "answer-before-durable";
    case Bug::kUnsyncedStore:
      return "unsynced-store";
    case Bug::kLostReplyIsFailure:
      return "lost-reply-is-failure";
    case Bug::kLoadBeforeTakeover:
      return "load-before-takeover";
    case Bug::kForgetRequests:
      return "forget-requests";
    case Bug::kStaleOrders:
      return "stale-orders";
    case Bug::kHidePorts:
      return "hide-ports";
    case Bug::kDestroyUnclaimed:
      return "destroy-unclaimed";
    case Bug::kForgetGuards:
      return "forget-guards";
    case Bug::kKeepBridges:
      return "keep-bridges";
    case Bug::kKeepPartialFiles:
      return "keep-partial-files";
    case Bug::kForgetReboots:
      return "forget-reboots";
    case Bug::kKeepDiskSize:
      return "keep-disk-size";
    case Bug::kLooseLimits:
      return "loose-limits";
    case Bug::kIgnorePins:
      return "ignore-pins";
    case Bug::kForgetPins:
      return "forget-pins";
    case Bug::kForgetFetches:
      return "forget-fetches";
    case Bug::kSoftenGroups:
      return "soften-groups";
    case Bug::kForgetLabels:
      return "forget-labels";
    case Bug::kForgetMaintenance:
      return "forget-maintenance";
    case Bug::kForgetBackups:
      return "forget-backups";
    case Bug::kForgetBudgets:
      return "forget-budgets";
    case Bug::kHalfBooking:
      return "half-booking";
    case Bug::kHideLosses:
      return "hide-losses";
  }
  return "";
}

}  // namespace stellwerk::sim

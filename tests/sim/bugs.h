// Mistakes planted into the simulated process around controller and agent, one at a time, to show
// that the simulator finds them: one that finds nothing proves nothing.
#pragma once

#include <cstdint>
#include <string_view>

namespace stellwerk::sim {

enum class Bug : uint8_t {
  kNone,
  kAnswerBeforeDurable,  // a commit counts as done when it is sent
  kUnsyncedStore,        // a power cut takes the newest commit back
  kLostReplyIsFailure,   // an unknown outcome is reported as "nothing was written"
  kLoadBeforeTakeover,   // the cell is read before older writers are shut out
  kForgetRequests,       // a restart does not load what was answered
  kStaleOrders,          // the agent gets older orders under the newest sequence
  kHidePorts,            // the agent never sees left-over ports
  kDestroyUnclaimed,     // absence is taken for an order
  kForgetGuards,         // the firewall says that it guards, and does not
  kKeepBridges,          // the bridge of a deleted network is told to be gone, and is not
  kKeepPartialFiles,     // opening the storage does not clean up
  kForgetReboots,        // a reboot is not noted in the domain
  kKeepDiskSize,         // a disk never grows
  kLooseLimits,          // the controller admits what the project's limits do not allow
  kIgnorePins,           // guests run wherever they like
  kForgetPins,           // a restart does not load which processors are whose
  kForgetFetches,        // what an earlier process was fetching is not gone on with
  kSoftenGroups,         // a restart loads hard rules of groups as soft ones
  kForgetLabels,         // a restart does not load the hosts' labels
  kForgetMaintenance,    // nor which of them are in maintenance
  kForgetBackups,        // nor what is kept for failures
  kForgetBudgets,        // nor how much racks and feeds may carry
  kHalfBooking,          // the last instance of a booking is not written
  kHideLosses,           // nobody is told that a protection is lost
};

inline constexpr Bug kAllBugs[] = {
    Bug::kAnswerBeforeDurable, Bug::kUnsyncedStore,     Bug::kLostReplyIsFailure,
    Bug::kLoadBeforeTakeover,  Bug::kForgetRequests,    Bug::kStaleOrders,
    Bug::kHidePorts,           Bug::kDestroyUnclaimed,  Bug::kForgetGuards,
    Bug::kKeepBridges,         Bug::kKeepPartialFiles,  Bug::kForgetReboots,
    Bug::kKeepDiskSize,        Bug::kLooseLimits,       Bug::kIgnorePins,
    Bug::kForgetPins,          Bug::kForgetFetches,     Bug::kSoftenGroups,
    Bug::kForgetLabels,        Bug::kForgetMaintenance, Bug::kForgetBackups,
    Bug::kForgetBudgets,       Bug::kHalfBooking,       Bug::kHideLosses};

std::string_view to_string(Bug bug);

}  // namespace stellwerk::sim

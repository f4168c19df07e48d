#include "drivers/hypervisor/libvirt/domain_calls.h"

#include <fmt/ranges.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <optional>
#include <span>

#include "core/failpoint.h"
#include "drivers/hypervisor/libvirt/domain_xml.h"
#include "drivers/hypervisor/libvirt/handles.h"
#include "drivers/hypervisor/libvirt/lifecycle.h"
#include "drivers/hypervisor/libvirt/pinning.h"
#include "drivers/hypervisor/libvirt/process_table.h"
#include "drivers/hypervisor/libvirt/topology.h"

namespace stellwerk::hypervisor {
namespace {

// For a process whose domain libvirt has just forgotten: it is on its way out.
constexpr std::chrono::seconds kPatienceWithTheDying(2);

bool last_error_is(int code) {
  const virError* error = virGetLastError();
  return error != nullptr && error->code == code;
}

// No handle: there is no such domain.
absl::StatusOr<DomainHandle> look_up(virConnectPtr connection, const Uuid& uuid) {
  DomainHandle domain(virDomainLookupByUUID(connection, uuid.bytes().data()));
  if (domain || last_error_is(VIR_ERR_NO_DOMAIN)) return domain;
  return last_error(fmt::format("look up domain {}", uuid.to_string()));
}

absl::StatusOr<bool> is_active(virDomainPtr domain) {
  const int active = virDomainIsActive(domain);
  if (active >= 0) return active == 1;
  if (last_error_is(VIR_ERR_NO_DOMAIN)) return false;
  return last_error("ask whether a domain runs");
}

// After a call that failed: only certainty that nothing runs is as good as success.
bool has_ended(virDomainPtr domain) {
  const auto active = is_active(domain);
  return active.ok() && !*active;
}

absl::Status refuse_if_abandoned(const DomainCalls& calls) {
  if (!calls.abandoned || !calls.abandoned->value()) return absl::OkStatus();
  return deadline_exceeded("nobody waits any more; the domain was left as it is");
}

absl::StatusOr<DomainState> state_now(virDomainPtr domain) {
  int state = 0;
  int reason = 0;
  if (virDomainGetState(domain, &state, &reason, 0) < 0) return last_error("get a domain's state");
  return state_of(state, reason);
}

absl::StatusOr<DomainDescription> describe_domain(virDomainPtr domain) {
  const LibvirtString xml(virDomainGetXMLDesc(domain, 0));
  if (!xml) return last_error("get a domain's description");
  return parse_domain(xml.get());
}

// The owner that the metadata names, if that is `cell` and the metadata is this domain's own: a
// copy of our XML under another UUID is somebody's experiment, not our instance.
std::optional<Ownership> owner_in(const DomainDescription& described, const Uuid& uuid,
                                  const CellUid& cell) {
  const auto& owner = described.owner;
  const bool own = owner && owner->cell == cell && owner->instance.value() == uuid;
  return own ? owner : std::nullopt;
}

absl::StatusOr<Ownership> require_ours(virDomainPtr domain, const CellUid& cell) {
  SW_ASSIGN_OR_RETURN(const DomainDescription described, describe_domain(domain));
  if (auto owner = owner_in(described, uuid_of(domain), cell)) return *std::move(owner);
  return permission_denied("domain '{}' ({}) does not belong to cell {}; it is left alone",
                           virDomainGetName(domain), uuid_of(domain).to_string(), cell.to_string());
}

// The running domain of this instance, checked to be ours; no handle if none runs.
absl::StatusOr<DomainHandle> find_ours(const DomainCalls& calls, const InstanceUid& instance) {
  SW_ASSIGN_OR_RETURN(DomainHandle domain, look_up(calls.connection.get(), instance.value()));
  if (!domain) return domain;
  SW_RETURN_IF_ERROR(require_ours(domain.get(), calls.cell).status());
  SW_ASSIGN_OR_RETURN(const bool active, is_active(domain.get()));
  if (!active) domain.reset();
  return domain;
}

absl::StatusOr<DomainHandle> require_running(const DomainCalls& calls,
                                             const InstanceUid& instance) {
  SW_ASSIGN_OR_RETURN(DomainHandle domain, find_ours(calls, instance));
  if (!domain) return not_found("instance {}: no domain runs", instance.to_string());
  return domain;
}

// OK if it runs in the end, whoever let it.
absl::Status release(const DomainCalls& calls, virDomainPtr domain) {
  SW_ASSIGN_OR_RETURN(const DomainState state, state_now(domain));
  switch (state) {
    case DomainState::kRunning:
      return absl::OkStatus();
    case DomainState::kShuttingDown:
    case DomainState::kCrashed:
      return failed_precondition("domain '{}' is ending; it can start again when it is gone",
                                 virDomainGetName(domain));
    case DomainState::kPaused:
    case DomainState::kPausedOnError:
      break;
  }
  SW_RETURN_IF_ERROR(refuse_if_abandoned(calls));
  failpoint("hypervisor.resume.before");
  if (virDomainResume(domain) < 0) {
    const absl::Status error = last_error(fmt::format("resume '{}'", virDomainGetName(domain)));
    const auto now = state_now(domain);
    if (!now.ok() || *now != DomainState::kRunning) return error;
  }
  failpoint("hypervisor.resume.after");
  return absl::OkStatus();
}

// A guest that libvirt has lost track of must not get a twin on the same disk.
absl::Status refuse_unmanaged(const DomainCalls& calls, const InstanceUid& instance) {
  SW_ASSIGN_OR_RETURN(const auto processes, find_qemu(calls.proc_root, instance.value()));
  if (processes.empty()) return absl::OkStatus();
  return already_exists(
      "instance {} runs as process {}, which libvirt does not know; end it by hand or restart "
      "libvirt's daemon so that it finds it",
      instance.to_string(), fmt::join(processes, ", "));
}

absl::Status release_existing(const DomainCalls& calls, const DomainSpec& spec,
                              virDomainPtr domain) {
  SW_RETURN_IF_ERROR(require_ours(domain, calls.cell).status());
  SW_ASSIGN_OR_RETURN(const bool active, is_active(domain));
  if (active) {
    SW_RETURN_IF_ERROR(refuse_if_abandoned(calls));
    if (spec.created) spec.created();
    return release(calls, domain);
  }
  return failed_precondition(
      "domain '{}' is defined and not running; ours are transient, so it was defined by hand: "
      "undefine it",
      virDomainGetName(domain));
}

// A domain that somebody else made in the same moment serves as well as our own.
absl::StatusOr<DomainHandle> create_paused(const DomainCalls& calls, const InstanceUid& instance,
                                           const std::string& xml) {
  SW_RETURN_IF_ERROR(refuse_if_abandoned(calls));
  failpoint("hypervisor.define.before");
  DomainHandle domain(
      virDomainCreateXML(calls.connection.get(), xml.c_str(), VIR_DOMAIN_START_PAUSED));
  if (!domain) {
    const absl::Status error =
        last_error(fmt::format("create the domain of instance {}", instance.to_string()));
    SW_ASSIGN_OR_RETURN(domain, look_up(calls.connection.get(), instance.value()));
    if (!domain || !is_active(domain.get()).value_or(false)) return error;
  }
  failpoint("hypervisor.define.after");
  return domain;
}

// One answer about all domains; what it holds of each belongs to it.
class StateRecords {
 public:
  explicit StateRecords(virConnectPtr connection)
      : count_(virConnectGetAllDomainStats(connection, VIR_DOMAIN_STATS_STATE, &records_,
                                           VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE)) {}
  ~StateRecords() { virDomainStatsRecordListFree(records_); }
  StateRecords(const StateRecords&) = delete;
  StateRecords& operator=(const StateRecords&) = delete;

  bool ok() const { return count_ >= 0; }
  std::span<const virDomainStatsRecordPtr> get() const {
    return {records_, static_cast<size_t>(count_)};
  }

 private:
  virDomainStatsRecordPtr* records_ = nullptr;
  int count_;
};

DomainState state_in(const virDomainStatsRecord& record) {
  int state = VIR_DOMAIN_NOSTATE;
  int reason = 0;
  virTypedParamsGetInt(record.params, record.nparams, "state.state", &state);
  virTypedParamsGetInt(record.params, record.nparams, "state.reason", &reason);
  return state_of(state, reason);
}

// One call a domain: a host looks at all of its guests every few seconds.
absl::StatusOr<ObservedDomain> observe(const virDomainStatsRecord& record, const CellUid& cell) {
  SW_ASSIGN_OR_RETURN(DomainDescription described, describe_domain(record.dom));
  ObservedDomain observed;
  observed.uuid = uuid_of(record.dom);
  observed.name = virDomainGetName(record.dom);
  observed.owner = owner_in(described, observed.uuid, cell);
  observed.state = state_in(record);
  observed.vcpus = described.vcpus;
  observed.memory = described.memory;
  if (observed.owner) observed.pins = std::move(described.pins);
  return observed;
}

absl::Status record_reboot(virDomainPtr domain, Ownership owner, uint64_t count) {
  owner.reboot_count = count;
  const std::string xml = ownership_xml(owner, NameSpace::kImplied);
  if (virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, xml.c_str(), kMetadataPrefix,
                           kMetadataUri, VIR_DOMAIN_AFFECT_LIVE) == 0) {
    return absl::OkStatus();
  }
  return last_error(fmt::format("record a reboot of '{}'", virDomainGetName(domain)));
}

std::vector<ProcessHandle> hold(const std::vector<pid_t>& pids) {
  std::vector<ProcessHandle> handles;
  for (const pid_t pid : pids) {
    if (auto handle = ProcessHandle::open(pid)) handles.push_back(*std::move(handle));
  }
  return handles;
}

absl::Status wait_until_gone(const std::vector<ProcessHandle>& processes, Duration patience) {
  for (const ProcessHandle& process : processes) {
    if (process.wait_until_gone(patience)) continue;
    return deadline_exceeded("a QEMU process is still there {} after it was ended",
                             to_short_string(patience));
  }
  return absl::OkStatus();
}

// Where no domain is left to destroy, a process is either dying or out of our hands; saying OK for
// the latter would let its disk be deleted under it.
absl::Status confirm_gone(const DomainCalls& calls, const InstanceUid& instance,
                          const std::vector<pid_t>& pids) {
  if (pids.empty()) return absl::OkStatus();
  wait_until_gone(hold(pids), kPatienceWithTheDying).IgnoreError();
  const absl::Status found = refuse_unmanaged(calls, instance);
  if (!absl::IsAlreadyExists(found)) return found;
  return make_status(absl::StatusCode::kFailedPrecondition, message_of(found));
}

}  // namespace

absl::StatusOr<std::vector<ObservedDomain>> DomainCalls::list() const {
  const StateRecords records(connection.get());
  if (!records.ok()) return last_error("list the domains");
  std::vector<ObservedDomain> observed;
  for (const virDomainStatsRecordPtr record : records.get()) {
    auto one = observe(*record, cell);
    if (absl::IsNotFound(one.status())) continue;  // ended meanwhile
    if (!one.ok()) return one.status();
    observed.push_back(*std::move(one));
  }
  std::sort(observed.begin(), observed.end(),
            [](const ObservedDomain& a, const ObservedDomain& b) { return a.uuid < b.uuid; });
  return observed;
}

absl::Status DomainCalls::start(const DomainSpec& spec, Accelerator accelerator) const {
  const InstanceUid& instance = spec.owner.instance;
  SW_ASSIGN_OR_RETURN(const DomainHandle existing, look_up(connection.get(), instance.value()));
  if (existing) return release_existing(*this, spec, existing.get());
  SW_RETURN_IF_ERROR(refuse_unmanaged(*this, instance));
  DomainSpec possible = spec;
  // With one node there is nothing to choose, and QEMU may be built without libnuma.
  if (!has_several_nodes(sys_root)) possible.memory_nodes.clear();
  SW_ASSIGN_OR_RETURN(const std::string xml, domain_xml(possible, accelerator));
  SW_ASSIGN_OR_RETURN(const DomainHandle domain, create_paused(*this, instance, xml));
  SW_RETURN_IF_ERROR(require_ours(domain.get(), cell).status());
  SW_RETURN_IF_ERROR(refuse_if_abandoned(*this));
  if (spec.created) spec.created();
  return release(*this, domain.get());
}

absl::Status DomainCalls::resume(const InstanceUid& instance) const {
  SW_ASSIGN_OR_RETURN(const DomainHandle domain, require_running(*this, instance));
  return release(*this, domain.get());
}

absl::Status DomainCalls::request_shutdown(const InstanceUid& instance) const {
  SW_ASSIGN_OR_RETURN(const DomainHandle domain, require_running(*this, instance));
  SW_RETURN_IF_ERROR(refuse_if_abandoned(*this));
  failpoint("hypervisor.shutdown.before");
  if (virDomainShutdownFlags(domain.get(), VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN) < 0) {
    const absl::Status error = last_error("ask the guest to shut down");
    if (!has_ended(domain.get())) return error;
    return not_found("instance {}: no domain runs", instance.to_string());
  }
  failpoint("hypervisor.shutdown.after");
  return absl::OkStatus();
}

absl::Status DomainCalls::reboot(const InstanceUid& instance, const RebootOrder& order) const {
  if (order.kind == RebootKind::kPowerCycle) {
    return invalid_argument("a power cycle of instance {} is a destroy and a start",
                            instance.to_string());
  }
  SW_ASSIGN_OR_RETURN(const DomainHandle domain, require_running(*this, instance));
  SW_ASSIGN_OR_RETURN(const Ownership owner, require_ours(domain.get(), cell));
  if (owner.reboot_count >= order.count) return absl::OkStatus();  // done before
  SW_RETURN_IF_ERROR(refuse_if_abandoned(*this));
  failpoint("hypervisor.reboot.before");
  const int result = order.kind != RebootKind::kSoft
                         ? virDomainReset(domain.get(), 0)
                         : virDomainReboot(domain.get(), VIR_DOMAIN_REBOOT_ACPI_POWER_BTN);
  if (result < 0) return last_error(fmt::format("reboot instance {}", instance.to_string()));
  SW_RETURN_IF_ERROR(record_reboot(domain.get(), owner, order.count));
  failpoint("hypervisor.reboot.after");
  return absl::OkStatus();
}

absl::Status DomainCalls::pin(const InstanceUid& instance, const CpuPins& pins) const {
  SW_ASSIGN_OR_RETURN(const DomainHandle domain, require_running(*this, instance));
  SW_ASSIGN_OR_RETURN(const auto pids, find_qemu(proc_root, instance.value()));
  SW_RETURN_IF_ERROR(refuse_if_abandoned(*this));
  failpoint("hypervisor.pin.before");
  SW_RETURN_IF_ERROR(pin_domain(domain.get(), pins, pids, proc_root));
  failpoint("hypervisor.pin.after");
  return absl::OkStatus();
}

absl::Status DomainCalls::destroy(const InstanceUid& instance, Duration patience) const {
  SW_ASSIGN_OR_RETURN(const auto pids, find_qemu(proc_root, instance.value()));
  SW_ASSIGN_OR_RETURN(const DomainHandle domain, find_ours(*this, instance));
  if (!domain) return confirm_gone(*this, instance, pids);
  const std::vector<ProcessHandle> processes = hold(pids);
  SW_RETURN_IF_ERROR(refuse_if_abandoned(*this));
  failpoint("hypervisor.destroy.before");
  if (virDomainDestroyFlags(domain.get(), VIR_DOMAIN_DESTROY_DEFAULT) < 0) {
    const absl::Status error = last_error(fmt::format("destroy '{}'", domain_name(instance)));
    if (!has_ended(domain.get())) return error;
  }
  SW_RETURN_IF_ERROR(wait_until_gone(processes, patience));
  failpoint("hypervisor.destroy.after");
  return absl::OkStatus();
}

}  // namespace stellwerk::hypervisor

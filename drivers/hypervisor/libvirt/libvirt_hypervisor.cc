#include "drivers/hypervisor/libvirt/libvirt_hypervisor.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "drivers/hypervisor/libvirt/handles.h"
#include "drivers/hypervisor/libvirt/host_facts.h"
#include "drivers/hypervisor/libvirt/topology.h"

namespace stellwerk::hypervisor {
namespace {

ConnectionConfig with_uri(ConnectionConfig config, const std::string& uri) {
  config.uri = uri;
  return config;
}

// libvirt reports a connection that broke under a call as whatever the call met.
absl::Status unknown_if_lost(const absl::Status& result, virConnectPtr connection) {
  if (result.ok() || virConnectIsAlive(connection) == 1) return result;
  return unavailable("the connection was lost: {}", message_of(result));
}

std::string version_text(unsigned long version) {
  return fmt::format("{}.{}.{}", version / 1'000'000, version / 1'000 % 1'000, version % 1'000);
}

// What libvirt knows of this host.
struct HostWords {
  std::string version;
  std::vector<NumaNode> nodes;
};

absl::StatusOr<std::string> read_version(virConnectPtr connection) {
  unsigned long library = 0;
  unsigned long hypervisor = 0;
  const char* type = virConnectGetType(connection);
  if (type == nullptr || virConnectGetLibVersion(connection, &library) < 0 ||
      virConnectGetVersion(connection, &hypervisor) < 0) {
    return last_error("get the versions");
  }
  return fmt::format("{} {}, libvirt {}", type, version_text(hypervisor), version_text(library));
}

// Without a topology the host still takes shared guests.
absl::StatusOr<std::vector<NumaNode>> read_topology(virConnectPtr connection,
                                                    const std::string& sys_root) {
  const LibvirtString capabilities(virConnectGetCapabilities(connection));
  if (!capabilities) return last_error("get the host's capabilities");
  auto nodes = parse_topology(capabilities.get(), isolated_cpus(sys_root));
  if (nodes.ok()) return nodes;
  spdlog::warn("topology unknown, no dedicated processors can be given why=\"{}\"",
               message_of(nodes.status()));
  return std::vector<NumaNode>();
}

absl::StatusOr<HostWords> read_words(virConnectPtr connection, const std::string& sys_root) {
  HostWords words;
  SW_ASSIGN_OR_RETURN(words.version, read_version(connection));
  SW_ASSIGN_OR_RETURN(words.nodes, read_topology(connection, sys_root));
  return words;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LibvirtHypervisor>> LibvirtHypervisor::connect(
    LibvirtConfig config) {
  if (config.cell.is_nil()) return invalid_argument("cell: the nil UUID owns no domains");
  AcceleratorChoice accelerator = choose_accelerator(config.accelerator);
  const Duration patience = config.deadlines.connect;
  std::unique_ptr<LibvirtHypervisor> driver(
      new LibvirtHypervisor(std::move(config), std::move(accelerator)));
  const absl::Status first = driver->connection_.wait_for_first_attempt(patience);
  if (absl::IsInvalidArgument(first) || absl::IsUnimplemented(first)) return first;
  return driver;
}

LibvirtHypervisor::LibvirtHypervisor(LibvirtConfig config, AcceleratorChoice accelerator)
    : config_(std::move(config)),
      accelerator_(std::move(accelerator)),
      connection_(with_uri(config_.connection, config_.uri), sink_),
      calls_(config_.max_calls) {}

LibvirtHypervisor::~LibvirtHypervisor() {
  sink_->set({});
}

absl::StatusOr<DomainCalls> LibvirtHypervisor::domain_calls() const {
  SW_ASSIGN_OR_RETURN(Connection::Handle connection, connection_.get());
  return DomainCalls{std::move(connection), config_.cell, config_.proc_root, config_.sys_root};
}

absl::Status LibvirtHypervisor::change(const DeadlineCalls::Request& request, Work work) {
  SW_ASSIGN_OR_RETURN(DomainCalls calls, domain_calls());
  return calls_.run<absl::Status>(
      request, [calls = std::move(calls), work = std::move(work)](const Abandoned& abandoned) {
        DomainCalls waited_for = calls;
        waited_for.abandoned = &abandoned;
        return unknown_if_lost(work(waited_for), calls.connection.get());
      });
}

absl::StatusOr<std::vector<ObservedDomain>> LibvirtHypervisor::list() {
  SW_ASSIGN_OR_RETURN(const DomainCalls calls, domain_calls());
  using Domains = absl::StatusOr<std::vector<ObservedDomain>>;
  return calls_.run<Domains>(
      {.what = "list the domains", .key = std::nullopt, .deadline = config_.deadlines.observe},
      [calls](const Abandoned&) -> Domains {
        Domains domains = calls.list();
        if (domains.ok()) return domains;
        return unknown_if_lost(domains.status(), calls.connection.get());
      });
}

absl::Status LibvirtHypervisor::start(const DomainSpec& spec) {
  return change({.what = "start a domain",
                 .key = spec.owner.instance.value(),
                 .deadline = config_.deadlines.start},
                [spec, accelerator = accelerator_.accelerator](const DomainCalls& calls) {
                  return calls.start(spec, accelerator);
                });
}

absl::Status LibvirtHypervisor::resume(const InstanceUid& instance) {
  return change(
      {.what = "resume a domain", .key = instance.value(), .deadline = config_.deadlines.change},
      [instance](const DomainCalls& calls) { return calls.resume(instance); });
}

absl::Status LibvirtHypervisor::request_shutdown(const InstanceUid& instance) {
  return change({.what = "ask a guest to shut down",
                 .key = instance.value(),
                 .deadline = config_.deadlines.change},
                [instance](const DomainCalls& calls) { return calls.request_shutdown(instance); });
}

absl::Status LibvirtHypervisor::reboot(const InstanceUid& instance, const RebootOrder& order) {
  return change(
      {.what = "reboot a domain", .key = instance.value(), .deadline = config_.deadlines.change},
      [instance, order](const DomainCalls& calls) { return calls.reboot(instance, order); });
}

absl::Status LibvirtHypervisor::pin(const InstanceUid& instance, const CpuPins& pins) {
  return change(
      {.what = "pin a domain", .key = instance.value(), .deadline = config_.deadlines.change},
      [instance, pins](const DomainCalls& calls) { return calls.pin(instance, pins); });
}

absl::Status LibvirtHypervisor::destroy(const InstanceUid& instance) {
  const Duration patience = config_.deadlines.destroy;
  return change(
      {.what = "destroy a domain", .key = instance.value(), .deadline = patience},
      [instance, patience](const DomainCalls& calls) { return calls.destroy(instance, patience); });
}

absl::StatusOr<HostFacts> LibvirtHypervisor::host_facts() {
  SW_ASSIGN_OR_RETURN(HostFacts facts, read_host_facts(config_.proc_root));
  facts.accelerator = to_string(accelerator_.accelerator);
  absl::StatusOr<HostWords> words = unavailable("libvirt cannot be reached");
  if (const auto calls = domain_calls(); calls.ok()) {
    words = calls_.run<absl::StatusOr<HostWords>>({.what = "get the host's description",
                                                   .key = std::nullopt,
                                                   .deadline = config_.deadlines.observe},
                                                  [calls = *calls](const Abandoned&) {
                                                    return read_words(calls.connection.get(),
                                                                      calls.sys_root);
                                                  });
  } else {
    words = calls.status();
  }
  const std::lock_guard lock(version_mutex_);
  if (words.ok()) {
    version_ = std::move(words->version);
    nodes_ = std::move(words->nodes);
  }
  if (version_.empty()) return words.status();
  facts.hypervisor_version = version_;
  facts.numa = nodes_;
  count_processors(facts);
  return facts;
}

void LibvirtHypervisor::listen(std::function<void(const DomainEvent&)> listener) {
  sink_->set(std::move(listener));
}

}  // namespace stellwerk::hypervisor

// The checks of folders, space and network.
#include <algorithm>
#include <filesystem>

#include "api/daemon/doctor/checks.h"
#include "core/model.h"

namespace stellwerk::daemon::doctor {
namespace {

Finding check_folder(Finding finding, const std::string& path, std::string_view key,
                     Machine& machine) {
  const auto facts = machine.look(path);
  if (absl::IsNotFound(facts.status())) {
    finding.what = fmt::format("{} is not there yet; the daemon makes it", path);
    return finding;
  }
  if (!facts.ok()) {
    return unknown(finding, fmt::format("{}: {}", path, message_of(facts.status())));
  }
  if (!facts->directory) {
    finding.verdict = Verdict::kFailed;
    finding.what = fmt::format("{} is no directory", path);
    finding.todo = fmt::format("move it away, or change {}", key);
    return finding;
  }
  const absl::Status written = machine.try_writing(path);
  finding.what = path + " can be written";
  if (written.ok()) return finding;
  finding.what = fmt::format("{} cannot be written: {}", path, message_of(written));
  if (absl::IsPermissionDenied(written)) return unknown(finding, finding.what);
  finding.verdict = Verdict::kFailed;
  finding.todo = fmt::format("df -h {0}; findmnt -T {0}", path);
  return finding;
}

// The nearest folder above that is there already.
std::string existing_part(std::filesystem::path path, Machine& machine) {
  while (path.has_parent_path() && path != path.parent_path() && !machine.look(path).ok()) {
    path = path.parent_path();
  }
  return path;
}

// As libvirt's configuration has it, without reading all of its syntax: the last line counts.
bool qemu_is_root(Machine& machine) {
  const auto text = machine.read("/etc/libvirt/qemu.conf");
  if (!text.ok()) return false;
  bool root = false;
  for (size_t at = 0; at < text->size();) {
    std::string line = text->substr(at, text->find('\n', at) - at);
    at += line.size() + 1;
    std::erase_if(line, [](char c) { return c == ' ' || c == '\t'; });
    if (line.starts_with("user=")) root = line == "user=\"root\"" || line == "user=\"+0\"";
  }
  return root;
}

const Interface* find(const std::vector<Interface>& all, const std::string& name) {
  const auto found = std::ranges::find(all, name, &Interface::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

Finding check_state(const Config& config, Machine& machine) {
  return check_folder({.check = "state"}, config.daemon.state_dir, "daemon.state_dir", machine);
}

Finding check_storage(const Config& config, Machine& machine) {
  const std::string& storage = config.storage.directory;
  const bool has_worked = machine.look(config.daemon.state_dir + "/host-uid").ok();
  if (has_worked && absl::IsNotFound(machine.look(storage + "/images").status())) {
    return {.check = "storage",
            .verdict = Verdict::kFailed,
            .what = fmt::format("{} does not hold what this host has put there", storage),
            .todo = fmt::format("mount the disk that {} lies on", storage)};
  }
  return check_folder({.check = "storage"}, config.storage.directory, "storage.directory", machine);
}

Finding check_passage(const Config& config, Machine& machine) {
  constexpr uint32_t kOthersMayPass = 0001;
  Finding finding{.check = "passage"};
  if (qemu_is_root(machine)) {
    finding.what = "QEMU runs as root and passes everywhere";
    return finding;
  }
  std::string closed;
  std::filesystem::path path = existing_part(config.storage.directory, machine);
  for (; path.has_relative_path(); path = path.parent_path()) {
    const auto facts = machine.look(path);
    if (!facts.ok()) return unknown(finding, facts.status());
    if ((facts->mode & kOthersMayPass) == 0) closed = path.string() + " " + closed;
  }
  finding.what = fmt::format("QEMU's user can pass to {}", config.storage.directory);
  if (closed.empty()) return finding;
  closed.pop_back();
  finding.verdict = Verdict::kFailed;
  finding.what = fmt::format("QEMU's user cannot pass through {} to its disks", closed);
  finding.todo = fmt::format("chmod o+x {}", closed);
  return finding;
}

Finding check_space(const Config& config, Machine& machine) {
  Finding finding{.check = "space"};
  const std::string place = existing_part(config.storage.directory, machine);
  const auto space = machine.space(place);
  if (!space.ok()) return unknown(finding, space.status());
  const Bytes reserve = config.host.disk_reserve;
  finding.what = fmt::format(
      "{} of {} free at {}, {} held back for the host", stellwerk::to_string(space->available),
      stellwerk::to_string(space->total), place, stellwerk::to_string(reserve));
  if (space->available <= reserve) {
    finding.verdict = Verdict::kFailed;
  } else if (space->available < reserve + reserve || space->available * 20 < space->total) {
    finding.verdict = Verdict::kWarning;
  } else {
    return finding;
  }
  finding.todo = fmt::format("du -xh --max-depth=1 {}; stellwerk image list", place);
  return finding;
}

Finding check_bridge(const Config& config, Machine& machine) {
  const std::string& name = config.network.bridge;
  Finding finding{.check = "bridge"};
  const auto all = machine.interfaces();
  if (!all.ok()) return unknown(finding, all.status());
  const Interface* const bridge = find(*all, name);
  if (bridge == nullptr) {
    finding.what =
        fmt::format("{} is not there yet; the daemon makes it for the first guest", name);
    if (config.network.create_bridge) return finding;
    finding.verdict = Verdict::kFailed;
    finding.what = fmt::format("{} is not there, and network.create_bridge is false", name);
    finding.todo = fmt::format("ip link add {0} type bridge && ip link set {0} up", name);
  } else if (!bridge->bridge) {
    finding.verdict = Verdict::kFailed;
    finding.what = fmt::format("{} is no bridge, but something else has the name", name);
    finding.todo = "give network.bridge another name";
  } else if (!bridge->up) {
    finding.verdict = Verdict::kWarning;
    finding.what = fmt::format("{} is a bridge, but down", name);
    finding.todo = fmt::format("ip link set {} up", name);
  } else {
    finding.what = fmt::format("{} is a bridge and up", name);
  }
  return finding;
}

Finding check_subnet(const Config& config, Machine& machine) {
  const NetworkConfig& network = config.network;
  Finding finding{.check = "subnet"};
  const auto all = machine.interfaces();
  if (!all.ok()) return unknown(finding, all.status());
  std::vector<IpPrefix> ranges = {network.v4.range};
  if (network.v6) ranges.push_back(network.v6->range);
  std::string subnets;
  for (const IpPrefix& range : ranges) {
    subnets += (subnets.empty() ? "" : " or ") + range.to_string();
    for (const Interface& other : *all) {
      if (other.name == network.bridge) continue;
      for (const IpAddress& address : other.addresses) {
        if (!range.contains(address)) continue;
        finding.verdict = Verdict::kFailed;
        finding.what = fmt::format("{} of {} lies in the guests' subnet {}", address.to_string(),
                                   other.name, range.to_string());
        finding.todo = "give the flat network a range that is not in use here";
        return finding;
      }
    }
  }
  finding.what = fmt::format("no other interface has an address in {}", subnets);
  return finding;
}

Finding check_forwarding(const Config&, Machine& machine) {
  Finding finding{.check = "forwarding"};
  const auto filtered = machine.read("/proc/sys/net/bridge/bridge-nf-call-iptables");
  if (filtered.ok() && filtered->starts_with('1')) {
    finding.verdict = Verdict::kWarning;
    finding.what =
        "this host's iptables rules also see what guests send each other, and may drop it";
    finding.todo = "sysctl -w net.bridge.bridge-nf-call-iptables=0";
    return finding;
  }
  const auto forward = machine.read("/proc/sys/net/ipv4/ip_forward");
  if (!forward.ok()) return unknown(finding, forward.status());
  finding.what = forward->starts_with('1')
                     ? "on: guests reach further than this host where a rule translates for them"
                     : "off: guests on a bridge of the daemon's reach this host and each other";
  return finding;
}

}  // namespace stellwerk::daemon::doctor

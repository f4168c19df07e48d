#include "api/daemon/doctor/checks.h"

#include "core/parse_number.h"

namespace stellwerk::daemon::doctor {

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kUnknown:
      return "unknown";
    case Verdict::kFailed:
      return "failed";
  }
  return "unknown";
}

Finding unknown(Finding finding, std::string what) {
  finding.verdict = Verdict::kUnknown;
  finding.what = std::move(what);
  finding.todo = "sudo stellwerk doctor";
  return finding;
}

Finding unknown(Finding finding, const absl::Status& why) {
  return unknown(std::move(finding), fmt::format("could not be looked at: {}", message_of(why)));
}

Finding check_kvm(const Config& config, Machine& machine) {
  using Mode = hypervisor::AcceleratorMode;
  constexpr const char* kDevice = "/dev/kvm";
  Finding finding{.check = "kvm"};
  if (config.hypervisor.accel == Mode::kTcg) {
    finding.what = "not needed: hypervisor.accel is \"tcg\"";
    return finding;
  }
  const absl::Status opened = machine.open_device(kDevice);
  if (opened.ok()) {
    finding.what = "/dev/kvm opens; whether guests run on it the daemon finds out at its start";
    return finding;
  }
  finding.what = fmt::format("{}: {}", kDevice, message_of(opened));
  if (absl::IsPermissionDenied(opened)) return unknown(finding, finding.what);
  const bool needed = config.hypervisor.accel == Mode::kKvm;
  finding.verdict = needed ? Verdict::kFailed : Verdict::kWarning;
  if (!needed) finding.what += "; guests run without hardware's help, slowly";
  finding.todo =
      "modprobe kvm_intel || modprobe kvm_amd  # and switch virtualisation on in firmware";
  return finding;
}

Finding check_libvirt(const Config& config, Machine& machine) {
  Finding finding{.check = "libvirt"};
  const auto version = machine.libvirt_version(config.hypervisor);
  if (version.ok()) {
    finding.what = fmt::format("{} answers: {}", config.hypervisor.uri, *version);
    return finding;
  }
  finding.verdict = Verdict::kFailed;
  finding.what = message_of(version.status());
  finding.todo =
      "systemctl enable --now libvirtd  # installed by: apt-get install "
      "libvirt-daemon-system qemu-system-x86";
  return finding;
}

Finding check_firewall(const Config&, Machine& machine) {
  Finding finding{.check = "firewall"};
  const absl::Status there = machine.firewall();
  if (there.ok()) {
    finding.what = "the kernel takes nftables for bridges";
    return finding;
  }
  finding.what = message_of(there);
  if (absl::IsPermissionDenied(there)) return unknown(finding, finding.what);
  finding.verdict = Verdict::kFailed;
  finding.what += "; no guest is started without a guard (reason WaitingForFirewall)";
  finding.todo = "modprobe -a nf_tables bridge  # CONFIG_NF_TABLES_BRIDGE, as in Debian's kernels";
  return finding;
}

namespace {

// The number behind `key` in lines such as "MemTotal:   24000 kB".
std::optional<int64_t> number_after(std::string_view text, std::string_view key) {
  const size_t at = text.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + key.size());
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin);
  return parse_number<int64_t>(text.substr(0, text.find_first_of(" \t\n")));
}

}  // namespace

Finding check_memory(const Config& config, Machine& machine) {
  Finding finding{.check = "memory"};
  const auto text = machine.read("/proc/meminfo");
  if (!text.ok()) return unknown(finding, text.status());
  const auto kibibytes_there = number_after(*text, "MemTotal:");
  if (!kibibytes_there) return unknown(finding, data_loss("no MemTotal"));
  const Bytes there = kibibytes(*kibibytes_there);
  const Bytes offered = config.host.memory.value_or(there);
  const std::string amounts =
      fmt::format("{} there, {} held back for the host", stellwerk::to_string(there),
                  stellwerk::to_string(config.host.memory_reserve));
  if (offered > there) {
    finding.verdict = Verdict::kFailed;
    finding.what =
        fmt::format("host.memory_mib promises {}: {}", stellwerk::to_string(offered), amounts);
    finding.todo =
        fmt::format("lower host.memory_mib to {} or less", there.count() / mebibytes(1).count());
  } else if (config.host.memory_reserve >= offered) {
    finding.verdict = Verdict::kFailed;
    finding.what = "nothing is left for guests: " + amounts;
    finding.todo = "lower host.memory_reserve_mib";
  } else {
    finding.what = amounts;
  }
  return finding;
}

Finding check_clock(const Config&, Machine& machine) {
  Finding finding{.check = "clock"};
  const auto synchronised = machine.clock_is_synchronised();
  if (!synchronised.ok()) return unknown(finding, synchronised.status());
  finding.what = *synchronised ? "synchronised"
                               : "not synchronised: times in the log and in guests "
                                 "will be wrong";
  if (*synchronised) return finding;
  finding.verdict = Verdict::kWarning;
  finding.todo = "apt-get install chrony";
  return finding;
}

// Of the daemon if it runs, for its unit may say otherwise than this shell's.
Finding check_limits(const Config& config, Machine& machine) {
  constexpr int64_t kEnough = 8192;
  Finding finding{.check = "limits"};
  const auto pid = machine.listener_of(config.daemon.socket);
  const std::string whose = pid.ok() ? std::to_string(*pid) : "self";
  const auto text = machine.read(fmt::format("/proc/{}/limits", whose));
  if (!text.ok()) return unknown(finding, text.status());
  const std::string who = pid.ok() ? "the daemon" : "a process of this shell";
  const auto files = number_after(*text, "Max open files");
  if (!files) {
    finding.what = who + " may open any number of files";
    return finding;
  }
  finding.what = fmt::format("{} may open {} files", who, *files);
  if (*files >= kEnough) return finding;
  finding.verdict = Verdict::kWarning;
  finding.what += fmt::format("; with many guests and clients it needs {}", kEnough);
  finding.todo = "systemctl edit stellwerkd  # [Service] LimitNOFILE=65536";
  return finding;
}

Finding check_daemon(const Config& config, Machine& machine) {
  Finding finding{.check = "daemon"};
  const auto pid = machine.listener_of(config.daemon.socket);
  if (!pid.ok()) {
    finding.verdict = Verdict::kFailed;
    finding.what =
        fmt::format("nobody answers on {}: {}", config.daemon.socket, message_of(pid.status()));
    finding.todo = "systemctl enable --now stellwerkd; journalctl -u stellwerkd -n 20";
    if (absl::IsPermissionDenied(pid.status())) {
      finding.verdict = Verdict::kUnknown;
      finding.todo = fmt::format("sudo usermod -aG {} $USER  # then log in again",
                                 config.daemon.operator_group);
    }
    return finding;
  }
  finding.what = fmt::format("process {} serves {}", *pid, config.daemon.socket);
  // The kernel adds this to the name of a program whose file was replaced.
  const auto program = machine.read(fmt::format("/proc/{}/exe", *pid));
  if (program.ok() && program->ends_with(" (deleted)")) {
    finding.verdict = Verdict::kWarning;
    finding.what += "; its program has been replaced since it was started";
    finding.todo = "systemctl restart stellwerkd  # guests do not notice";
  }
  return finding;
}

Finding check_operators(const Config& config, Machine& machine) {
  const std::string& group = config.daemon.operator_group;
  Finding finding{.check = "operators"};
  if (group.empty()) {
    finding.what = "root alone";
  } else if (machine.group_exists(group)) {
    finding.what = fmt::format("root and the members of the group {}", group);
  } else {
    finding.verdict = Verdict::kWarning;
    finding.what = fmt::format("root alone, for there is no group {}", group);
    finding.todo = fmt::format("groupadd --system {} && systemctl restart stellwerkd", group);
  }
  return finding;
}

Findings examine(const Config& config, Machine& machine) {
  Findings findings;
  for (const auto check :
       {check_daemon, check_operators, check_libvirt, check_kvm, check_memory, check_clock,
        check_limits, check_state, check_storage, check_passage, check_space, check_bridge,
        check_subnet, check_firewall, check_forwarding}) {
    findings.push_back(check(config, machine));
  }
  return findings;
}

}  // namespace stellwerk::daemon::doctor

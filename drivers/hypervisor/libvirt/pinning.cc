#include "drivers/hypervisor/libvirt/pinning.h"

#include <sched.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>

#include "core/cpu_list.h"
#include "core/parse_number.h"

namespace stellwerk::hypervisor {
namespace {

constexpr size_t kMapBytes = kMostCpus / 8;
// With libvirt's `debug-threads=on` QEMU names a vCPU's thread "CPU 3/KVM".
constexpr std::string_view kVcpuThread = "CPU ";

// A set of threads as the scheduler takes it, large enough for any machine.
class Affinity {
 public:
  Affinity() : bits_(kMapBytes / sizeof(unsigned long)) {}
  explicit Affinity(const std::vector<int32_t>& cpus) : Affinity() {
    for (const int32_t cpu : cpus) CPU_SET_S(static_cast<size_t>(cpu), kMapBytes, set());
  }

  cpu_set_t* set() { return reinterpret_cast<cpu_set_t*>(bits_.data()); }
  friend bool operator==(const Affinity&, const Affinity&) = default;
  bool is_part_of(Affinity& other) {
    Affinity both;
    CPU_AND_S(kMapBytes, both.set(), set(), other.set());
    return CPU_EQUAL_S(kMapBytes, both.set(), set()) != 0;
  }

 private:
  std::vector<unsigned long> bits_;
};

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

absl::Status confine_thread(pid_t thread, Affinity& wanted) {
  Affinity now;
  if (sched_getaffinity(thread, kMapBytes, now.set()) < 0) {
    if (errno == ESRCH) return absl::OkStatus();
    return unavailable("the affinity of thread {} cannot be read: {}", thread, strerror(errno));
  }
  if (now == wanted) return absl::OkStatus();
  if (sched_setaffinity(thread, kMapBytes, wanted.set()) == 0 || errno == ESRCH) {
    return absl::OkStatus();
  }
  const int error = errno;
  // It runs nowhere where it must not: a control group, or a machine with less than was known.
  if (now.is_part_of(wanted)) return absl::OkStatus();
  if (error == EPERM) {
    return permission_denied(
        "thread {} of QEMU cannot be moved; give libvirt control groups, or "
        "the daemon CAP_SYS_NICE and sched_setaffinity",
        thread);
  }
  return failed_precondition("thread {} of QEMU cannot be moved: {}", thread, strerror(error));
}

}  // namespace

std::vector<unsigned char> to_cpu_map(const std::vector<int32_t>& cpus) {
  std::vector<unsigned char> map(cpus.empty() ? 1 : static_cast<size_t>(cpus.back()) / 8 + 1);
  for (const int32_t cpu : cpus) map[static_cast<size_t>(cpu) / 8] |= 1U << (cpu % 8);
  return map;
}

std::vector<int32_t> from_cpu_map(const unsigned char* map, size_t bytes) {
  std::vector<int32_t> cpus;
  for (size_t bit = 0; bit < bytes * 8; ++bit) {
    if ((map[bit / 8] >> (bit % 8) & 1U) != 0) cpus.push_back(static_cast<int32_t>(bit));
  }
  return cpus;
}

absl::Status confine_emulator(int process, const std::vector<int32_t>& cpus,
                              const std::string& proc_root) {
  Affinity wanted(cpus);
  std::error_code error;
  const std::filesystem::path tasks = fmt::format("{}/{}/task", proc_root, process);
  std::filesystem::directory_iterator entry(tasks, error);
  const std::filesystem::directory_iterator end;
  for (; !error && entry != end; entry.increment(error)) {
    const auto thread = parse_number<pid_t>(entry->path().filename().string());
    if (!thread || first_line(entry->path() / "comm").starts_with(kVcpuThread)) continue;
    SW_RETURN_IF_ERROR(confine_thread(*thread, wanted));
  }
  return absl::OkStatus();  // a process that has ended has no threads
}

namespace {

absl::Status record_emulator(virDomainPtr domain, const std::vector<int32_t>& cpus) {
  std::vector<unsigned char> map = to_cpu_map(cpus);
  if (virDomainPinEmulator(domain, map.data(), static_cast<int>(map.size()),
                           VIR_DOMAIN_AFFECT_LIVE) == 0) {
    return absl::OkStatus();
  }
  return last_error(
      fmt::format("pin the emulator of '{}' to {}", virDomainGetName(domain), cpu_list_text(cpus)));
}

// A hardened daemon may not move threads; libvirt does it where it has control groups, and then
// there is nothing left to move. Where neither can, what is recorded must not say so.
absl::Status pin_emulator(virDomainPtr domain, const std::vector<int32_t>& cpus,
                          const std::function<absl::Status()>& move_threads) {
  std::vector<unsigned char> before(kMapBytes);
  if (virDomainGetEmulatorPinInfo(domain, before.data(), kMapBytes, VIR_DOMAIN_AFFECT_LIVE) < 0) {
    return last_error("ask what a domain's emulator is pinned to");
  }
  absl::Status moved = move_threads();
  if (!moved.ok() && !absl::IsPermissionDenied(moved)) return moved;
  SW_RETURN_IF_ERROR(record_emulator(domain, cpus));
  if (!moved.ok()) moved = move_threads();
  if (!moved.ok()) {
    record_emulator(domain, from_cpu_map(before.data(), kMapBytes)).IgnoreError();
  }
  return moved;
}

}  // namespace

absl::Status pin_domain(virDomainPtr domain, const CpuPins& pins, const std::vector<int>& processes,
                        const std::string& proc_root) {
  for (size_t i = 0; i < pins.vcpus.size(); ++i) {
    std::vector<unsigned char> map = to_cpu_map(pins.vcpus[i]);
    // Of a running domain; the call with flags is not in every driver.
    if (virDomainPinVcpu(domain, static_cast<unsigned>(i), map.data(),
                         static_cast<int>(map.size())) < 0) {
      return last_error(fmt::format("pin vCPU {} of '{}' to {}", i, virDomainGetName(domain),
                                    cpu_list_text(pins.vcpus[i])));
    }
  }
  return pin_emulator(domain, pins.emulator, [&] {
    for (const int process : processes) {
      SW_RETURN_IF_ERROR(confine_emulator(process, pins.emulator, proc_root));
    }
    return absl::OkStatus();
  });
}

}  // namespace stellwerk::hypervisor

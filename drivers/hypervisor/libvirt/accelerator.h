// Which accelerator guests run on: KVM if it demonstrably works, else TCG.
//
// An answering /dev/kvm proves nothing (nested and broken hosts open it and hang), so `auto` boots
// a real kernel under KVM and waits for its first output from user space. Blocks up to the limit;
// any thread. The probing QEMU never outlives the call, nor the thread that made it.
#pragma once

#include <cstdint>
#include <string>

#include "core/status.h"
#include "core/time.h"

namespace stellwerk::hypervisor {

enum class Accelerator : uint8_t { kKvm, kTcg };
std::string_view to_string(Accelerator value);  // "kvm", "tcg"

enum class AcceleratorMode : uint8_t { kAuto, kKvm, kTcg };

struct AcceleratorConfig {
  AcceleratorMode mode = AcceleratorMode::kAuto;
  std::string kernel;  // empty: the newest vmlinuz-* in boot_directory
  Duration limit = std::chrono::seconds(20);
  // Where things are; tests have others.
  std::string boot_directory = "/boot";
  std::string device = "/dev/kvm";
  std::string qemu = "/usr/bin/qemu-system-x86_64";
};

struct AcceleratorChoice {
  Accelerator accelerator = Accelerator::kTcg;
  std::string reason;  // for the log and for people: what was tried and what came of it
};

// Never fails: what cannot be proven is TCG, and the reason says what stood in the way.
AcceleratorChoice choose_accelerator(const AcceleratorConfig& config);

// The newest by version order; NotFound names the directory and the setting that helps.
absl::StatusOr<std::string> find_kernel(const AcceleratorConfig& config);

// Boots `kernel` until user space speaks. DeadlineExceeded when it does not within the limit,
// FailedPrecondition when QEMU ends before; both quote the last output.
absl::Status boot_probe(const AcceleratorConfig& config, const std::string& kernel,
                        Accelerator accelerator);

}  // namespace stellwerk::hypervisor

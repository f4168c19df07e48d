#include "drivers/hypervisor/libvirt/accelerator.h"

#include <string.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "drivers/hypervisor/libvirt/probe_initramfs.h"
#include "drivers/hypervisor/libvirt/probe_process.h"

namespace stellwerk::hypervisor {
namespace {

constexpr std::string_view kKernelPrefix = "vmlinuz-";

std::vector<std::string> probe_arguments(const AcceleratorConfig& config, const std::string& kernel,
                                         Accelerator accelerator, const std::string& initramfs) {
  const bool kvm = accelerator == Accelerator::kKvm;
  // Two processors: bringing up the second is part of what a broken host gets wrong.
  return {config.qemu,
          "-nodefaults",
          "-no-user-config",
          "-no-reboot",
          "-nographic",
          "-serial",
          "stdio",
          "-machine",
          fmt::format("q35,accel={}", to_string(accelerator)),
          "-cpu",
          kvm ? "host" : "max",
          "-smp",
          "2",
          "-m",
          "256",
          "-kernel",
          kernel,
          "-initrd",
          initramfs,
          "-append",
          "console=ttyS0 panic=-1"};
}

AcceleratorChoice probe_kvm(const AcceleratorConfig& config) {
  if (access(config.device.c_str(), R_OK | W_OK) != 0) {
    return {Accelerator::kTcg,
            fmt::format("{}: {}", config.device, std::generic_category().message(errno))};
  }
  const auto kernel = find_kernel(config);
  if (!kernel.ok()) return {Accelerator::kTcg, std::string(message_of(kernel.status()))};
  const absl::Status booted = boot_probe(config, *kernel, Accelerator::kKvm);
  if (!booted.ok()) return {Accelerator::kTcg, std::string(message_of(booted))};
  return {Accelerator::kKvm, fmt::format("{} reached user space under KVM", *kernel)};
}

}  // namespace

std::string_view to_string(Accelerator value) {
  switch (value) {
    case Accelerator::kKvm:
      return "kvm";
    case Accelerator::kTcg:
      return "tcg";
  }
  return "unknown";
}

AcceleratorChoice choose_accelerator(const AcceleratorConfig& config) {
  switch (config.mode) {
    case AcceleratorMode::kKvm:
      return {Accelerator::kKvm, "configured"};
    case AcceleratorMode::kTcg:
      return {Accelerator::kTcg, "configured"};
    case AcceleratorMode::kAuto:
      return probe_kvm(config);
  }
  return {Accelerator::kTcg, "unknown mode"};
}

absl::StatusOr<std::string> find_kernel(const AcceleratorConfig& config) {
  if (!config.kernel.empty()) {
    if (access(config.kernel.c_str(), R_OK) == 0) return config.kernel;
    return not_found("the configured kernel {} cannot be read: {}", config.kernel,
                     std::generic_category().message(errno));
  }
  std::string newest;
  std::error_code error;
  std::filesystem::directory_iterator entry(config.boot_directory, error);
  const std::filesystem::directory_iterator end;
  for (; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(kKernelPrefix)) continue;
    if (strverscmp(name.c_str(), newest.c_str()) > 0) newest = name;
  }
  if (!newest.empty()) return config.boot_directory + "/" + newest;
  return not_found(
      "there is no {}/{}* to test KVM with: install a kernel, name one as hypervisor.probe_kernel, "
      "or set hypervisor.accel to kvm",
      config.boot_directory, kKernelPrefix);
}

absl::Status boot_probe(const AcceleratorConfig& config, const std::string& kernel,
                        Accelerator accelerator) {
  SW_ASSIGN_OR_RETURN(const MemoryFile initramfs, MemoryFile::create(probe_initramfs()));
  const auto arguments = probe_arguments(config, kernel, accelerator, initramfs.path());
  const absl::Status seen = run_until(arguments, kProbeMarker, config.limit);
  return annotate(seen, fmt::format("{} under {}", kernel, to_string(accelerator)));
}

}  // namespace stellwerk::hypervisor

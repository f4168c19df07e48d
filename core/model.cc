#include "core/model.h"

#include <fmt/format.h>

namespace stellwerk {

std::string_view to_string(CpuClass value) {
  switch (value) {
    case CpuClass::kLowPerformance:
      return "low-performance";
    case CpuClass::kShared:
      return "shared";
    case CpuClass::kDedicatedThread:
      return "dedicated-thread";
    case CpuClass::kDedicatedCore:
      return "dedicated-core";
  }
  return "invalid";
}

std::string_view to_string(DiskType value) {
  switch (value) {
    case DiskType::kUnspecified:
      return "unspecified";
    case DiskType::kNetwork:
      return "network";
    case DiskType::kHardDisk:
      return "hdd";
    case DiskType::kSsd:
      return "ssd";
    case DiskType::kNvme:
      return "nvme";
  }
  return "invalid";
}

std::string_view to_string(PageSize value) {
  switch (value) {
    case PageSize::kNormal:
      return "normal";
    case PageSize::k2MiB:
      return "2 MiB";
    case PageSize::k1GiB:
      return "1 GiB";
  }
  return "?";
}

Bytes bytes_of(PageSize size) {
  switch (size) {
    case PageSize::kNormal:
      return Bytes();
    case PageSize::k2MiB:
      return mebibytes(2);
    case PageSize::k1GiB:
      return gibibytes(1);
  }
  return Bytes();
}

std::string_view to_string(ImageFormat value) {
  switch (value) {
    case ImageFormat::kRaw:
      return "raw";
    case ImageFormat::kQcow2:
      return "qcow2";
  }
  return "invalid";
}

std::string_view to_string(Firmware value) {
  switch (value) {
    case Firmware::kBios:
      return "bios";
    case Firmware::kUefi:
      return "uefi";
  }
  return "invalid";
}

std::string_view to_string(ImageState value) {
  switch (value) {
    case ImageState::kImporting:
      return "importing";
    case ImageState::kActive:
      return "active";
    case ImageState::kDeleting:
      return "deleting";
    case ImageState::kFailed:
      return "failed";
  }
  return "invalid";
}

std::string_view to_string(NetworkState value) {
  switch (value) {
    case NetworkState::kActive:
      return "active";
    case NetworkState::kDeleting:
      return "deleting";
  }
  return "invalid";
}

std::string_view to_string(IpProtocol value) {
  switch (value) {
    case IpProtocol::kAny:
      return "any";
    case IpProtocol::kTcp:
      return "tcp";
    case IpProtocol::kUdp:
      return "udp";
    case IpProtocol::kIcmp:
      return "icmp";
  }
  return "invalid";
}

std::string_view to_string(RebootKind value) {
  switch (value) {
    case RebootKind::kSoft:
      return "soft";
    case RebootKind::kReset:
      return "reset";
    case RebootKind::kPowerCycle:
      return "power-cycle";
  }
  return "invalid";
}

std::string_view to_string(DesiredState value) {
  switch (value) {
    case DesiredState::kRunning:
      return "running";
    case DesiredState::kStopped:
      return "stopped";
    case DesiredState::kDeleted:
      return "deleted";
  }
  return "invalid";
}

std::string_view to_string(RestartPolicy value) {
  switch (value) {
    case RestartPolicy::kOnFailure:
      return "on-failure";
    case RestartPolicy::kNever:
      return "never";
  }
  return "invalid";
}

std::string_view to_string(Phase value) {
  switch (value) {
    case Phase::kPending:
      return "pending";
    case Phase::kPreparing:
      return "preparing";
    case Phase::kStarting:
      return "starting";
    case Phase::kRunning:
      return "running";
    case Phase::kStopping:
      return "stopping";
    case Phase::kStopped:
      return "stopped";
    case Phase::kCrashed:
      return "crashed";
    case Phase::kDeleting:
      return "deleting";
    case Phase::kDeleted:
      return "deleted";
    case Phase::kUnknown:
      return "unknown";
  }
  return "invalid";
}

std::string mac_to_string(uint64_t mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac >> 40 & 255, mac >> 32 & 255,
                     mac >> 24 & 255, mac >> 16 & 255, mac >> 8 & 255, mac & 255);
}

std::string etag_of(Sequence changed_at) {
  return fmt::format("{}", changed_at.value());
}

// One commit may hold several changes of one instance, each with its own generation.
std::string etag_of(const Instance& instance) {
  return fmt::format("{}-{}", instance.changed_at.value(), instance.generation.value());
}

Bytes memory_with_overhead(Bytes guest_memory, VcpuCount vcpus) {
  // QEMU's code, heap and device state; a stack and caches per vCPU; page tables and dirty bitmaps
  // in proportion to the guest's memory.
  constexpr Bytes kFixed = mebibytes(128);
  constexpr Bytes kPerVcpu = mebibytes(8);
  constexpr int64_t kGuestBytesPerByte = 128;
  const Bytes in_proportion{guest_memory.count() / kGuestBytesPerByte};
  return guest_memory + kFixed + kPerVcpu * vcpus.count() + in_proportion;
}

}  // namespace stellwerk

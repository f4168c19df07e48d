// Consoles as Unix sockets that QEMU listens on.
//
// Not libvirt's console stream, which breaks when libvirt's daemon restarts, and not a
// pseudo-terminal, whose 4 KiB of buffer stall a guest as soon as its reader is busy. libvirt's
// daemon makes the socket when the domain is created and removes it at its end; the folder must
// outlive us, for the guests do. Any thread.
#pragma once

#include <memory>
#include <string>

#include "drivers/hypervisor/consoles.h"

namespace stellwerk::hypervisor {

// The longest folder that leaves room for the sockets' names (sockaddr_un has 108 bytes).
inline constexpr size_t kLongestConsoleFolder = 90;

class ConsoleSockets final : public Consoles {
 public:
  // Makes the folder if its parent is there. InvalidArgument if its path is too long.
  static absl::StatusOr<std::unique_ptr<ConsoleSockets>> open_folder(std::string folder);

  std::string socket_of(const InstanceUid& instance) const override;
  absl::StatusOr<Descriptor> open(const InstanceUid& instance) override;

 private:
  explicit ConsoleSockets(std::string folder) : folder_(std::move(folder)) {}

  const std::string folder_;
};

}  // namespace stellwerk::hypervisor

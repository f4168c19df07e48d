// What the checks of `stellwerkd doctor` look at: this machine, or a picture of it in tests.
//
// Every function answers within seconds, changes nothing that lasts, and says why it cannot tell.
// One thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "api/daemon/config.h"
#include "core/ip.h"
#include "core/status.h"
#include "core/units.h"

namespace stellwerk::daemon::doctor {

struct FileFacts {
  bool directory = false;
  uint32_t mode = 0;  // permissions alone
};

struct Space {
  Bytes available;  // for those who are not root
  Bytes total;
};

struct Interface {
  std::string name;
  bool bridge = false;
  bool up = false;
  std::vector<IpAddress> addresses;
};

class Machine {
 public:
  virtual ~Machine() = default;

  // Errors of all: NotFound, PermissionDenied, or FailedPrecondition with the system's words.
  virtual absl::StatusOr<std::string> read(const std::string& path) = 0;
  virtual absl::StatusOr<FileFacts> look(const std::string& path) = 0;
  // Opens for reading and writing, and closes.
  virtual absl::Status open_device(const std::string& path) = 0;
  // Makes a file in `folder` and takes it away again.
  virtual absl::Status try_writing(const std::string& folder) = 0;
  virtual absl::StatusOr<Space> space(const std::string& path) = 0;
  virtual absl::StatusOr<bool> clock_is_synchronised() = 0;
  virtual absl::StatusOr<std::vector<Interface>> interfaces() = 0;
  // "libvirt 9.0.0, QEMU 7.2.0"
  virtual absl::StatusOr<std::string> libvirt_version(const HypervisorConfig& config) = 0;
  // Whether the kernel would take our packet filter: asks, and changes nothing. FailedPrecondition:
  // it lacks something.
  virtual absl::Status firewall() = 0;
  // The process that listens on the socket.
  virtual absl::StatusOr<int> listener_of(const std::string& socket) = 0;
  virtual bool group_exists(const std::string& name) = 0;
};

}  // namespace stellwerk::daemon::doctor

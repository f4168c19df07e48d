#include "api/daemon/random.h"

#include <sys/random.h>

#include <cstdlib>

namespace stellwerk::daemon {

Uuid random_uuid() {
  std::array<uint8_t, 16> bytes{};
  // Up to 256 bytes come whole once the kernel's pool is ready; a kernel without it is none of
  // ours.
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    std::abort();
  }
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3f) | 0x80);
  return Uuid(bytes);
}

}  // namespace stellwerk::daemon

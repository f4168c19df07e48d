#include "drivers/hypervisor/libvirt/kernel_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace stellwerk::hypervisor {

std::optional<std::string> read_kernel_file(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  std::string text;
  std::array<char, 4096> part;
  ssize_t got = 0;
  do {
    got = read(descriptor, part.data(), part.size());
    if (got > 0) text.append(part.data(), static_cast<size_t>(got));
  } while (got > 0 || (got < 0 && errno == EINTR));
  close(descriptor);
  if (got < 0) return std::nullopt;
  return text;
}

}  // namespace stellwerk::hypervisor

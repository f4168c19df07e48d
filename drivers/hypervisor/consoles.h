// The serial consoles of this host's domains.
//
// Contract: a domain's console can be opened from its creation, before it runs, to its end, and by
// one at a time: a further one hears nothing before the former has closed. What a guest writes
// while nobody has its console open is lost and never delays the guest; somebody who has it open
// must read. Any thread.
#pragma once

#include <unistd.h>

#include <string>
#include <utility>

#include "core/ids.h"
#include "core/status.h"

namespace stellwerk::hypervisor {

// An open console: a stream descriptor, non-blocking and close-on-exec. Bytes go both ways; the
// end of what can be read is the end of the domain.
class ConsoleDescriptor {
 public:
  explicit ConsoleDescriptor(int value) : value_(value) {}
  ~ConsoleDescriptor() {
    if (value_ >= 0) ::close(value_);
  }
  ConsoleDescriptor(ConsoleDescriptor&& other) noexcept : value_(other.release()) {}
  ConsoleDescriptor& operator=(ConsoleDescriptor&&) = delete;

  int get() const { return value_; }
  // The caller closes it.
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

class Consoles {
 public:
  virtual ~Consoles() = default;

  // The path for DomainSpec.console_socket.
  virtual std::string socket_of(const InstanceUid& instance) const = 0;
  // Does not block. NotFound if there is no such domain, or it was started without a console.
  virtual absl::StatusOr<ConsoleDescriptor> open(const InstanceUid& instance) = 0;
};

}  // namespace stellwerk::hypervisor

#include "drivers/hypervisor/consoles.h"

#include <unistd.h>

namespace stellwerk::hypervisor {

ConsoleDescriptor::~ConsoleDescriptor() {
  if (value_ >= 0) ::close(value_);
}

}  // namespace stellwerk::hypervisor

// The sandbox's own libvirtd, which a test may kill, freeze and start again.
#pragma once

#include <sys/types.h>

#include <string>

namespace stellwerk::hypervisor {

class Libvirtd {
 public:
  // Writes its configuration and starts it; returns when it answers.
  Libvirtd();
  ~Libvirtd();
  Libvirtd(const Libvirtd&) = delete;
  Libvirtd& operator=(const Libvirtd&) = delete;

  void start();
  // With SIGKILL; returns when it is gone. Guests do not notice.
  void kill();
  void freeze();
  void thaw();

 private:
  pid_t pid_ = -1;
};

}  // namespace stellwerk::hypervisor

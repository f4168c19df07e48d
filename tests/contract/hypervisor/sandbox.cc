#include "sandbox.h"

#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace stellwerk::hypervisor {
namespace {

constexpr int kNoSandbox = 125;

void require(bool done, const char* what) {
  if (done) return;
  std::perror(what);
  _exit(kNoSandbox);
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) require(errno == EINTR, "waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// As the first process: orphans come to us, and libvirt takes an unreaped QEMU for a living one.
int reap_until_gone(pid_t child) {
  while (true) {
    int status = 0;
    const pid_t ended = wait(&status);
    if (ended != child) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
}

void mount_memory(const char* path) {
  require(mount("tmpfs", path, "tmpfs", 0, "mode=755") == 0, path);
}

std::string read_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// libvirt's QEMU driver asks for its user and group by name, even where it uses others.
void add_account(const char* path, std::string_view line) {
  const std::string copy = std::string(kSandboxFiles) + "/" + std::strrchr(path, '/');
  std::string content = read_file(path);
  if (content.find("libvirt-qemu:") == std::string::npos) content += line;
  std::ofstream(copy) << content;
  require(mount(copy.c_str(), path, nullptr, MS_BIND, nullptr) == 0, path);
}

void furnish() {
  require(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "private mounts");
  require(mount("proc", "/proc", "proc", 0, nullptr) == 0, "/proc");
  require(mount("sysfs", "/sys", "sysfs", 0, nullptr) == 0, "/sys");
  for (const char* path : {"/run", "/var/lib", "/var/cache", "/var/log", "/etc/libvirt"}) {
    mount_memory(path);
  }
  require(mkdir(kSandboxFiles, 0755) == 0, kSandboxFiles);
  add_account("/etc/passwd", "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin\n");
  add_account("/etc/group", "libvirt-qemu:x:64055:\n");
}

void raise_loopback() {
  const int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  require(ioctl(socket_fd, SIOCSIFFLAGS, &request) == 0, "loopback");
  close(socket_fd);
}

}  // namespace

void enter_sandbox() {
  require(unshare(CLONE_NEWPID) == 0, "unshare");
  const pid_t first = fork();
  require(first >= 0, "fork");
  if (first > 0) _exit(wait_for(first));
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  require(unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC) == 0, "unshare");
  require(sethostname("sandbox", 7) == 0, "host name");
  furnish();
  raise_loopback();
  const pid_t second = fork();
  require(second >= 0, "fork");
  if (second > 0) _exit(reap_until_gone(second));
}

}  // namespace stellwerk::hypervisor

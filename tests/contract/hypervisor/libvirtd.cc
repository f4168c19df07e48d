#include "libvirtd.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "../../support/eventually.h"

namespace stellwerk::hypervisor {
namespace {

constexpr char kProgram[] = "/usr/sbin/libvirtd";
constexpr char kConfiguration[] = "/etc/libvirt/libvirtd.conf";
constexpr char kOutput[] = "/var/log/libvirtd.out";
constexpr char kSocket[] = "/run/libvirt/libvirt-sock";

// For a machine without systemd, control groups and libvirt's own user.
constexpr char kQemuConf[] =
    "user = \"root\"\n"
    "group = \"root\"\n"
    "security_driver = \"none\"\n"
    "namespaces = []\n"
    "cgroup_controllers = []\n"
    "stdio_handler = \"file\"\n";
constexpr char kLibvirtdConf[] =
    "host_uuid = \"5e1f0000-0000-4000-8000-00000000beef\"\n"
    "auth_unix_rw = \"none\"\n"
    "auth_unix_ro = \"none\"\n";

bool answers() {
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, kSocket);
  const bool connected =
      connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(descriptor);
  return connected;
}

}  // namespace

Libvirtd::Libvirtd() {
  std::ofstream("/etc/libvirt/qemu.conf") << kQemuConf;
  std::ofstream(kConfiguration) << kLibvirtdConf;
  start();
}

Libvirtd::~Libvirtd() {
  if (pid_ > 0) kill();
}

void Libvirtd::start() {
  pid_ = fork();
  if (pid_ == 0) {
    const int output = open(kOutput, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execl(kProgram, kProgram, "-f", kConfiguration, "-p", "/run/libvirtd.pid", nullptr);
    std::perror(kProgram);
    _exit(127);
  }
  if (testing::eventually(answers)) return;
  std::ifstream log(kOutput);
  std::fprintf(stderr, "libvirtd does not answer:\n%s\n",
               std::string(std::istreambuf_iterator<char>(log), {}).c_str());
  std::abort();
}

void Libvirtd::kill() {
  ::kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  pid_ = -1;
}

void Libvirtd::freeze() {
  ::kill(pid_, SIGSTOP);
}

void Libvirtd::thaw() {
  ::kill(pid_, SIGCONT);
}

}  // namespace stellwerk::hypervisor

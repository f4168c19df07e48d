// A machine on which everything is in order, until a test spoils it.
#pragma once

#include <map>

#include "api/daemon/doctor/checks.h"

namespace stellwerk::daemon::doctor {

class FakeMachine final : public Machine {
 public:
  absl::StatusOr<std::string> read(const std::string& path) override {
    const auto found = texts.find(path);
    if (found != texts.end()) return found->second;
    return not_found("No such file or directory");
  }
  absl::StatusOr<FileFacts> look(const std::string& path) override {
    const auto found = files.find(path);
    if (found != files.end()) return found->second;
    return not_found("No such file or directory");
  }
  absl::Status open_device(const std::string&) override { return device; }
  absl::Status try_writing(const std::string&) override { return writing; }
  absl::StatusOr<Space> space(const std::string&) override { return room; }
  absl::StatusOr<bool> clock_is_synchronised() override { return synchronised; }
  absl::StatusOr<std::vector<Interface>> interfaces() override { return links; }
  absl::StatusOr<std::string> libvirt_version(const HypervisorConfig&) override { return libvirt; }
  absl::Status firewall() override { return filter; }
  absl::StatusOr<int> listener_of(const std::string&) override { return daemon; }
  bool group_exists(const std::string&) override { return group; }

  std::map<std::string, absl::StatusOr<std::string>> texts = {
      {"/proc/meminfo", "MemTotal:       16777216 kB\nMemFree: 1 kB\n"},
      {"/proc/42/limits",
       "Limit  Soft  Hard  Units\nMax open files            65536   65536   files\n"},
      {"/proc/42/exe", "/usr/local/bin/stellwerkd"},
      {"/proc/sys/net/ipv4/ip_forward", "0\n"}};
  std::map<std::string, absl::StatusOr<FileFacts>> files = {
      {"/", FileFacts{.directory = true, .mode = 0755}},
      {"/var", FileFacts{.directory = true, .mode = 0755}},
      {"/var/lib", FileFacts{.directory = true, .mode = 0755}},
      {"/var/lib/stellwerk", FileFacts{.directory = true, .mode = 0711}},
      {"/var/lib/stellwerk/storage", FileFacts{.directory = true, .mode = 0711}}};
  absl::Status device;
  absl::Status writing;
  absl::Status filter;
  absl::StatusOr<Space> room = Space{.available = gibibytes(50), .total = gibibytes(100)};
  absl::StatusOr<bool> synchronised = true;
  absl::StatusOr<std::vector<Interface>> links = std::vector<Interface>{
      {.name = "lo", .bridge = false, .up = true, .addresses = {IpAddress::v4(0x7f000001)}},
      {.name = "stellwerk0", .bridge = true, .up = true, .addresses = {IpAddress::v4(0x0A400001)}}};
  absl::StatusOr<std::string> libvirt = "libvirt 9.0.0, QEMU 7.2.0";
  absl::StatusOr<int> daemon = 42;
  bool group = true;
};

}  // namespace stellwerk::daemon::doctor

#include "drivers/hypervisor/libvirt/probe_initramfs.h"

#include <elf.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdint>

namespace stellwerk::hypervisor {
namespace {

// write(1, message, 30); reboot(LINUX_REBOOT_CMD_RESTART); and should that fail, pause() for ever:
// an init that returns panics the kernel. The message follows the code directly.
constexpr unsigned char kCode[] = {
    0xb8, 0x01, 0x00, 0x00, 0x00,              // mov eax, 1 (write)
    0xbf, 0x01, 0x00, 0x00, 0x00,              // mov edi, 1
    0x48, 0x8d, 0x35, 0x26, 0x00, 0x00, 0x00,  // lea rsi, [rip + 0x26] (message)
    0xba, 0x1e, 0x00, 0x00, 0x00,              // mov edx, 30
    0x0f, 0x05,                                // syscall
    0xb8, 0xa9, 0x00, 0x00, 0x00,              // mov eax, 169 (reboot)
    0xbf, 0xad, 0xde, 0xe1, 0xfe,              // mov edi, 0xfee1dead
    0xbe, 0x69, 0x19, 0x12, 0x28,              // mov esi, 0x28121969
    0xba, 0x67, 0x45, 0x23, 0x01,              // mov edx, 0x01234567
    0x0f, 0x05,                                // syscall
    0xb8, 0x22, 0x00, 0x00, 0x00,              // mov eax, 34 (pause)
    0x0f, 0x05,                                // syscall
    0xeb, 0xf7,                                // jmp to the pause again
};
static_assert(kProbeMarker.size() + 1 == 0x1e, "the length is an operand in kCode");
static_assert(sizeof(kCode) == 0x37, "the message's place is an operand in kCode");

constexpr uint64_t kLoadAddress = 0x400000;

template <class Header>
std::string bytes_of(const Header& header) {
  return {reinterpret_cast<const char*>(&header), sizeof header};
}

struct Entry {
  std::string name;
  uint32_t mode = 0;
  uint32_t device_major = 0;
  uint32_t device_minor = 0;
  std::string content = {};
};

void pad_to_four(std::string& archive) {
  archive.resize((archive.size() + 3) / 4 * 4);
}

void append(std::string& archive, const Entry& entry, uint32_t inode) {
  archive += fmt::format(
      "070701{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}", inode,
      entry.mode, 0, 0, 1, 0, entry.content.size(), 0, 0, entry.device_major, entry.device_minor,
      entry.name.size() + 1, 0);
  archive += entry.name;
  archive += '\0';
  pad_to_four(archive);
  archive += entry.content;
  pad_to_four(archive);
}

}  // namespace

std::string probe_program() {
  std::string message(kProbeMarker);
  message.push_back('\n');
  const uint64_t headers = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
  const uint64_t size = headers + sizeof kCode + message.size();
  Elf64_Ehdr file{};
  for (size_t i = 0; i < SELFMAG; ++i) file.e_ident[i] = static_cast<unsigned char>(ELFMAG[i]);
  file.e_ident[EI_CLASS] = ELFCLASS64;
  file.e_ident[EI_DATA] = ELFDATA2LSB;
  file.e_ident[EI_VERSION] = EV_CURRENT;
  file.e_type = ET_EXEC;
  file.e_machine = EM_X86_64;
  file.e_version = EV_CURRENT;
  file.e_entry = kLoadAddress + headers;
  file.e_phoff = sizeof file;
  file.e_ehsize = sizeof file;
  file.e_phentsize = sizeof(Elf64_Phdr);
  file.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_vaddr = kLoadAddress;
  segment.p_paddr = kLoadAddress;
  segment.p_filesz = size;
  segment.p_memsz = size;
  segment.p_align = 0x1000;
  return bytes_of(file) + bytes_of(segment) + bytes_of(kCode) + message;
}

std::string probe_initramfs() {
  std::string archive;
  append(archive, {.name = "dev", .mode = S_IFDIR | 0755}, 1);
  append(archive,
         {.name = "dev/console", .mode = S_IFCHR | 0600, .device_major = 5, .device_minor = 1}, 2);
  append(archive, {.name = "init", .mode = S_IFREG | 0755, .content = probe_program()}, 3);
  append(archive, {.name = "TRAILER!!!"}, 0);
  return archive;
}

}  // namespace stellwerk::hypervisor

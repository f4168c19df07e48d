#include "guests.h"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace stellwerk::hypervisor {
namespace {

constexpr size_t kSectorSize = 512;
constexpr size_t kDiskSize = 64 << 20;

// The BIOS loads a boot sector at 0x7c00 and enters it there in real mode. SeaBIOS puts ACPI's
// power-management registers at 0x600 on q35.
constexpr unsigned char kObedient[] = {
    0xfa,              // cli
    0x31, 0xc0,        // xor ax, ax
    0x8e, 0xd8,        // mov ds, ax
    0x8e, 0xd0,        // mov ss, ax
    0xbc, 0x00, 0x7c,  // mov sp, 0x7c00
    0xfb,              // sti
    0xfc,              // cld
    0xbe, 0x3a, 0x7c,  // mov si, greeting (directly after the code)
    0xac,              // next: lodsb
    0x84, 0xc0,        // test al, al
    0x74, 0x06,        // jz greeted
    0xba, 0xf8, 0x03,  // mov dx, 0x3f8 (first serial port)
    0xee,              // out dx, al
    0xeb, 0xf5,        // jmp next
    0xe4, 0xa1,        // greeted: in al, 0xa1
    0x0c, 0x02,        // or al, 2
    0xe6, 0xa1,        // out 0xa1, al (nobody serves the button's interrupt 9)
    0xba, 0x02, 0x06,  // mov dx, 0x602 (enable register)
    0xb8, 0x00, 0x01,  // mov ax, 0x100 (power button)
    0xef,              // out dx, ax
    0xf4,              // wait: hlt (until the timer's next tick)
    0xba, 0x00, 0x06,  // mov dx, 0x600 (status register)
    0xed,              // in ax, dx
    0xf6, 0xc4, 0x01,  // test ah, 1 (power button)
    0x74, 0xf6,        // jz wait
    0xba, 0x04, 0x06,  // mov dx, 0x604 (control register)
    0xb8, 0x00, 0x20,  // mov ax, 0x2000 (sleep, state S5)
    0xef,              // out dx, ax
    0xeb, 0xed,        // jmp wait
};
static_assert(sizeof(kObedient) == 0x3a, "the greeting's address is an operand in the code");

constexpr unsigned char kPanicking[] = {
    0xba, 0x05, 0x05,  // mov dx, 0x505 (pvpanic)
    0xb0, 0x01,        // mov al, 1 (the guest has panicked)
    0xee,              // out dx, al
    0xf4,              // sleep: hlt
    0xeb, 0xfd,        // jmp sleep
};

constexpr unsigned char kWriting[] = {
    0x31, 0xc0,                          // xor ax, ax
    0x8e, 0xd8,                          // mov ds, ax
    0x8e, 0xd0,                          // mov ss, ax
    0xbc, 0x00, 0x7c,                    // mov sp, 0x7c00
    0xbe, 0x1b, 0x7c,                    // next: mov si, packet
    0xb8, 0x00, 0x43,                    // mov ax, 0x4300 (extended write)
    0xb2, 0x80,                          // mov dl, 0x80 (first disk)
    0xcd, 0x13,                          // int 0x13
    0x66, 0x83, 0x06, 0x23, 0x7c, 0x40,  // add dword [packet.sector], 64
    0xeb, 0xee,                          // jmp next
    0x10, 0x00, 0x40, 0x00,              // packet: its size, 64 sectors
    0x00, 0x00, 0x00, 0x10,              // from 0x1000:0x0000
    0x01, 0x00, 0x00, 0x00,              // to this sector
    0x00, 0x00, 0x00, 0x00,
};

std::string boot_sector(std::string code) {
  code.resize(kSectorSize - 2);
  return code + "\x55\xaa";
}

}  // namespace

std::string obedient_guest() {
  return boot_sector(std::string(std::begin(kObedient), std::end(kObedient)) +
                     std::string(kGreeting));
}

std::string panicking_guest() {
  return boot_sector(std::string(std::begin(kPanicking), std::end(kPanicking)));
}

std::string writing_guest() {
  return boot_sector(std::string(std::begin(kWriting), std::end(kWriting)));
}

void write_disk(const std::string& path, const std::string& sector) {
  std::ofstream(path, std::ios::binary) << sector;
  std::filesystem::resize_file(path, kDiskSize);
}

}  // namespace stellwerk::hypervisor

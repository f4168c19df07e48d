#include "guests.h"

#include <fstream>
#include <iterator>

namespace stellwerk::hypervisor {
namespace {

constexpr size_t kSectorSize = 512;
constexpr size_t kDiskSize = 1 << 20;

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

void write_disk(const std::string& path, const std::string& sector) {
  std::string disk = sector;
  disk.resize(kDiskSize);
  std::ofstream(path, std::ios::binary) << disk;
}

}  // namespace stellwerk::hypervisor

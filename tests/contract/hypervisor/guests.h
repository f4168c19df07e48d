// Guests of one boot sector: they start in milliseconds under TCG and need next to no memory.
#pragma once

#include <string>
#include <string_view>

namespace stellwerk::hypervisor {

inline constexpr std::string_view kGreeting = "the guest is up\r\n";

// Greets on the serial port, then sleeps, and powers off when its ACPI power button is pressed.
std::string obedient_guest();

// Tells QEMU through its pvpanic device that its kernel has died.
std::string panicking_guest();

// Writes to its disk, 32 KiB after 32 KiB, until it is stopped.
std::string writing_guest();

// Makes a raw disk that boots from `sector`; the rest is a hole.
void write_disk(const std::string& path, const std::string& sector);

}  // namespace stellwerk::hypervisor

#include "orchestrator/agent/pins.h"

#include <algorithm>

namespace stellwerk::agent {
namespace {

using Cpus = std::vector<int32_t>;

bool overlap(const Cpus& a, const Cpus& b) {
  return std::ranges::any_of(a, [&b](int32_t cpu) { return std::ranges::find(b, cpu) != b.end(); });
}

}  // namespace

std::optional<hypervisor::CpuPins> wanted_pins(const Instance& instance, const Cpus& shared_cpus) {
  const auto vcpus = static_cast<size_t>(std::max<int64_t>(instance.vcpus.count(), 0));
  const Cpus& own = instance.claim.cpus;
  if (own.empty() || vcpus == 0) {
    if (shared_cpus.empty()) return std::nullopt;
    return hypervisor::CpuPins{.vcpus = std::vector<Cpus>(vcpus, shared_cpus),
                               .emulator = shared_cpus};
  }
  hypervisor::CpuPins pins;
  const size_t each = own.size() / vcpus;
  for (size_t i = 0; i < vcpus; ++i) {
    const auto first = own.begin() + static_cast<Cpus::difference_type>(i * each);
    Cpus cpus(first, first + static_cast<Cpus::difference_type>(each));
    // A claim that does not part evenly is nobody's mistake to die of: it is still this guest's.
    if (each == 0 || own.size() % vcpus != 0) cpus = own;
    std::ranges::sort(cpus);
    pins.vcpus.push_back(std::move(cpus));
  }
  pins.emulator = shared_cpus;
  if (pins.emulator.empty()) {
    pins.emulator = own;
    std::ranges::sort(pins.emulator);
  }
  return pins;
}

bool touches(const hypervisor::CpuPins& pins, const Cpus& cpus) {
  const auto reaches = [&cpus](const Cpus& each) {
    return each.empty() ? !cpus.empty() : overlap(each, cpus);
  };
  return reaches(pins.emulator) || std::ranges::any_of(pins.vcpus, reaches);
}

}  // namespace stellwerk::agent

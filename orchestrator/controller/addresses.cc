#include "orchestrator/controller/addresses.h"

namespace stellwerk::controller {
namespace {

// 52:54:00 is QEMU's customary prefix; the cell's counter fills the rest. Past 2^24 ports it goes
// on in the locally administered range 02:xx:….
constexpr uint64_t kFirstMac = 0x525400000000;
constexpr uint64_t kQemuMacs = uint64_t{1} << 24;
constexpr uint64_t kFirstLocalMac = 0x020000000000;

uint64_t mac_number(uint64_t count) {
  return count < kQemuMacs ? kFirstMac + count : kFirstLocalMac + (count - kQemuMacs);
}

}  // namespace

absl::StatusOr<Port> allocate_port(Network& network, const TakenAddresses& taken) {
  const uint32_t size = network.prefix_length == 0 ? 0 : 1u << (32 - network.prefix_length);
  const uint32_t first = network.subnet + 1;
  const uint32_t last = network.subnet + size - 2;
  uint32_t candidate = network.next_address;
  for (uint64_t tried = 0; tried <= last - first; ++tried, ++candidate) {
    if (candidate < first || candidate > last) {
      if (taken.incomplete && candidate > last) break;
      candidate = first;
    }
    if (candidate == network.gateway || taken.known.contains(candidate)) continue;
    network.next_address = candidate + 1;
    const uint64_t mac = mac_number(network.next_mac++);
    return Port{.network = network.uid, .mac = mac, .address = candidate};
  }
  return with_reason(
      resource_exhausted(
          "network {}: no address of {}/{} is free, {} are taken; delete instances or "
          "give the network a larger subnet",
          network.id, ipv4_to_string(network.subnet), network.prefix_length, taken.known.size()),
      "ADDRESSES_EXHAUSTED");
}

}  // namespace stellwerk::controller

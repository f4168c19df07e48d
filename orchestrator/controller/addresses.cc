#include "orchestrator/controller/addresses.h"

#include <algorithm>

namespace stellwerk::controller {
namespace {

// 52:54:00 is QEMU's customary prefix; the cell's counter fills the rest. Past 2^24 ports it goes
// on in the locally administered range 02:xx:….
constexpr uint64_t kFirstMac = 0x525400000000;
constexpr uint64_t kQemuMacs = uint64_t{1} << 24;
constexpr uint64_t kFirstLocalMac = 0x020000000000;

// The first address is the network's own (IPv6: the routers', RFC 4291), the last of IPv4 the
// broadcast.
IpAddress first_of(const Subnet& subnet) {
  return subnet.range.address.plus(1).value_or(subnet.range.address);
}
bool is_after_last(const Subnet& subnet, const IpAddress& address) {
  const IpAddress last = subnet.range.last();
  return address.is_v4() ? address >= last : address > last;
}

absl::Status exhausted(const Network& network, const Subnet& subnet,
                       const std::set<IpAddress>& known) {
  const auto count = std::ranges::count_if(
      known, [&subnet](const IpAddress& address) { return subnet.range.contains(address); });
  // How many others have of a network that all projects share is not for each to know.
  const std::string taken = network.project.is_nil() ? "" : fmt::format(", {} are taken", count);
  return with_reason(
      resource_exhausted("network {}: no address of {} is free{}; delete instances or make a "
                         "network with a larger subnet",
                         network.id, subnet.range.to_string(), taken),
      "ADDRESSES_EXHAUSTED");
}

// Every address tried is taken or the gateway, so the search ends one after all of them.
absl::StatusOr<IpAddress> next_free(const Network& network, Subnet& subnet,
                                    const TakenAddresses& taken) {
  const IpAddress first = first_of(subnet);
  std::optional<IpAddress> candidate = subnet.next.value_or(first);
  for (size_t tried = 0; tried <= taken.known.size() + 2; ++tried) {
    const bool past = !candidate || is_after_last(subnet, *candidate);
    if (past && taken.incomplete) break;
    if (past || *candidate < first) candidate = first;
    const IpAddress address = *candidate;
    candidate = address.plus(1);
    if (is_after_last(subnet, address)) break;
    if (address == subnet.gateway || taken.known.contains(address)) continue;
    subnet.next = candidate.value_or(first);
    return address;
  }
  return exhausted(network, subnet, taken.known);
}

const Subnet* subnet_of(const Network& network, const IpAddress& address) {
  const auto& subnet = address.is_v4() ? network.v4 : network.v6;
  return subnet && subnet->range.contains(address) ? &*subnet : nullptr;
}

std::string ranges_of(const Network& network) {
  std::string text;
  if (network.v4) text = network.v4->range.to_string();
  if (network.v6) text += (text.empty() ? "" : " and ") + network.v6->range.to_string();
  return text;
}

}  // namespace

absl::StatusOr<std::vector<IpAddress>> allocate_addresses(Network& network,
                                                          std::span<const IpAddress> chosen,
                                                          const TakenAddresses& taken) {
  std::vector<IpAddress> addresses;
  for (std::optional<Subnet>* subnet : {&network.v4, &network.v6}) {
    if (!*subnet) continue;
    const auto given = std::ranges::find_if(chosen, [&](const IpAddress& address) {
      return address.family() == (*subnet)->range.address.family();
    });
    if (given != chosen.end()) {
      addresses.push_back(*given);
      continue;
    }
    SW_ASSIGN_OR_RETURN(const IpAddress address, next_free(network, **subnet, taken));
    addresses.push_back(address);
  }
  return addresses;
}

std::optional<std::string> check_address(const Network& network, const IpAddress& address) {
  const Subnet* subnet = subnet_of(network, address);
  if (!subnet) {
    return fmt::format("{} is not of network {}, which has {}", address.to_string(), network.id,
                       ranges_of(network));
  }
  if (address == subnet->gateway) {
    return fmt::format("{} is the gateway of network {}; choose another", address.to_string(),
                       network.id);
  }
  if (address < first_of(*subnet) || is_after_last(*subnet, address)) {
    return fmt::format("{} is reserved in {}; choose one between its first and last",
                       address.to_string(), subnet->range.to_string());
  }
  return std::nullopt;
}

uint64_t mac_number(uint64_t count) {
  return count < kQemuMacs ? kFirstMac + count : kFirstLocalMac + (count - kQemuMacs);
}

}  // namespace stellwerk::controller

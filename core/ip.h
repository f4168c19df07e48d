// Internet addresses and ranges of them, of both families. Values, totally ordered (IPv4 before
// IPv6, then by number); pure, any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stellwerk {

class IpAddress {
 public:
  enum class Family : uint8_t { kV4, kV6 };

  // 0.0.0.0
  constexpr IpAddress() = default;
  static IpAddress v4(uint32_t number);  // host byte order: 0x0A000001 is 10.0.0.1
  static IpAddress v6(const std::array<uint8_t, 16>& bytes);
  // "10.0.0.7" or an address after RFC 4291, 2.2; no zone, no surrounding space.
  static std::optional<IpAddress> parse(std::string_view text);

  Family family() const { return family_; }
  bool is_v4() const { return family_ == Family::kV4; }
  // 32 or 128.
  int bits() const { return is_v4() ? 32 : 128; }
  // Network order; of IPv4 the first four.
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }
  // As RFC 5952 writes it.
  std::string to_string() const;

  // The address that lies `offset` above; none where the family ends.
  std::optional<IpAddress> plus(uint64_t offset) const;
  // How far this lies above `lower` of the same family; none below it, or beyond 64 bits.
  std::optional<uint64_t> minus(const IpAddress& lower) const;

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  Family family_ = Family::kV4;
  std::array<uint8_t, 16> bytes_{};
};

// The addresses that share their first `length` bits with `address`.
struct IpPrefix {
  IpAddress address;
  uint8_t length = 0;

  // "10.0.0.0/8"; the bits behind the length must be zero.
  static std::optional<IpPrefix> parse(std::string_view text);
  std::string to_string() const;

  bool contains(const IpAddress& other) const;
  bool overlaps(const IpPrefix& other) const;
  // The same range with zeros behind the length.
  IpPrefix normalized() const;
  IpAddress last() const;

  friend constexpr auto operator<=>(const IpPrefix&, const IpPrefix&) = default;
};

// Where a guest with this MAC finds itself without being told (RFC 4291, appendix A).
IpAddress link_local_of(uint64_t mac);

// Like IpPrefix::parse, but also with bits behind the length, so that what was meant can be named.
std::optional<IpPrefix> parse_range(std::string_view text);

}  // namespace stellwerk

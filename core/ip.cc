#include "core/ip.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/parse_number.h"

namespace stellwerk {
namespace {

// The bits of one byte that a prefix of `length` bits fixes, the byte being the `index`th.
uint8_t mask_byte(int length, size_t index) {
  const int bits = std::clamp(length - static_cast<int>(index) * 8, 0, 8);
  return static_cast<uint8_t>(0xff00 >> bits);
}

IpAddress with_bytes(IpAddress::Family family, const std::array<uint8_t, 16>& bytes) {
  if (family == IpAddress::Family::kV6) return IpAddress::v6(bytes);
  return IpAddress::v4(static_cast<uint32_t>(bytes[0]) << 24 |
                       static_cast<uint32_t>(bytes[1]) << 16 |
                       static_cast<uint32_t>(bytes[2]) << 8 | bytes[3]);
}

size_t size_of(const IpAddress& address) {
  return static_cast<size_t>(address.bits()) / 8;
}

}  // namespace

IpAddress IpAddress::v4(uint32_t number) {
  IpAddress address;
  for (size_t i = 0; i < 4; ++i) {
    address.bytes_[i] = static_cast<uint8_t>(number >> (24 - 8 * i) & 255);
  }
  return address;
}

IpAddress IpAddress::v6(const std::array<uint8_t, 16>& bytes) {
  IpAddress address;
  address.family_ = Family::kV6;
  address.bytes_ = bytes;
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  // inet_pton stops at a NUL and would never see what follows.
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  std::array<uint8_t, 16> bytes{};
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) {
    return with_bytes(Family::kV4, bytes);
  }
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return v6(bytes);
  return std::nullopt;
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
  return text.data();
}

std::optional<IpAddress> IpAddress::plus(uint64_t offset) const {
  std::array<uint8_t, 16> sum = bytes_;
  uint64_t carry = 0;
  for (size_t i = size_of(*this); i-- > 0;) {
    carry += sum[i] + (offset & 255);
    sum[i] = static_cast<uint8_t>(carry & 255);
    carry >>= 8;
    offset >>= 8;
  }
  if (carry != 0 || offset != 0) return std::nullopt;
  return with_bytes(family_, sum);
}

std::optional<uint64_t> IpAddress::minus(const IpAddress& lower) const {
  if (family_ != lower.family_ || *this < lower) return std::nullopt;
  uint64_t difference = 0;
  int borrow = 0;
  for (size_t i = size_of(*this); i-- > 0;) {
    int digit = bytes_[i] - lower.bytes_[i] - borrow;
    borrow = digit < 0 ? 1 : 0;
    digit += 256 * borrow;
    const size_t place = size_of(*this) - 1 - i;
    if (place < 8) {
      difference |= static_cast<uint64_t>(digit) << (8 * place);
    } else if (digit != 0) {
      return std::nullopt;
    }
  }
  return difference;
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  const auto prefix = parse_range(text);
  return prefix && prefix->normalized() == *prefix ? prefix : std::nullopt;
}

std::optional<IpPrefix> parse_range(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::parse(text.substr(0, slash));
  const auto length = parse_number<uint8_t>(text.substr(slash + 1));
  if (!address || !length || *length > address->bits()) return std::nullopt;
  return IpPrefix{*address, *length};
}

std::string IpPrefix::to_string() const {
  return fmt::format("{}/{}", address.to_string(), length);
}

bool IpPrefix::contains(const IpAddress& other) const {
  if (other.family() != address.family()) return false;
  return IpPrefix{other, length}.normalized().address == normalized().address;
}

bool IpPrefix::overlaps(const IpPrefix& other) const {
  return length <= other.length ? contains(other.address) : other.contains(address);
}

IpPrefix IpPrefix::normalized() const {
  std::array<uint8_t, 16> bytes = address.bytes();
  for (size_t i = 0; i < size_of(address); ++i) bytes[i] &= mask_byte(length, i);
  return {with_bytes(address.family(), bytes), length};
}

IpAddress IpPrefix::last() const {
  std::array<uint8_t, 16> bytes = address.bytes();
  for (size_t i = 0; i < size_of(address); ++i) {
    bytes[i] |= static_cast<uint8_t>(~mask_byte(length, i));
  }
  return with_bytes(address.family(), bytes);
}

IpAddress link_local_of(uint64_t mac) {
  const auto byte = [mac](int shift) { return static_cast<uint8_t>(mac >> shift & 255); };
  return IpAddress::v6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<uint8_t>(byte(40) ^ 2), byte(32),
                        byte(24), 0xff, 0xfe, byte(16), byte(8), byte(0)});
}

}  // namespace stellwerk

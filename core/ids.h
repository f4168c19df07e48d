// Identities. A `Uuid` is 128 bits; a `Uid<Tag>` is a Uuid that knows what it names; an
// `Ordinal<Tag>` is a counter that only grows. Values only, ordered, thread-safe.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stellwerk {

class Uuid {
 public:
  constexpr Uuid() = default;
  constexpr explicit Uuid(std::array<uint8_t, 16> bytes) : bytes_(bytes) {}

  // Accepts the 36-character form with dashes, either case; nothing else.
  static std::optional<Uuid> parse(std::string_view text);
  // RFC 9562 version 5: the same name in the same name space gives the same identity.
  static Uuid v5(const Uuid& name_space, std::string_view name);

  bool is_nil() const { return *this == Uuid(); }
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }
  std::string to_string() const;

  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;
  // As two words: compared byte by byte it becomes a call, on the way of every decision.
  friend constexpr bool operator==(const Uuid& a, const Uuid& b) {
    const auto of_a = std::bit_cast<Words>(a.bytes_);
    const auto of_b = std::bit_cast<Words>(b.bytes_);
    return of_a.first == of_b.first && of_a.second == of_b.second;
  }

 private:
  struct Words {
    uint64_t first;
    uint64_t second;
  };
  std::array<uint8_t, 16> bytes_{};
};

template <class Tag>
class Uid {
 public:
  constexpr Uid() = default;
  constexpr explicit Uid(Uuid value) : value_(value) {}
  static std::optional<Uid> parse(std::string_view text) {
    const auto value = Uuid::parse(text);
    return value ? std::optional(Uid(*value)) : std::nullopt;
  }

  const Uuid& value() const { return value_; }
  bool is_nil() const { return value_.is_nil(); }
  std::string to_string() const { return value_.to_string(); }
  friend constexpr auto operator<=>(const Uid&, const Uid&) = default;

 private:
  Uuid value_;
};

using CellUid = Uid<struct CellTag>;
using HostUid = Uid<struct HostTag>;
using ProjectUid = Uid<struct ProjectTag>;
using InstanceUid = Uid<struct InstanceTag>;
using ImageUid = Uid<struct ImageTag>;
using FlavorUid = Uid<struct FlavorTag>;
using NetworkUid = Uid<struct NetworkTag>;
using GroupUid = Uid<struct GroupTag>;
using SiteUid = Uid<struct SiteTag>;
using ZoneUid = Uid<struct ZoneTag>;
using RackUid = Uid<struct RackTag>;
using FeedUid = Uid<struct FeedTag>;
using RequestId = Uid<struct RequestTag>;

template <class Tag>
class Ordinal {
 public:
  constexpr Ordinal() = default;
  constexpr explicit Ordinal(uint64_t value) : value_(value) {}

  constexpr uint64_t value() const { return value_; }
  constexpr Ordinal next() const { return Ordinal(value_ + 1); }
  friend constexpr auto operator<=>(const Ordinal&, const Ordinal&) = default;

 private:
  uint64_t value_ = 0;
};

using Epoch = Ordinal<struct EpochTag>;            // one controller's term
using Sequence = Ordinal<struct SequenceTag>;      // position in the chain of commits
using Generation = Ordinal<struct GenerationTag>;  // of what the client wants of one instance

}  // namespace stellwerk

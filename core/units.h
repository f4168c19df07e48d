// Amounts of resources. Each has its own type, so that vCPUs never meet bytes; arithmetic stays
// within one type. Values are signed 64-bit; overflow is a broken invariant and aborts.
#pragma once

#include <compare>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace stellwerk {

template <class Tag>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(int64_t count) : count_(count) {}

  constexpr int64_t count() const { return count_; }

  friend constexpr auto operator<=>(const Quantity&, const Quantity&) = default;
  friend constexpr Quantity operator+(Quantity a, Quantity b) {
    int64_t sum = 0;
    if (__builtin_add_overflow(a.count_, b.count_, &sum)) std::abort();
    return Quantity(sum);
  }
  friend constexpr Quantity operator-(Quantity a, Quantity b) {
    int64_t difference = 0;
    if (__builtin_sub_overflow(a.count_, b.count_, &difference)) std::abort();
    return Quantity(difference);
  }
  friend constexpr Quantity operator*(Quantity a, int64_t factor) {
    int64_t product = 0;
    if (__builtin_mul_overflow(a.count_, factor, &product)) std::abort();
    return Quantity(product);
  }
  constexpr Quantity& operator+=(Quantity other) { return *this = *this + other; }
  constexpr Quantity& operator-=(Quantity other) { return *this = *this - other; }

 private:
  int64_t count_ = 0;
};

using Bytes = Quantity<struct BytesTag>;
using VcpuCount = Quantity<struct VcpuTag>;
using Milliwatts = Quantity<struct MilliwattsTag>;
using MegabitsPerSecond = Quantity<struct MegabitsPerSecondTag>;

constexpr Bytes kibibytes(int64_t n) {
  return Bytes(1024) * n;
}
constexpr Bytes mebibytes(int64_t n) {
  return kibibytes(1024) * n;
}
constexpr Bytes gibibytes(int64_t n) {
  return mebibytes(1024) * n;
}
// SCS counts disks in units of 10^9 bytes, memory in GiB.
constexpr Bytes gigabytes(int64_t n) {
  return Bytes(1'000'000'000) * n;
}

constexpr Milliwatts watts(int64_t n) {
  return Milliwatts(1000) * n;
}

// "1.5 GiB", "512 MiB", "17 bytes": the largest binary unit that keeps at least one whole.
std::string to_string(Bytes amount);
// "1.25 kW", "350 W", "12.5 W": at most three decimals, none that are zero.
std::string to_string(Milliwatts amount);
// "25 Gbit/s", "100 Mbit/s"
std::string to_string(MegabitsPerSecond amount);

}  // namespace stellwerk

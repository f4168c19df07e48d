#include "core/units.h"

#include <fmt/format.h>

#include <array>

namespace stellwerk {

std::string to_string(Bytes amount) {
  static constexpr std::array<const char*, 5> kNames = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(amount.count());
  size_t unit = 0;
  while ((value >= 1024 || value <= -1024) && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  const std::string number = fmt::format("{:.1f}", value);
  const bool whole = number.ends_with(".0");
  return fmt::format("{} {}", whole ? number.substr(0, number.size() - 2) : number, kNames[unit]);
}

namespace {

// "1.25", "350": at most three decimals, none that are zero. `scale` is a power of ten.
std::string decimal(int64_t count, int64_t scale) {
  std::string text = fmt::format("{:.3f}", static_cast<double>(count) / static_cast<double>(scale));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace

std::string to_string(Milliwatts amount) {
  const int64_t count = amount.count();
  if (count >= 1'000'000 || count <= -1'000'000) return decimal(count, 1'000'000) + " kW";
  return decimal(count, 1000) + " W";
}

std::string to_string(MegabitsPerSecond amount) {
  const int64_t count = amount.count();
  if (count >= 1000 || count <= -1000) return decimal(count, 1000) + " Gbit/s";
  return fmt::format("{} Mbit/s", count);
}

}  // namespace stellwerk

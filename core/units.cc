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

}  // namespace stellwerk

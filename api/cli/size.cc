#include "api/cli/size.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

#include "core/validate.h"

namespace stellwerk::cli {
namespace {

struct Unit {
  std::string_view name;
  int64_t bytes;
};

constexpr int64_t kKi = 1024;
constexpr int64_t kK = 1000;
constexpr std::array<Unit, 13> kUnits = {{{"b", 1},
                                          {"k", kKi},
                                          {"m", kKi* kKi},
                                          {"g", kKi* kKi* kKi},
                                          {"t", kKi* kKi* kKi* kKi},
                                          {"kib", kKi},
                                          {"mib", kKi* kKi},
                                          {"gib", kKi* kKi* kKi},
                                          {"tib", kKi* kKi* kKi* kKi},
                                          {"kb", kK},
                                          {"mb", kK* kK},
                                          {"gb", kK* kK* kK},
                                          {"tb", kK* kK* kK* kK}}};

std::optional<int64_t> bytes_of_unit(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const Unit& unit : kUnits) {
    if (unit.name == lower) return unit.bytes;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<Bytes> parse_size(std::string_view text) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::result_out_of_range) {
    return invalid_argument("{} is more than can be counted", quoted(text));
  }
  if (error != std::errc() || number < 0) {
    return invalid_argument("{} is not a size; write a whole number and a unit, such as 20GiB",
                            quoted(text));
  }
  const std::string_view unit(rest, static_cast<size_t>(end - rest));
  if (unit.empty()) {
    return invalid_argument("{} has no unit; write {}GiB or {}MiB", quoted(text), number, number);
  }
  if (unit.front() == '.' || unit.front() == ',') {
    return invalid_argument("{} is not a whole number; use a smaller unit, such as 1536MiB",
                            quoted(text));
  }
  const auto factor = bytes_of_unit(unit);
  if (!factor) {
    return invalid_argument("{} has the unknown unit {}; use KiB, MiB, GiB, TiB, or MB, GB, TB",
                            quoted(text), quoted(unit));
  }
  int64_t bytes = 0;
  if (__builtin_mul_overflow(number, *factor, &bytes)) {
    return invalid_argument("{} is more than can be counted", quoted(text));
  }
  return Bytes(bytes);
}

}  // namespace stellwerk::cli

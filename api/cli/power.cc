#include "api/cli/power.h"

#include <charconv>
#include <optional>

#include "core/validate.h"

namespace stellwerk::cli {
namespace {

constexpr int64_t kMostShown = INT64_MAX / 1000;

std::optional<int64_t> watts_of_unit(std::string_view unit) {
  std::string lower(unit);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (lower == "w") return 1;
  if (lower == "kw") return 1'000;
  if (lower == "mw") return 1'000'000;
  return std::nullopt;
}

std::string check_power(const std::string& text) {
  const auto power = parse_power(text);
  return power.ok() ? "" : std::string(message_of(power.status()));
}

std::string check_power_or_none(const std::string& text) {
  return text == "none" ? "" : check_power(text);
}

}  // namespace

absl::StatusOr<Milliwatts> parse_power(std::string_view text) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::result_out_of_range) {
    return invalid_argument("{} is more than can be counted", quoted(text));
  }
  const std::string_view unit(rest, static_cast<size_t>(end - rest));
  if (error != std::errc() || number < 0) {
    return invalid_argument("{} is no power; write a whole number and a unit, such as 8kW",
                            quoted(text));
  }
  if (unit.starts_with('.') || unit.starts_with(',')) {
    return invalid_argument("{} is not a whole number; use a smaller unit, such as 1500W",
                            quoted(text));
  }
  const auto factor = watts_of_unit(unit);
  if (!factor) {
    return invalid_argument("{} {}; use W, kW or MW", quoted(text),
                            unit.empty() ? "has no unit" : "has an unknown unit");
  }
  int64_t milliwatts = 0;
  if (__builtin_mul_overflow(number, *factor * 1'000, &milliwatts)) {
    return invalid_argument("{} is more than can be counted", quoted(text));
  }
  return Milliwatts(milliwatts);
}

std::string power_text(int64_t watts) {
  // Only a hostile answer is that large.
  if (watts > kMostShown || watts < -kMostShown) return "?";
  return to_string(Milliwatts(watts * 1'000));
}

CLI::Option* add_power(CLI::App* verb, const char* name, std::string& value, const char* help) {
  return verb->add_option(name, value, help)
      ->type_name("POWER")
      ->check(CLI::Validator(check_power, ""));
}

CLI::Option* add_power_or_none(CLI::App* verb, const char* name, std::string& value,
                               const char* help) {
  return verb->add_option(name, value, help)
      ->type_name("POWER")
      ->check(CLI::Validator(check_power_or_none, ""));
}

int64_t watts_of(const std::string& power) {
  const auto parsed = parse_power(power);
  return parsed.ok() ? parsed->count() / 1'000 : 0;
}

}  // namespace stellwerk::cli

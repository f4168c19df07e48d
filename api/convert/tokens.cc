#include "api/convert/tokens.h"

#include <optional>

#include "core/parse_number.h"
#include "core/validate.h"

namespace stellwerk::convert {
namespace {

constexpr size_t kUuidLength = 36;

absl::Status not_a_token(std::string_view token) {
  return invalid_argument("{} is not a token of this server; give one as it was received, or none",
                          quoted(token));
}

// What follows the cell and its colon.
absl::StatusOr<std::string_view> after_cell(std::string_view token, const CellUid& cell) {
  const std::optional<CellUid> named = CellUid::parse(token.substr(0, kUuidLength));
  if (!named || token.size() <= kUuidLength || token[kUuidLength] != ':') {
    return not_a_token(token);
  }
  if (*named != cell) {
    return with_reason(
        invalid_argument("the token was made by cell {}, this is cell {}; list, then watch from "
                         "an empty token",
                         named->to_string(), cell.to_string()),
        "TOKEN_OF_ANOTHER_CELL");
  }
  return token.substr(kUuidLength + 1);
}

}  // namespace

std::string format_event_token(const CellUid& cell, Sequence sequence) {
  return fmt::format("{}:{}", cell.to_string(), sequence.value());
}

absl::StatusOr<Sequence> parse_event_token(std::string_view token, const CellUid& cell) {
  SW_ASSIGN_OR_RETURN(const std::string_view rest, after_cell(token, cell));
  const auto number = parse_number<uint64_t>(rest);
  if (!number) return not_a_token(token);
  return Sequence(*number);
}

std::string format_event_page_token(const CellUid& cell, const EventPlace& place) {
  std::string token = format_event_token(cell, place.after);
  if (place.skip > 0) token += fmt::format(":{}", place.skip);
  return token;
}

absl::StatusOr<EventPlace> parse_event_page_token(std::string_view token, const CellUid& cell) {
  SW_ASSIGN_OR_RETURN(const std::string_view rest, after_cell(token, cell));
  const size_t colon = rest.find(':');
  const auto after = parse_number<uint64_t>(rest.substr(0, colon));
  const std::optional<uint64_t> skip =
      colon == std::string_view::npos ? 0 : parse_number<uint64_t>(rest.substr(colon + 1));
  if (!after || !skip) return not_a_token(token);
  return EventPlace{.after = Sequence(*after), .skip = *skip};
}

}  // namespace stellwerk::convert

// Errors as values. Every fallible function of ours returns absl::Status or absl::StatusOr; the
// codes are gRPC's. A message says what is wrong, which thing, and what would do.
//
// Two kinds of detail ride on a status as payloads, so that inner folders need no protobuf:
// a machine-readable reason (becomes google.rpc.ErrorInfo.reason) and field violations
// (become google.rpc.BadRequest). Thread-safe: values only.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stellwerk {

// Debian builds absl with its own string_view; these two functions are the only bridge.
inline absl::string_view to_absl(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::string_view message_of(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

inline absl::Status make_status(absl::StatusCode code, std::string_view message) {
  return absl::Status(code, to_absl(message));
}

template <class... Args>
absl::Status invalid_argument(fmt::format_string<Args...> text, Args&&... args) {
  return make_status(absl::StatusCode::kInvalidArgument,
                     fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
absl::Status not_found(fmt::format_string<Args...> text, Args&&... args) {
  return make_status(absl::StatusCode::kNotFound, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
absl::Status already_exists(fmt::format_string<Args...> text, Args&&... args) {
  return make_status(absl::StatusCode::kAlreadyExists,
                     fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
absl::Status failed_precondition(fmt::format_string<Args...> text, Args&&... args) {
  return make_status(absl::StatusCode::kFailedPrecondition,
                     fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
absl::Status resource_exhausted(fmt::format_string<Args...> text, Args&&... args) {
  return make_status(absl::StatusCode::kResourceExhausted,
                     fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
absl::Status unavailable(fmt::format_string<Args...> text, Args&&... args) {
  return make_status(absl::StatusCode::kUnavailable,
                     fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
absl::Status aborted(fmt::format_string<Args...> text, Args&&... args) {
  return make_status(absl::StatusCode::kAborted, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
absl::Status out_of_range(fmt::format_string<Args...> text, Args&&... args) {
  return make_status(absl::StatusCode::kOutOfRange, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
absl::Status permission_denied(fmt::format_string<Args...> text, Args&&... args) {
  return make_status(absl::StatusCode::kPermissionDenied,
                     fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
absl::Status deadline_exceeded(fmt::format_string<Args...> text, Args&&... args) {
  return make_status(absl::StatusCode::kDeadlineExceeded,
                     fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
absl::Status data_loss(fmt::format_string<Args...> text, Args&&... args) {
  return make_status(absl::StatusCode::kDataLoss, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
absl::Status internal_error(fmt::format_string<Args...> text, Args&&... args) {
  return make_status(absl::StatusCode::kInternal, fmt::format(text, std::forward<Args>(args)...));
}

// The same code and payloads with `context` and a colon before the message.
absl::Status annotate(const absl::Status& status, std::string_view context);

// One mistake in a request: `field` is the path in the caller's terms (`ssh_keys[2]`).
struct FieldViolation {
  std::string field;
  std::string description;
  friend bool operator==(const FieldViolation&, const FieldViolation&) = default;
};

// A field that was found wrong already is not named a second time.
void add_once(std::vector<FieldViolation>& violations, std::string field, std::string description);

// InvalidArgument that names every mistake. `violations` must not be empty.
absl::Status invalid_fields(const std::vector<FieldViolation>& violations);
std::vector<FieldViolation> violations_of(const absl::Status& status);

// `reason` is UPPER_SNAKE_CASE, at most 63 characters, stable: clients switch on it.
absl::Status with_reason(absl::Status status, std::string_view reason);
std::optional<std::string> reason_of(const absl::Status& status);

// The message of `status` as what is wrong with `field`; its reason stays.
absl::Status in_field(const absl::Status& status, std::string_view field);

// "INVALID_ARGUMENT: text", for logs and tests.
std::string describe(const absl::Status& status);

}  // namespace stellwerk

// The lhs may be a declaration: SW_ASSIGN_OR_RETURN(auto page, store.scan(range));
#define SW_CONCAT_INNER(a, b) a##b
#define SW_CONCAT(a, b) SW_CONCAT_INNER(a, b)
#define SW_RETURN_IF_ERROR(expression)                                            \
  do {                                                                            \
    if (absl::Status sw_status = (expression); !sw_status.ok()) return sw_status; \
  } while (false)
#define SW_ASSIGN_OR_RETURN(lhs, expression) \
  SW_ASSIGN_OR_RETURN_INNER(SW_CONCAT(sw_result_, __LINE__), lhs, expression)
#define SW_ASSIGN_OR_RETURN_INNER(result, lhs, expression) \
  auto result = (expression);                              \
  if (!result.ok()) return result.status();                \
  lhs = std::move(result).value()

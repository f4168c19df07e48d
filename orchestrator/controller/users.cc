#include "orchestrator/controller/users.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace stellwerk::controller {

std::string few_of(std::string_view noun, const std::vector<std::string>& ids) {
  if (ids.empty()) return {};
  const size_t named = std::min(ids.size(), kMostNamed);
  std::string text = fmt::format("{} {}{}: {}", ids.size(), noun, ids.size() == 1 ? "" : "s",
                                 fmt::join(ids.begin(), ids.begin() + named, ", "));
  if (ids.size() > named) text += fmt::format(" and {} more", ids.size() - named);
  return text;
}

absl::Status refuse_for(std::string_view what, std::vector<std::string> users) {
  std::erase(users, "");
  if (users.empty()) return absl::OkStatus();
  return failed_precondition("{} has {}", what, fmt::join(users, "; "));
}

absl::Status refuse_if_unreadable(std::string_view what, std::string_view prefix,
                                  const Ledger& ledger) {
  const auto& invalid = ledger.state().invalid;
  const auto first = invalid.lower_bound(std::string(prefix));
  if (first == invalid.end() || !first->first.starts_with(prefix)) return absl::OkStatus();
  return with_reason(
      failed_precondition("{} may still have {}, which cannot be read; restore it from a backup "
                          "first",
                          what, first->first),
      "RECORD_UNREADABLE");
}

}  // namespace stellwerk::controller

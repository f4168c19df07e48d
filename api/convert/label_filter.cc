// The filter of lists: a small part of aip.dev/160, equality of labels alone.
#include <fmt/format.h>

#include "api/convert/instance_fields.h"
#include "core/validate.h"

namespace stellwerk::convert {
namespace {

constexpr size_t kLongestFilter = 8192;
constexpr std::string_view kAnd = " AND ";
constexpr std::string_view kLabels = "labels.";

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::string_view unquoted(std::string_view value) {
  const bool quotes = value.size() >= 2 && value.starts_with('"') && value.ends_with('"');
  return quotes ? value.substr(1, value.size() - 2) : value;
}

// Keys and values hold neither '=' nor '"', so the first '=' parts them.
void read_term(RequestReader& reader, std::string_view term, Labels& labels) {
  const size_t equals = term.find('=');
  const std::string_view left = trimmed(term.substr(0, equals));
  if (equals == std::string_view::npos || !left.starts_with(kLabels) ||
      trimmed(term.substr(equals + 1)).empty()) {
    return reader.add("filter",
                      fmt::format("{} is not understood; write labels.KEY=VALUE, several joined by "
                                  "\" AND \", and \"\" for an empty value",
                                  quoted(term)));
  }
  const std::string key(left.substr(kLabels.size()));
  const std::string value(unquoted(trimmed(term.substr(equals + 1))));
  if (const Problem problem = check_label(key, value)) return reader.add("filter", *problem);
  const auto [found, is_new] = labels.emplace(key, value);
  if (!is_new && found->second != value) {
    reader.add("filter", fmt::format("asks for two values of the label {}", quoted(key)));
  }
}

}  // namespace

Labels read_label_filter(RequestReader& reader, std::string_view filter) {
  Labels labels;
  if (filter.empty()) return labels;
  if (filter.size() > kLongestFilter) {
    reader.add("filter",
               fmt::format("has {} bytes; at most {} are allowed", filter.size(), kLongestFilter));
    return labels;
  }
  for (;;) {
    const size_t end = filter.find(kAnd);
    read_term(reader, filter.substr(0, end), labels);
    if (end == std::string_view::npos) return labels;
    filter.remove_prefix(end + kAnd.size());
  }
}

}  // namespace stellwerk::convert

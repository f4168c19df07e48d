#include "api/cli/json.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>

#include "api/client/text.h"

namespace stellwerk::cli {
namespace {

std::string escaped(char32_t value) {
  const auto number = static_cast<uint32_t>(value);
  if (number < 0x10000) return fmt::format("\\u{:04x}", number);
  const uint32_t rest = number - 0x10000;
  return fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
}

// Only strings of JSON can hold such characters, but for the newlines of the layout.
std::string without_controls(const std::string& json) {
  std::string result;
  result.reserve(json.size());
  for (size_t at = 0; at < json.size();) {
    const client::CodePoint point = client::decode_utf8(std::string_view(json).substr(at));
    const size_t length = std::max<size_t>(point.length, 1);
    if (point.value != '\n' && client::is_unprintable(point.value)) {
      result += escaped(point.value);
    } else {
      result += json.substr(at, length);
    }
    at += length;
  }
  return result;
}

}  // namespace

std::string to_json(const google::protobuf::Message& message, JsonLayout layout) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.add_whitespace = layout == JsonLayout::kIndented;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  // Messages of this API always have a JSON form, unless a Timestamp is out of range.
  if (!status.ok()) return fmt::format("{{\"error\":\"the answer has no JSON form\"}}\n");
  while (text.ends_with('\n')) text.pop_back();
  return without_controls(text);
}

}  // namespace stellwerk::cli

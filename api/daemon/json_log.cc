#include "api/daemon/json_log.h"

#include <spdlog/formatter.h>
#include <spdlog/spdlog.h>

#include <cctype>
#include <nlohmann/json.hpp>
#include <optional>

namespace stellwerk::daemon {
namespace {

bool is_key_character(char c) {
  return std::islower(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// The length of a key at the beginning of `text`, without its '='; zero: there is none.
size_t key_length(std::string_view text) {
  size_t length = 0;
  while (length < text.size() && is_key_character(text[length])) ++length;
  return length < text.size() && text[length] == '=' ? length : 0;
}

// Takes a value from the beginning of `text`. Nothing: its quotation mark is not closed.
std::optional<std::string> take_value(std::string_view& text) {
  std::string value;
  if (!text.starts_with('"')) {
    const size_t end = std::min(text.find(' '), text.size());
    value = text.substr(0, end);
    text.remove_prefix(end);
    return value;
  }
  for (size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '"') {
      text.remove_prefix(at + 1);
      return value;
    }
    if (text[at] == '\\' && text.substr(at + 1).starts_with('"')) ++at;
    value += text[at];
  }
  return std::nullopt;
}

// Nothing: `text` is not all fields.
std::optional<std::vector<std::pair<std::string, std::string>>> read_fields(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> fields;
  while (!text.empty()) {
    const size_t length = key_length(text);
    if (length == 0) return std::nullopt;
    const std::string key(text.substr(0, length));
    text.remove_prefix(length + 1);
    auto value = take_value(text);
    if (!value || !(text.empty() || text.starts_with(' '))) return std::nullopt;
    if (!text.empty()) text.remove_prefix(1);
    fields.emplace_back(key, *std::move(value));
  }
  return fields;
}

class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const auto level = spdlog::level::to_string_view(message.level);
    const std::string line = json_log_line(std::chrono::time_point_cast<Duration>(message.time),
                                           {level.data(), level.size()},
                                           {message.payload.data(), message.payload.size()});
    out.append(line.data(), line.data() + line.size());
    out.push_back('\n');
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }
};

std::string time_text(WallTime time) {
  const std::string seconds = to_rfc3339(time);
  const auto fraction =
      time.time_since_epoch() - std::chrono::floor<std::chrono::seconds>(time.time_since_epoch());
  return fmt::format("{}.{:06}Z", std::string_view(seconds).substr(0, seconds.size() - 1),
                     fraction.count());
}

}  // namespace

LogLine read_log_line(std::string_view text) {
  for (size_t space = text.find(' '); space != std::string_view::npos;
       space = text.find(' ', space + 1)) {
    const std::string_view rest = text.substr(space + 1);
    if (key_length(rest) == 0) continue;
    auto fields = read_fields(rest);
    if (!fields) break;
    return {.message = std::string(text.substr(0, space)), .fields = *std::move(fields)};
  }
  return {.message = std::string(text), .fields = {}};
}

std::string json_log_line(WallTime time, std::string_view level, std::string_view text) {
  LogLine line = read_log_line(text);
  nlohmann::ordered_json json = {
      {"time", time_text(time)}, {"level", level}, {"message", std::move(line.message)}};
  // The first of two fields with one name is the one that our own text begins with.
  for (auto& [key, value] : line.fields) json["fields"].emplace(key, std::move(value));
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::unique_ptr<spdlog::formatter> make_json_formatter() {
  return std::make_unique<JsonFormatter>();
}

}  // namespace stellwerk::daemon

#include "api/cli/yaml.h"

#include <yaml-cpp/emitter.h>
#include <yaml-cpp/emittermanip.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "api/client/text.h"

namespace stellwerk::cli {
namespace {

using Json = nlohmann::ordered_json;

bool is_plain_character(unsigned char c) {
  return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '/';
}

// What YAML 1.1 reads as null or a boolean, in whatever case.
bool is_word_of_yaml(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kWords = {"null", "true", "false", "yes", "no",
                                                             "on",   "off",  "y",     "n"};
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::ranges::find(kWords, lower) != kWords.end();
}

// Numbers, dates and times begin with a digit, a sign or a dot.
bool is_plain(std::string_view text) {
  if (text.empty() || !(std::isalpha(static_cast<unsigned char>(text[0])) || text[0] == '/')) {
    return false;
  }
  return std::ranges::all_of(text, is_plain_character) && !is_word_of_yaml(text);
}

bool is_printable(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const client::CodePoint point = client::decode_utf8(text.substr(at));
    if (point.length == 0 || client::is_unprintable(point.value)) return false;
    at += point.length;
  }
  return true;
}

void emit_text(YAML::Emitter& out, const std::string& text) {
  if (!is_plain(text)) out << YAML::DoubleQuoted;
  if (!is_printable(text)) out << YAML::EscapeNonAscii;
  out << text;
}

void emit(YAML::Emitter& out, const Json& value) {
  switch (value.type()) {
    case Json::value_t::object:
      if (value.empty()) out << YAML::Flow;
      out << YAML::BeginMap;
      for (const auto& [key, member] : value.items()) {
        out << YAML::Key;
        emit_text(out, key);
        out << YAML::Value;
        emit(out, member);
      }
      out << YAML::EndMap;
      return;
    case Json::value_t::array:
      if (value.empty()) out << YAML::Flow;
      out << YAML::BeginSeq;
      for (const Json& element : value) emit(out, element);
      out << YAML::EndSeq;
      return;
    case Json::value_t::string:
      emit_text(out, value.get_ref<const std::string&>());
      return;
    case Json::value_t::null:
      out << YAML::Null;
      return;
    case Json::value_t::boolean:
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float:
    case Json::value_t::binary:
    case Json::value_t::discarded:
      // JSON's word is YAML's, too; the emitter takes it as it is.
      out << value.dump();
      return;
  }
}

}  // namespace

std::string yaml_of_json(std::string_view json) {
  YAML::Emitter out;
  emit(out, Json::parse(json));
  return out.c_str();
}

}  // namespace stellwerk::cli

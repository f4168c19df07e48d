#include "core/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace stellwerk {
namespace {

constexpr size_t kLongestShown = 40;
constexpr size_t kLongestLabel = 63;
constexpr size_t kLongestSshKey = 8192;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_letter_or_digit(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

// The length of the UTF-8 sequence at the beginning of `text`; 0 if it is not valid (RFC 3629).
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;  // overlong
    if (first == 0xF4 && byte(1) > 0x8F) return 0;  // beyond U+10FFFF
    return 4;
  }
  return 0;
}

Problem check_label_key(std::string_view key) {
  const bool allowed = std::all_of(key.begin(), key.end(), [](char c) {
    return is_lower_or_digit(c) || c == '-' || c == '_' || c == '.' || c == '/';
  });
  const bool ends = !key.empty() && is_lower_or_digit(key.front()) && is_lower_or_digit(key.back());
  if (ends && key.size() <= kLongestLabel && allowed) return std::nullopt;
  return "the key is not 1 to 63 of a-z, 0-9, '-', '_', '.', '/', beginning and ending with a "
         "letter or digit";
}

// As tools that select by labels expect them: no quoting is ever needed.
Problem check_label_value(std::string_view value) {
  const bool allowed = std::all_of(value.begin(), value.end(), [](char c) {
    return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
  });
  const bool ends =
      value.empty() || (is_letter_or_digit(value.front()) && is_letter_or_digit(value.back()));
  if (allowed && ends && value.size() <= kLongestLabel) return std::nullopt;
  return fmt::format(
      "the value is {}; use up to 63 letters, digits, '-', '_' and '.', beginning and ending with "
      "a letter or digit",
      quoted(value));
}

}  // namespace

std::string shortened(std::string_view text, size_t limit) {
  if (text.size() <= limit) return std::string(text);
  size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

std::string Quote::operator()(std::string_view text) const {
  std::string shown = "\"";
  for (const char c : text.substr(0, kLongestShown)) {
    if (c >= ' ' && c <= '~' && c != '"' && c != '\\') {
      shown += c;
    } else {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  shown += '"';
  if (text.size() > kLongestShown) shown += fmt::format("… ({} bytes)", text.size());
  return shown;
}

Problem check_dns_label(std::string_view text) {
  if (text.empty()) return "is missing; give 1 to 63 of a-z, 0-9 and '-'";
  const bool allowed = std::all_of(text.begin(), text.end(),
                                   [](char c) { return is_lower_or_digit(c) || c == '-'; });
  const bool ends = is_lower_or_digit(text.front()) && is_lower_or_digit(text.back());
  if (allowed && ends && text.size() <= kLongestLabel) return std::nullopt;
  return fmt::format(
      "{} is not a DNS label; use 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter "
      "or digit",
      quoted(text));
}

Problem check_flavor_id(std::string_view id) {
  if (id.empty()) return "is missing; give an SCS name such as SCS-2V-8 or one of your own";
  const bool allowed = std::all_of(id.begin(), id.end(), [](char c) {
    return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
  });
  if (allowed && is_letter_or_digit(id.front()) && id.size() <= kLongestLabel) {
    return std::nullopt;
  }
  return fmt::format(
      "{} is not a flavor's id; use 1 to 63 of A-Z, a-z, 0-9, '.', '_', '-', beginning with a "
      "letter or digit",
      quoted(id));
}

Problem check_display_text(std::string_view text, size_t limit) {
  if (text.size() > limit) {
    return fmt::format("has {} bytes; at most {} are allowed", text.size(), limit);
  }
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text.substr(at));
    if (length == 0) return fmt::format("is not valid UTF-8 at byte {}", at);
    const unsigned char c = text[at];
    const bool c1_control =
        length == 2 && c == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0;
    if (c < 0x20 || c == 0x7F || c1_control) {
      return fmt::format("holds a control character at byte {}; remove it", at);
    }
    at += length;
  }
  return std::nullopt;
}

Problem check_ssh_key(std::string_view text) {
  static constexpr std::array<std::string_view, 7> kTypes = {"ssh-ed25519",
                                                             "ssh-rsa",
                                                             "ecdsa-sha2-nistp256",
                                                             "ecdsa-sha2-nistp384",
                                                             "ecdsa-sha2-nistp521",
                                                             "sk-ssh-ed25519@openssh.com",
                                                             "sk-ecdsa-sha2-nistp256@openssh.com"};
  if (const Problem problem = check_display_text(text, kLongestSshKey)) return problem;
  const size_t space = text.find(' ');
  const std::string_view type = text.substr(0, space);
  if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) {
    return fmt::format(
        "begins with {}, which is no key type; give one line of a .pub file, such "
        "as \"ssh-ed25519 AAAA… comment\"",
        quoted(type));
  }
  if (space == std::string_view::npos) return "has no key after its type";
  const std::string_view rest = text.substr(space + 1);
  const std::string_view key = rest.substr(0, rest.find(' '));
  const bool base64 = std::all_of(key.begin(), key.end(), [](char c) {
    return is_letter_or_digit(c) || c == '+' || c == '/' || c == '=';
  });
  // Every key begins with the length of its type, so with "AAAA".
  if (base64 && key.size() >= 16 && key.starts_with("AAAA")) return std::nullopt;
  return "is not base64 after the key type; copy the whole line of the .pub file";
}

Problem check_label(std::string_view key, std::string_view value) {
  if (const Problem problem = check_label_key(key)) return problem;
  return check_label_value(value);
}

Problem check_user_data(std::string_view text) {
  if (text.size() > kMostUserData) {
    return fmt::format("has {} bytes; at most {} are allowed; fetch the rest from inside the guest",
                       text.size(), kMostUserData);
  }
  if (text.find('\0') != std::string_view::npos) return "holds a NUL byte; give text";
  return std::nullopt;
}

}  // namespace stellwerk

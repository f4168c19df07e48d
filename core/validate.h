// What a caller may ask for: limits, and what a text must look like. Each check returns what is
// wrong and what would do, or nothing; texts that came from outside are shown escaped and
// shortened, never raw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stellwerk {

// Of a flavor whose name is no SCS name; those say their size themselves.
inline constexpr int64_t kMostVcpus = 1024;
// Of one resource.
inline constexpr size_t kMostLabels = 64;
// Of one instance.
inline constexpr size_t kMostSshKeys = 32;
inline constexpr size_t kMostNetworkInterfaces = 8;
inline constexpr size_t kMostIngressRules = 32;
inline constexpr size_t kMostUserData = 64 * 1024;  // bytes
inline constexpr int64_t kLargestPage = 1000;
// Linux's IFNAMSIZ less the NUL.
inline constexpr size_t kLongestInterfaceName = 15;

using Problem = std::optional<std::string>;

// RFC 1123 label: 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit.
Problem check_dns_label(std::string_view text);
// 1 to 63 of A-Z, a-z, 0-9, '.', '_', '-', beginning with a letter or digit.
Problem check_flavor_id(std::string_view id);
// Valid UTF-8 without control characters, at most `limit` bytes; may be empty.
Problem check_display_text(std::string_view text, size_t limit);
// One line of an authorized_keys file: a known key type, base64, an optional comment.
Problem check_ssh_key(std::string_view text);
// The key is 1 to 63 of a-z, 0-9, '-', '_', '.', '/', beginning and ending with a letter or digit;
// the value up to 63 letters, digits, '-', '_', '.', beginning and ending likewise; or empty.
Problem check_label(std::string_view key, std::string_view value);
// At most kMostUserData; any bytes but NUL.
Problem check_user_data(std::string_view text);

// At most `limit` bytes of it and an ellipsis, not cut within a UTF-8 sequence.
std::string shortened(std::string_view text, size_t limit);

// At most 40 bytes of it, in quotes, with everything but printable ASCII as \xNN. An object, not a
// function: a call with a std::string would otherwise find std::quoted, which escapes nothing.
struct Quote {
  std::string operator()(std::string_view text) const;
};
inline constexpr Quote quoted;

}  // namespace stellwerk

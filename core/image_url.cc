#include "core/image_url.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/parse_number.h"

namespace stellwerk {
namespace {

// Characters that RFC 3986 knows, beside the percent sign.
bool is_url_character(char c) {
  static constexpr std::string_view kOthers = "-._~:/?#[]@!$&'()*+,;=%";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOthers.find(c) != std::string_view::npos;
}

bool begins_with(std::string_view text, std::string_view lower_case_start) {
  if (text.size() < lower_case_start.size()) return false;
  return std::equal(lower_case_start.begin(), lower_case_start.end(), text.begin(),
                    [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

Problem check_authority(std::string_view authority) {
  if (authority.find('@') != std::string_view::npos) {
    return "names a user; leave user and password out, for the URL is kept and shown";
  }
  std::string_view host = authority;
  std::string_view port;
  const size_t bracket = authority.find(']');
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
    const auto number = parse_number<uint16_t>(port);
    if (!number || *number == 0) {
      return fmt::format("{} is no port; give 1 to 65535", quoted(port));
    }
  }
  if (host.empty()) return "names no host; write https://HOST/PATH";
  const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (bracketed || std::all_of(host.begin(), host.end(), is_host_character)) return std::nullopt;
  return fmt::format("{} is no host; give a name or an address", quoted(host));
}

}  // namespace

Problem check_image_url(std::string_view url) {
  if (url.empty()) return "is missing; write https://HOST/PATH";
  if (url.size() > kLongestImageUrl) {
    return fmt::format("has {} bytes; give at most {}", url.size(), kLongestImageUrl);
  }
  if (!std::all_of(url.begin(), url.end(), is_url_character)) {
    return fmt::format("{} holds a character that no URL has; write others than RFC 3986's as %XX",
                       quoted(url));
  }
  const bool secure = begins_with(url, "https://");
  if (!secure && !begins_with(url, "http://")) {
    return fmt::format("{} is neither http:// nor https://; send a file by uploading it",
                       quoted(url));
  }
  if (url.find('#') != std::string_view::npos) {
    return "has a fragment, which no server is told; leave out what follows '#'";
  }
  const std::string_view rest = url.substr(secure ? 8 : 7);
  return check_authority(rest.substr(0, rest.find_first_of("/?")));
}

std::string url_without_query(std::string_view url) {
  const size_t query = url.find('?');
  if (query == std::string_view::npos) return std::string(url);
  return std::string(url.substr(0, query)) + "?…";
}

}  // namespace stellwerk

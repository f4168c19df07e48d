#include "drivers/download/curl/hop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "core/image_url.h"
#include "core/parse_number.h"
#include "core/validate.h"

namespace stellwerk::download {
namespace {

constexpr size_t kMostHeaderBytes = 256 * 1024;
constexpr size_t kLongestValidator = 256;
constexpr long kBufferBytes = 256 * 1024;

std::optional<IpAddress> address_of(const curl_sockaddr& address) {
  if (address.family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address.addr, sizeof v4);
    return IpAddress::v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address.addr, std::min<size_t>(sizeof v6, address.addrlen));
    std::array<uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return IpAddress::v6(bytes);
  }
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) {
    text.remove_suffix(1);
  }
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

// What may stand in a header of ours again.
bool is_harmless(std::string_view value) {
  return value.size() <= kLongestValidator &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c < 127; });
}

// A file of the same second may change once more within it (RFC 9110, 8.8.2.2).
bool is_older(const std::string& modified, const std::string& date) {
  const time_t changed = curl_getdate(modified.c_str(), nullptr);
  const time_t sent = curl_getdate(date.c_str(), nullptr);
  return changed >= 0 && sent > changed;
}

struct ContentRange {
  Bytes first;
  std::optional<Bytes> total;
};

// "bytes 100-199/200", "bytes 100-199/*" (RFC 9110, 14.4).
std::optional<ContentRange> parse_content_range(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const size_t dash = text.find('-');
  const size_t slash = text.find('/');
  if (dash == text.npos || slash == text.npos || dash > slash) return std::nullopt;
  const auto first = parse_number<int64_t>(text.substr(0, dash));
  if (!first || *first < 0) return std::nullopt;
  ContentRange range{.first = Bytes(*first), .total = std::nullopt};
  const auto total = parse_number<int64_t>(text.substr(slash + 1));
  if (total && *total >= 0) range.total = Bytes(*total);
  return range;
}

bool is_redirect(long code) {
  return code == 301 || code == 302 || code == 303 || code == 307 || code == 308;
}

}  // namespace

Hop::Hop(Parts parts, std::string url)
    : parts_(parts), url_(std::move(url)), handle_(curl_easy_init()) {
  if (handle_ == nullptr) std::abort();  // no memory
}

Hop::~Hop() {
  curl_easy_cleanup(handle_);
  curl_slist_free_all(headers_);
}

void Hop::set_options(Duration longest) {
  const auto set = [this](CURLoption option, auto value) {
    // An option that this libcurl does not know would be a safeguard less.
    if (curl_easy_setopt(handle_, option, value) != CURLE_OK) std::abort();
  };
  const auto seconds = [](Duration duration) {
    return static_cast<long>(std::chrono::ceil<std::chrono::seconds>(duration).count());
  };
  const CurlDownloader::Options& options = parts_.options;
  set(CURLOPT_URL, url_.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options.ca_file.empty()) {
    set(CURLOPT_CAINFO, options.ca_file.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, "stellwerk");
  set(CURLOPT_BUFFERSIZE, kBufferBytes);
  set(CURLOPT_ERRORBUFFER, error_);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_within.count() / 1000));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<int64_t>(1, longest.count() / 1000)));
  set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options.least_per_second.count()));
  set(CURLOPT_LOW_SPEED_TIME, seconds(options.slow_for));
  set(CURLOPT_OPENSOCKETFUNCTION, &Hop::on_open);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_HEADERFUNCTION, &Hop::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Hop::on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &Hop::on_progress);
  set(CURLOPT_XFERINFODATA, this);
  set_range();
  set(CURLOPT_HTTPHEADER, headers_);
}

// By headers of our own: libcurl would take "ignores ranges" for an error.
void Hop::set_range() {
  headers_ = curl_slist_append(headers_, "Accept-Encoding: identity");
  const Request& request = parts_.request;
  const bool resumes = request.from > Bytes() && !request.validator.empty();
  if (!resumes || !is_harmless(request.validator)) return;
  headers_ =
      curl_slist_append(headers_, fmt::format("Range: bytes={}-", request.from.count()).c_str());
  headers_ = curl_slist_append(headers_, ("If-Range: " + request.validator).c_str());
}

curl_socket_t Hop::on_open(void* self, curlsocktype, struct curl_sockaddr* address) {
  Hop& hop = *static_cast<Hop*>(self);
  const std::optional<IpAddress> ip = address_of(*address);
  const auto refusal =
      ip ? hop.parts_.options.addresses.refusal(*ip) : std::optional<std::string>("no address");
  if (refusal) {
    if (!hop.refused_.empty()) hop.refused_ += ", ";
    hop.refused_ += (ip ? ip->to_string() + ", " : std::string()) + *refusal;
    return CURL_SOCKET_BAD;
  }
  hop.tried_other_ = true;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int Hop::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Hop*>(self)->parts_.cancelled.load() ? 1 : 0;
}

size_t Hop::on_header(char* bytes, size_t one, size_t count, void* self) {
  Hop& hop = *static_cast<Hop*>(self);
  const size_t size = one * count;
  hop.header_bytes_ += size;
  if (hop.header_bytes_ > kMostHeaderBytes) {
    hop.failure_ =
        failed_precondition("{} answers with an endless header", url_without_query(hop.url_));
    return 0;
  }
  hop.take_header({bytes, size});
  return size;
}

void Hop::take_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // a new answer begins, after a 1xx
    etag_ = last_modified_ = date_ = location_ = content_encoding_ = content_range_ = "";
    content_length_.reset();
    return;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string name = lower(line.substr(0, colon));
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (name == "etag") etag_ = value;
  if (name == "last-modified") last_modified_ = value;
  if (name == "location") location_ = value;
  if (name == "date") date_ = value;
  if (name == "content-encoding") content_encoding_ = lower(value);
  if (name == "content-range") content_range_ = value;
  if (name == "content-length") {
    const auto length = parse_number<int64_t>(value);
    if (length && *length >= 0) content_length_ = Bytes(*length);
  }
}

size_t Hop::on_body(char* bytes, size_t one, size_t count, void* self) {
  Hop& hop = *static_cast<Hop*>(self);
  const size_t size = one * count;
  hop.failure_ = hop.take_body({bytes, size});
  return hop.failure_.ok() && !hop.body_unwanted_ ? size : 0;
}

absl::Status Hop::take_body(std::string_view bytes) {
  SW_RETURN_IF_ERROR(begin_body());
  return body_unwanted_ ? absl::OkStatus() : parts_.sink.write(bytes);
}

// Of redirects and refusals nobody needs the text, which may be endless.
absl::Status Hop::begin_body() {
  if (begun_) return absl::OkStatus();
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &code_);
  body_unwanted_ = code_ != 200 && code_ != 206;
  if (body_unwanted_) return absl::OkStatus();
  SW_ASSIGN_OR_RETURN(const Announcement announced, announcement());
  begun_ = true;
  return parts_.sink.begin(announced);
}

absl::StatusOr<Announcement> Hop::announcement() const {
  if (!content_encoding_.empty() && content_encoding_ != "identity") {
    return failed_precondition(
        "{} sends the file encoded ({}), though the plain one was asked for; "
        "name a URL that serves it as it is",
        url_without_query(url_), quoted(content_encoding_));
  }
  Announcement result;
  // A weak ETag does not promise the same bytes (RFC 9110, 8.8.1).
  const bool strong = !etag_.empty() && !etag_.starts_with("W/");
  if (strong && is_harmless(etag_)) {
    result.validator = etag_;
  } else if (is_older(last_modified_, date_) && is_harmless(last_modified_)) {
    result.validator = last_modified_;
  }
  if (code_ == 200) {
    result.total = content_length_;
    return result;
  }
  const auto range = parse_content_range(content_range_);
  if (!range || range->first != parts_.request.from) {
    return failed_precondition("{} answers with another part of the file than was asked for ({})",
                               url_without_query(url_), quoted(content_range_));
  }
  result.from = range->first;
  result.total = range->total;
  return result;
}

absl::StatusOr<std::optional<Redirect>> Hop::run(Duration longest) {
  set_options(longest);
  const CURLcode code = curl_easy_perform(handle_);
  if (!failure_.ok()) return failure_;
  if (code != CURLE_OK && !body_unwanted_) return explain(code, longest);
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &code_);
  return judge_answer(code_);
}

absl::StatusOr<std::optional<Redirect>> Hop::judge_answer(long code) {
  if (is_redirect(code)) {
    SW_ASSIGN_OR_RETURN(Redirect target, redirect(code));
    return std::optional(std::move(target));
  }
  if (code != 200 && code != 206) return refused_status(code);
  SW_RETURN_IF_ERROR(begin_body());  // of an empty file
  return std::nullopt;
}

// Not by CURLINFO_REDIRECT_URL, which libcurl knows only once it has read the whole text.
absl::StatusOr<Redirect> Hop::redirect(long code) const {
  const auto refused = [&](std::string_view why) {
    return permission_denied("{} redirects (HTTP {}) {}", url_without_query(url_), code, why);
  };
  if (location_.empty()) return refused("without saying where to");
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), &curl_url_cleanup);
  const auto set = [&](CURLUPart part, const char* text) {
    return curl_url_set(url.get(), part, text, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
  };
  char* text = nullptr;
  const bool good = set(CURLUPART_URL, url_.c_str()) && set(CURLUPART_URL, location_.c_str()) &&
                    set(CURLUPART_FRAGMENT, nullptr) &&
                    curl_url_get(url.get(), CURLUPART_URL, &text, 0) == CURLUE_OK;
  if (!good) return refused("to " + quoted(location_) + ", which is no URL");
  Redirect target{text};
  curl_free(text);
  return target;
}

absl::Status Hop::refused_status(long code) const {
  const std::string url = url_without_query(url_);
  if (code == 404 || code == 410) return not_found("{} is not there (HTTP {})", url, code);
  if (code == 401 || code == 403 || code == 407) {
    return permission_denied(
        "{} is not open to everybody (HTTP {}); name a URL that needs no "
        "password",
        url, code);
  }
  // The part that was asked for is not there: the file has changed.
  if (code == 416) return out_of_range("{} has become shorter (HTTP 416)", url);
  if (code == 408 || code == 425 || code == 429 || code >= 500) {
    return unavailable("{} cannot be had at the moment (HTTP {})", url, code);
  }
  return failed_precondition("{} answers with HTTP {}, which is no file", url, code);
}

absl::Status Hop::explain(CURLcode code, Duration longest) const {
  const std::string url = url_without_query(url_);
  const std::string detail = error_[0] != '\0' ? std::string(error_) : curl_easy_strerror(code);
  if (!refused_.empty() && !tried_other_) {
    return with_reason(
        permission_denied("{} is at {}, and images are not fetched from there; "
                          "[images] allowed_addresses in the configuration would allow it",
                          url, refused_),
        "ADDRESS_REFUSED");
  }
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return make_status(absl::StatusCode::kCancelled, "cancelled");
    case CURLE_OPERATION_TIMEDOUT: {
      double took = 0;
      curl_easy_getinfo(handle_, CURLINFO_TOTAL_TIME, &took);
      // libcurl's timers are a little ahead of its own account.
      const bool all =
          std::chrono::duration<double>(took) + std::chrono::milliseconds(100) >= longest;
      if (all) return deadline_exceeded("{} has not come whole in time ({})", url, detail);
      return unavailable("{} is too slow: {}", url, detail);
    }
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return permission_denied("{} cannot prove who it is: {}", url, detail);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      return permission_denied("{} is refused: {}", url, detail);
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
      return failed_precondition("{} does not speak HTTP properly: {}", url, detail);
    default:
      return unavailable("{} cannot be fetched: {}", url, detail);
  }
}

}  // namespace stellwerk::download

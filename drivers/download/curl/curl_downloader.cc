#include "drivers/download/curl/curl_downloader.h"

#include <set>

#include "core/image_url.h"
#include "drivers/download/curl/hop.h"

namespace stellwerk::download {
namespace {

bool is_secure(std::string_view url) {
  return url.size() > 5 && (url[4] == 's' || url[4] == 'S');
}

absl::Status check_redirect(const std::string& from, const std::string& to) {
  if (const Problem problem = check_image_url(to)) {
    return permission_denied("{} redirects to a URL that is refused: {}", url_without_query(from),
                             *problem);
  }
  if (is_secure(from) && !is_secure(to)) {
    return permission_denied(
        "{} redirects from https to http ({}), which anybody on the way could "
        "change",
        url_without_query(from), url_without_query(to));
  }
  return absl::OkStatus();
}

}  // namespace

CurlDownloader::CurlDownloader(Options options) : options_(std::move(options)) {
  // Thread-safe when it is called a second time, which is when threads are there.
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(initialised);
}

absl::Status CurlDownloader::fetch(const Request& request, Sink& sink,
                                   const std::atomic<bool>& cancelled) {
  if (const Problem problem = check_image_url(request.url)) {
    return invalid_fields({{"url", *problem}});
  }
  const SystemClock clock;
  const MonotonicTime deadline = clock.now().monotonic + request.longest;
  std::set<std::string> visited;
  std::string url = request.url;
  for (int redirects = 0; redirects <= options_.most_redirects; ++redirects) {
    if (!visited.insert(url).second) {
      return permission_denied("{} redirects in a circle, back to {}",
                               url_without_query(request.url), url_without_query(url));
    }
    const Duration left = deadline - clock.now().monotonic;
    if (left <= Duration::zero()) return deadline_exceeded("the time for it is over");
    Hop hop({.options = options_, .request = request, .sink = sink, .cancelled = cancelled}, url);
    SW_ASSIGN_OR_RETURN(const std::optional<Redirect> redirect, hop.run(left));
    if (!redirect) return absl::OkStatus();
    SW_RETURN_IF_ERROR(check_redirect(url, redirect->url));
    url = redirect->url;
  }
  return permission_denied("{} redirects more than {} times", url_without_query(request.url),
                           options_.most_redirects);
}

}  // namespace stellwerk::download

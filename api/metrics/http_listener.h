// Answers GET /metrics, on loopback or on a Unix socket, and nothing else.
//
// Invariants: a request has at most 8 KiB and no body, a connection one request and ten seconds,
// and no more than sixteen are open: further ones are closed at once. One thread of its own, from
// which `page` is called; it may block for a moment.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <sys/types.h>

#include "core/status.h"
#include "core/time.h"

namespace stellwerk::metrics {

struct Place {
  std::string unix_path;  // not empty: a Unix socket there, mode 0660, of `group`
  std::optional<gid_t> group;
  std::string address;  // else a loopback address and a port
  uint16_t port = 0;
};

struct HttpLimits {
  size_t connections = 16;
  Duration patience = std::chrono::seconds(10);
};

class HttpListener {
 public:
  using Page = std::function<std::string()>;

  // Answers when it returns. FailedPrecondition if the place is taken or not to be had.
  static absl::StatusOr<std::unique_ptr<HttpListener>> open(const Place& place, Page page,
                                                            HttpLimits limits = {});
  // Ends connections and waits for a page that is being made.
  ~HttpListener();
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

 private:
  struct Body;
  explicit HttpListener(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace stellwerk::metrics

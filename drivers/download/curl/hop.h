// One request and its answer, as libcurl's callbacks see them. Internal to this folder; one thread.
#pragma once

#include <curl/curl.h>

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "drivers/download/curl/curl_downloader.h"

namespace stellwerk::download {

// Where an answer sends us instead.
struct Redirect {
  std::string url;
};

class Hop {
 public:
  struct Parts {
    const CurlDownloader::Options& options;
    const Request& request;  // its `url` is not looked at
    Sink& sink;
    const std::atomic<bool>& cancelled;
  };
  Hop(Parts parts, std::string url);
  ~Hop();
  Hop(const Hop&) = delete;
  Hop& operator=(const Hop&) = delete;

  // What became of it; a redirect is followed by the caller.
  absl::StatusOr<std::optional<Redirect>> run(Duration longest);

 private:
  static size_t on_header(char* bytes, size_t one, size_t count, void* self);
  static size_t on_body(char* bytes, size_t one, size_t count, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
  static curl_socket_t on_open(void* self, curlsocktype purpose, struct curl_sockaddr* address);

  void set_options(Duration longest);
  void set_range();
  void take_header(std::string_view line);
  absl::Status take_body(std::string_view bytes);
  absl::Status begin_body();
  absl::StatusOr<Announcement> announcement() const;
  absl::Status refused_status(long code) const;
  absl::Status explain(CURLcode code, Duration longest) const;
  absl::StatusOr<std::optional<Redirect>> judge_answer(long code);
  absl::StatusOr<Redirect> redirect(long code) const;

  const Parts parts_;
  const std::string url_;
  CURL* const handle_;
  curl_slist* headers_ = nullptr;
  char error_[CURL_ERROR_SIZE] = {};

  // Of the newest answer's header.
  size_t header_bytes_ = 0;
  long code_ = 0;
  std::string etag_;
  std::string last_modified_;
  std::string date_;
  std::string location_;
  std::string content_encoding_;
  std::string content_range_;
  std::optional<Bytes> content_length_;

  bool begun_ = false;  // the sink knows of the file
  bool body_unwanted_ = false;
  absl::Status failure_;      // of ours: why a callback ended the transfer
  std::string refused_;       // the addresses that were refused, and why
  bool tried_other_ = false;  // an address that is allowed
};

}  // namespace stellwerk::download

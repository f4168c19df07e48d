// Downloads by libcurl. Redirects are followed here, one request each, so that each is judged like
// the first. Any thread.
#pragma once

#include <string>

#include "drivers/download/address_policy.h"
#include "drivers/download/downloader.h"

namespace stellwerk::download {

class CurlDownloader final : public Downloader {
 public:
  struct Options {
    AddressPolicy addresses;
    std::string ca_file;  // PEM; empty: the system's authorities
    Duration connect_within = std::chrono::seconds(20);
    // Fewer bytes a second for that long are too slow.
    Bytes least_per_second{1024};
    Duration slow_for = std::chrono::seconds(60);
    int most_redirects = 5;
  };
  explicit CurlDownloader(Options options);

  absl::Status fetch(const Request& request, Sink& sink,
                     const std::atomic<bool>& cancelled) override;

 private:
  const Options options_;
};

}  // namespace stellwerk::download

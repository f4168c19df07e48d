// Fetches one file over http or https.
//
// Contract: no address is connected to that the policy refuses, on the first request and on every
// redirect; only http and https, never from https to http; no proxy, password, cookie or
// credential of the environment is used; certificates are verified. What arrives is handed on as
// it lay on the server: no content encoding is undone. Everything ends: silence, slowness, size and
// total time have limits. Calls block and may come from several threads.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "core/status.h"
#include "core/time.h"
#include "core/units.h"

namespace stellwerk::download {

struct Request {
  std::string url;
  // Where an earlier transfer broke off, and what it knew of the file. The rest is asked for only
  // if the server still has the same one.
  Bytes from;
  std::string validator;  // an ETag in its quotes or a Last-Modified date; empty: from the start
  Duration longest{};     // for all of it
};

// What the server says before the first byte.
struct Announcement {
  Bytes from;                  // zero: the file from its beginning, whatever was asked
  std::optional<Bytes> total;  // of the whole file
  std::string validator;       // empty: a transfer that breaks off cannot be resumed
};

// Takes what comes. An error ends the transfer and is its result.
class Sink {
 public:
  virtual ~Sink() = default;
  // Once for each fetch that gets so far, before any byte.
  virtual absl::Status begin(const Announcement& announcement) = 0;
  virtual absl::Status write(std::string_view bytes) = 0;
};

class Downloader {
 public:
  virtual ~Downloader() = default;

  // OK: the whole file has been handed on. Unavailable: another attempt may do (no connection, a
  // transfer that broke off, was too slow, or an answer that means "later"). Cancelled when
  // `cancelled` becomes true, within a second or two. PermissionDenied: refused addresses,
  // redirects and certificates. NotFound, FailedPrecondition and others: what the server answered;
  // trying again is of no use.
  virtual absl::Status fetch(const Request& request, Sink& sink,
                             const std::atomic<bool>& cancelled) = 0;
};

}  // namespace stellwerk::download

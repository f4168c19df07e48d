// Follows WatchEvents across restarts of the daemon: when the stream breaks, it is opened again,
// with back-off, after the last token. One thread; nothing happens outside `next`.
#pragma once

#include <grpcpp/completion_queue.h>
#include <grpcpp/support/async_stream.h>

#include <memory>
#include <optional>
#include <string>

#include "api/client/client.h"

namespace stellwerk::client {

struct FollowedEvents {
  std::string parent;    // projects/{project}, projects/- or empty
  std::string resource;  // empty: of all
  std::string token;     // empty: from now on
};

class EventFollower {
 public:
  EventFollower(Client& client, FollowedEvents what);
  ~EventFollower();
  EventFollower(const EventFollower&) = delete;
  EventFollower& operator=(const EventFollower&) = delete;

  // The next response, or nothing when `patience` is over. An error ends the following, except
  // UNAVAILABLE and CANCELLED, which are never returned: see `trouble`.
  absl::StatusOr<std::optional<v1::WatchEventsResponse>> next(Duration patience);

  // Everything up to here has been handed out; empty before the first response.
  const std::string& token() const { return what_.token; }
  // Why there is no stream at present; OK while there is one, as far as is known.
  const absl::Status& trouble() const { return trouble_; }
  // Broken streams since the last response.
  int failures() const { return failures_; }

 private:
  enum class Stage { kClosed, kOpening, kIdle, kReading, kFinishing };

  void open();
  // The operation under way has ended; an error is not transient.
  absl::Status advance(bool ok);
  absl::Status closed();
  void cancel();

  Client& client_;
  FollowedEvents what_;
  SystemClock clock_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::WatchEventsResponse>> reader_;
  Stage stage_ = Stage::kClosed;
  v1::WatchEventsResponse response_;
  bool has_response_ = false;
  grpc::Status end_;
  absl::Status trouble_;
  int failures_ = 0;
  MonotonicTime not_before_;
};

}  // namespace stellwerk::client

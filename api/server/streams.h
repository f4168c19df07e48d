// The streams that are open: how many may be, and what looks after them while their own events do
// not (time-outs, the end of the server). Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "core/status.h"
#include "core/time.h"

namespace stellwerk::server {

class Stream {
 public:
  virtual ~Stream() = default;
  // Called every now and then, from the ticker's thread.
  virtual void tick(MonotonicTime now) = 0;
  // Ends the stream with `why` as soon as it can be.
  virtual void interrupt(const absl::Status& why) = 0;
};

class StreamTable {
 public:
  explicit StreamTable(size_t limit) : limit_(limit) {}

  // ResourceExhausted, reason TOO_MANY_STREAMS, when full; Unavailable after end_all. `what` names
  // such streams in plural.
  absl::Status admit(const std::shared_ptr<Stream>& stream, std::string_view what);
  void remove(const Stream* stream);
  void tick(MonotonicTime now);
  // Interrupts all; none is admitted any more.
  void end_all(const absl::Status& why);

 private:
  std::vector<std::shared_ptr<Stream>> open() const;

  const size_t limit_;
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<Stream>> streams_;
  bool ended_ = false;
};

// Calls a function every `period` from a thread of its own, until destroyed.
class Ticker {
 public:
  Ticker(Duration period, std::function<void()> work);

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace stellwerk::server

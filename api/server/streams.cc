#include "api/server/streams.h"

namespace stellwerk::server {

absl::Status StreamTable::admit(const std::shared_ptr<Stream>& stream, std::string_view what) {
  const std::lock_guard lock(mutex_);
  if (ended_) return unavailable("the daemon is stopping; try again");
  if (streams_.size() >= limit_) {
    return with_reason(
        resource_exhausted("{} {} are open, no more are allowed; end one or try later", limit_,
                           what),
        "TOO_MANY_STREAMS");
  }
  streams_.push_back(stream);
  return absl::OkStatus();
}

void StreamTable::remove(const Stream* stream) {
  const std::lock_guard lock(mutex_);
  std::erase_if(streams_, [stream](const std::weak_ptr<Stream>& open) {
    const std::shared_ptr<Stream> held = open.lock();
    return held == nullptr || held.get() == stream;
  });
}

void StreamTable::tick(MonotonicTime now) {
  for (const std::shared_ptr<Stream>& stream : open()) stream->tick(now);
}

void StreamTable::end_all(const absl::Status& why) {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  for (const std::shared_ptr<Stream>& stream : open()) stream->interrupt(why);
}

std::vector<std::shared_ptr<Stream>> StreamTable::open() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Stream>> result;
  for (const std::weak_ptr<Stream>& stream : streams_) {
    if (std::shared_ptr<Stream> held = stream.lock()) result.push_back(std::move(held));
  }
  return result;
}

Ticker::Ticker(Duration period, std::function<void()> work)
    : thread_([this, period, work = std::move(work)](const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (!wake_.wait_for(lock, stop, period, [&] { return stop.stop_requested(); })) work();
      }) {}

}  // namespace stellwerk::server

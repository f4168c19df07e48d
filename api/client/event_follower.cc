#include "api/client/event_follower.h"

#include <algorithm>

#include "api/client/error.h"

namespace stellwerk::client {
namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(100);
constexpr Duration kLongestPause = std::chrono::seconds(2);

Duration pause_after(int failures) {
  return std::min(kLongestPause, kFirstPause * (1 << std::min(failures, 5)));
}

}  // namespace

EventFollower::EventFollower(Client& client, FollowedEvents what)
    : client_(client), what_(std::move(what)) {}

EventFollower::~EventFollower() {
  cancel();
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

absl::StatusOr<std::optional<v1::WatchEventsResponse>> EventFollower::next(Duration patience) {
  const MonotonicTime end = clock_.now().monotonic + patience;
  for (;;) {
    const MonotonicTime now = clock_.now().monotonic;
    if (stage_ == Stage::kClosed && now >= not_before_) open();
    if (stage_ == Stage::kIdle) {
      stage_ = Stage::kReading;
      reader_->Read(&response_, this);
    }
    const MonotonicTime until = stage_ == Stage::kClosed ? std::min(end, not_before_) : end;
    void* tag = nullptr;
    bool ok = false;
    const auto outcome = queue_.AsyncNext(&tag, &ok, deadline_in(until - now));
    if (outcome == grpc::CompletionQueue::GOT_EVENT) SW_RETURN_IF_ERROR(advance(ok));
    if (std::exchange(has_response_, false)) {
      what_.token = response_.token();
      return std::move(response_);
    }
    if (clock_.now().monotonic >= end) return std::nullopt;
  }
}

void EventFollower::open() {
  v1::WatchEventsRequest request;
  request.set_parent(what_.parent);
  request.set_resource(what_.resource);
  request.set_token(what_.token);
  context_ = std::make_unique<grpc::ClientContext>();
  stage_ = Stage::kOpening;
  reader_ =
      client_.stub<v1::Events::Stub>().AsyncWatchEvents(context_.get(), request, &queue_, this);
}

absl::Status EventFollower::advance(bool ok) {
  if (stage_ == Stage::kFinishing) return closed();
  if (!ok) {
    stage_ = Stage::kFinishing;
    reader_->Finish(&end_, this);
    return absl::OkStatus();
  }
  if (stage_ == Stage::kReading) {
    has_response_ = true;
    failures_ = 0;
    trouble_ = absl::OkStatus();
  }
  stage_ = Stage::kIdle;
  return absl::OkStatus();
}

absl::Status EventFollower::closed() {
  stage_ = Stage::kClosed;
  reader_.reset();
  context_.reset();
  // A daemon that shuts down may end its streams in good order, and it cancels those that are not
  // read for long. We cancel in the destructor alone.
  const bool ended_by_daemon = end_.ok() || end_.error_code() == grpc::StatusCode::CANCELLED;
  absl::Status status =
      ended_by_daemon ? unavailable("the daemon has ended the stream") : from_grpc(end_);
  end_ = grpc::Status();
  if (!absl::IsUnavailable(status)) return status;
  const auto problem = socket_problem(client_.endpoint());
  trouble_ = problem ? *problem : status;
  not_before_ = clock_.now().monotonic + pause_after(failures_);
  ++failures_;
  return absl::OkStatus();
}

void EventFollower::cancel() {
  if (stage_ == Stage::kClosed) return;
  context_->TryCancel();
  void* tag = nullptr;
  bool ok = false;
  if (stage_ != Stage::kIdle) queue_.Next(&tag, &ok);
  if (stage_ != Stage::kFinishing) {
    reader_->Finish(&end_, this);
    queue_.Next(&tag, &ok);
  }
  stage_ = Stage::kClosed;
}

}  // namespace stellwerk::client

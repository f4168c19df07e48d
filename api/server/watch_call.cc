#include "api/server/watch_call.h"

#include <algorithm>

#include "api/convert/status_to_wire.h"
#include "api/server/event_pages.h"

namespace stellwerk::server {

grpc::ServerWriteReactor<grpc::ByteBuffer>* WatchCall::start(grpc::CallbackServerContext* context,
                                                             const grpc::ByteBuffer& request,
                                                             const WatchEnvironment& environment) {
  const std::shared_ptr<WatchCall> call(new WatchCall(context, environment));
  call->self_ = call;
  const absl::Status prepared = call->prepare(request);
  if (!prepared.ok()) call->end(prepared);
  {
    const std::lock_guard lock(call->mutex_);
    call->state_ = State::kIdle;
  }
  call->advance();
  return call.get();
}

WatchCall::WatchCall(grpc::CallbackServerContext* context, const WatchEnvironment& environment)
    : context_(context), environment_(environment), cell_(environment.gateway.cell()) {}

absl::Status WatchCall::prepare(const grpc::ByteBuffer& request) {
  v1::WatchEventsRequest message;
  SW_RETURN_IF_ERROR(parse(request, &message));
  SW_ASSIGN_OR_RETURN(convert::EventWatch watch, convert::to_watch(message, cell_));
  SW_RETURN_IF_ERROR(environment_.streams.admit(shared_from_this(), "watchers"));
  filter_ = std::move(watch.filter);
  // Listening comes first: what is decided between the two calls is then heard of twice, not never.
  listener_ = environment_.gateway.listen([weak = weak_from_this()](Sequence durable) {
    if (const std::shared_ptr<WatchCall> call = weak.lock()) call->on_growth(durable);
  });
  const Sequence durable = environment_.gateway.durable();
  const std::lock_guard lock(mutex_);
  durable_ = std::max(durable_, durable);
  cursor_ = watch.after.value_or(durable_);
  token_given_ = watch.after.has_value();
  if (!token_given_) queue_token();
  return absl::OkStatus();
}

void WatchCall::end(const absl::Status& why) {
  const std::lock_guard lock(mutex_);
  if (!end_) end_ = why;
}

void WatchCall::on_growth(Sequence durable) {
  {
    const std::lock_guard lock(mutex_);
    durable_ = std::max(durable_, durable);
  }
  advance();
}

void WatchCall::advance() {
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::kIdle) return;
    if (end_) {
      state_ = State::kFinished;
      Finish(convert::to_wire(*end_));
      return;
    }
    if (!outbox_.empty()) return start_write();
    if (!token_given_ && cursor_ >= durable_) return;
    state_ = State::kReading;
    expected_ = durable_;
  }
  environment_.gateway.run_blocking([self = shared_from_this()] { self->read(); });
}

void WatchCall::start_write() {
  outgoing_.Clear();
  if (const absl::Status status = serialize(outbox_.front(), &outgoing_); !status.ok()) {
    state_ = State::kFinished;
    Finish(convert::to_wire(status));
    return;
  }
  outbox_.pop_front();
  state_ = State::kWriting;
  last_write_ = environment_.clock.now().monotonic;
  StartWrite(&outgoing_);
}

void WatchCall::read() {
  take(read_portion(environment_.gateway, filter_, cursor_));
  advance();
}

void WatchCall::take(absl::StatusOr<EventPortion> portion) {
  const std::lock_guard lock(mutex_);
  state_ = State::kIdle;
  if (!portion.ok()) {
    if (!end_) end_ = token_error(portion.status(), "token");
    return;
  }
  // A log that shows nothing new ends the search until it is heard to grow, which it may have been
  // while it was read.
  if (portion->read_up_to <= cursor_ && durable_ == expected_) durable_ = cursor_;
  cursor_ = std::max(cursor_, portion->read_up_to);
  outbox_.insert(outbox_.end(), std::make_move_iterator(portion->responses.begin()),
                 std::make_move_iterator(portion->responses.end()));
  // A client learns at once that its token was good.
  if (std::exchange(token_given_, false) && outbox_.empty()) queue_token();
}

void WatchCall::queue_token() {
  outbox_.emplace_back().set_token(convert::format_event_token(cell_, cursor_));
}

void WatchCall::OnWriteDone(bool ok) {
  {
    const std::lock_guard lock(mutex_);
    state_ = State::kIdle;
    if (!ok && !end_) end_ = make_status(absl::StatusCode::kCancelled, "the client has gone");
  }
  advance();
}

void WatchCall::OnCancel() {
  interrupt(make_status(absl::StatusCode::kCancelled, "the client has ended the watch"));
}

// gRPC calls it last, when no other callback of the call is running.
void WatchCall::OnDone() {
  if (listener_) environment_.gateway.unlisten(*listener_);
  environment_.streams.remove(this);
  self_.reset();
}

void WatchCall::interrupt(const absl::Status& why) {
  const std::shared_ptr<WatchCall> self = shared_from_this();
  end(why);
  advance();
}

void WatchCall::tick(MonotonicTime now) {
  const Sequence durable = environment_.gateway.durable();
  {
    const std::lock_guard lock(mutex_);
    const Duration since = now - last_write_;
    if (state_ == State::kWriting && (since > environment_.patience || end_)) {
      context_->TryCancel();
    }
    if (state_ == State::kIdle && since > environment_.heartbeat) {
      durable_ = std::max(durable_, durable);  // in case its growth was not heard
      queue_token();
    }
  }
  advance();
}

}  // namespace stellwerk::server

#include "api/server/attach_call.h"

#include <spdlog/spdlog.h>

#include "api/convert/status_to_wire.h"

namespace stellwerk::server {
namespace {

constexpr size_t kLargestInput = 16 << 10;
constexpr size_t kLargestOutput = 16 << 10;

absl::Status wrong(std::string_view field, std::string_view problem) {
  return invalid_fields({{std::string(field), std::string(problem)}});
}

std::optional<ConsoleAccess> access_in(const v1::AttachConsoleRequest::Start& start) {
  switch (start.access()) {
    case v1::AttachConsoleRequest::ACCESS_UNSPECIFIED:
    case v1::AttachConsoleRequest::WRITE:
      return ConsoleAccess::kWrite;
    case v1::AttachConsoleRequest::READ:
      return ConsoleAccess::kRead;
    case v1::AttachConsoleRequest::TAKE_OVER:
      return ConsoleAccess::kTakeOver;
    default:  // a newer client's
      return std::nullopt;
  }
}

std::string_view access_name(ConsoleAccess access) {
  switch (access) {
    case ConsoleAccess::kRead:
      return "read";
    case ConsoleAccess::kWrite:
      return "write";
    case ConsoleAccess::kTakeOver:
      return "take-over";
  }
  return "";
}

v1::AttachConsoleResponse::Notice notice_to_wire(ConsoleNotice notice) {
  switch (notice) {
    case ConsoleNotice::kAttached:
      return v1::AttachConsoleResponse::ATTACHED;
    case ConsoleNotice::kGuestStarted:
      return v1::AttachConsoleResponse::GUEST_STARTED;
    case ConsoleNotice::kGuestStopped:
      return v1::AttachConsoleResponse::GUEST_STOPPED;
    case ConsoleNotice::kWriterLost:
      return v1::AttachConsoleResponse::WRITER_LOST;
    case ConsoleNotice::kOutputLost:
      return v1::AttachConsoleResponse::OUTPUT_LOST;
    case ConsoleNotice::kInputDropped:
      return v1::AttachConsoleResponse::INPUT_DROPPED;
  }
  return v1::AttachConsoleResponse::NOTICE_UNSPECIFIED;
}

v1::AttachConsoleResponse to_response(ConsolePortion portion) {
  v1::AttachConsoleResponse response;
  response.set_output(std::move(portion.output));
  response.set_history(portion.history);
  if (portion.notice) response.set_notice(notice_to_wire(*portion.notice));
  response.set_message(std::move(portion.message));
  return response;
}

}  // namespace

AttachCall* AttachCall::start(grpc::CallbackServerContext* context,
                              const AttachEnvironment& environment) {
  const std::shared_ptr<AttachCall> call(new AttachCall(context, environment));
  call->self_ = call;
  const absl::Status admitted = environment.streams.admit(call, "consoles");
  if (!admitted.ok()) {
    call->end(admitted);
  } else {
    const std::lock_guard lock(call->mutex_);
    call->read_next();
  }
  call->advance();
  return call.get();
}

AttachCall::AttachCall(grpc::CallbackServerContext* context, const AttachEnvironment& environment)
    : context_(context),
      environment_(environment),
      opened_(environment.clock.now().monotonic),
      last_write_(opened_),
      last_input_(opened_) {}

void AttachCall::read_next() {
  reading_ = true;
  StartRead(&incoming_);
}

void AttachCall::OnReadDone(bool ok) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    reading_ = false;
    last_input_ = environment_.clock.now().monotonic;
    if (!ok) no_more_input_ = true;
    first = !std::exchange(started_, true);
  }
  if (first) return greet();
  if (ok) {
    if (const absl::Status taken = take_input(); !taken.ok()) end(taken);
  }
  advance();
}

void AttachCall::greet() {
  v1::AttachConsoleRequest message;
  absl::Status read = no_more_input_ ? wrong("start", "is missing; the first message carries it")
                                     : parse(incoming_, &message);
  if (read.ok()) read = take_start(message);
  if (!read.ok()) {
    end(read);
    return advance();
  }
  find_instance(environment_.gateway, {.name = name_},
                [self = shared_from_this()](const auto& uid) { self->found(uid); });
}

absl::Status AttachCall::take_start(const v1::AttachConsoleRequest& message) {
  if (!message.has_start()) return wrong("start", "is missing; the first message carries it");
  const std::optional<ConsoleAccess> access = access_in(message.start());
  if (!access) return wrong("start.access", "is not READ, WRITE or TAKE_OVER");
  SW_ASSIGN_OR_RETURN(const convert::Origin origin,
                      origin_of(*context_, environment_.peers, environment_.gateway));
  name_ = message.start().name();
  wish_ = {.caller = origin.caller, .access = *access};
  if (message.start().history_bytes() < 0) return wrong("start.history_bytes", "is negative");
  if (message.start().history_bytes() > 0) wish_.history = message.start().history_bytes();
  if (message.start().skip_history()) wish_.history = 0;
  return absl::OkStatus();
}

void AttachCall::found(const absl::StatusOr<InstanceUid>& uid) {
  if (!uid.ok()) {
    end(convert::nest_fields(uid.status(), "start"));
    return advance();
  }
  if (has_ended()) return advance();
  environment_.gateway.run_blocking([self = shared_from_this(), uid = *uid] { self->attach(uid); });
}

// The client may go at any time; nobody else would then detach what is attached too late.
void AttachCall::attach(const InstanceUid& uid) {
  if (has_ended()) return advance();
  const auto attachment = environment_.consoles.attach(uid, wish_, [weak = weak_from_this()] {
    if (const std::shared_ptr<AttachCall> call = weak.lock()) call->advance();
  });
  spdlog::info("console attach instance={} caller=\"{}\" access={} outcome=\"{}\"", name_,
               wish_.caller, access_name(wish_.access), describe(attachment.status()));
  if (!attachment.ok()) {
    end(attachment.status());
    return advance();
  }
  bool too_late = false;
  {
    const std::lock_guard lock(mutex_);
    too_late = done_;
    if (!too_late) attachment_ = *attachment;
  }
  if (too_late) return environment_.consoles.detach(*attachment);
  advance();
  confirm(uid);
}

// It may have been deleted between the look-up and the attachment, and then nobody would tell.
// Whatever it is called by now: it may have been renamed as well.
void AttachCall::confirm(const InstanceUid& uid) {
  find_instance(
      environment_.gateway, {.name = name_, .uid = uid},
      [self = shared_from_this()](const absl::StatusOr<InstanceUid>& now) {
        if (!absl::IsNotFound(now.status())) return;
        self->end(with_reason(not_found("the instance has been deleted"), "INSTANCE_DELETED"));
        self->advance();
      });
}

absl::Status AttachCall::take_input() {
  v1::AttachConsoleRequest message;
  SW_RETURN_IF_ERROR(parse(incoming_, &message));
  if (message.content_case() != v1::AttachConsoleRequest::kInput) {
    return wrong("input", "is missing; all messages but the first carry it");
  }
  if (message.input().size() > kLargestInput) {
    return wrong("input", fmt::format("has {} bytes; send at most {} in one message",
                                      message.input().size(), kLargestInput));
  }
  if (wish_.access == ConsoleAccess::kRead) {
    return wrong("input", "was sent by an attachment that only reads; ask for access WRITE");
  }
  const absl::Status typed = environment_.consoles.type(*attachment_, message.input());
  // Who has lost the writing is told so by a notice, which may be still on its way.
  return absl::IsFailedPrecondition(typed) ? absl::OkStatus() : typed;
}

bool AttachCall::has_ended() {
  const std::lock_guard lock(mutex_);
  return end_.has_value();
}

void AttachCall::end(const absl::Status& why) {
  const std::lock_guard lock(mutex_);
  if (!end_) end_ = why;
}

void AttachCall::advance() {
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  if (attachment_ && !writing_) write_next();
  if (end_ && !writing_) {
    finished_ = true;
    Finish(convert::to_wire(*end_));
    return;
  }
  if (end_ || reading_ || no_more_input_ || !attachment_) return;
  if (environment_.consoles.input(*attachment_).wanted) read_next();
}

void AttachCall::write_next() {
  // Once the end is known, what is left is not worth waiting for a client that may not read.
  if (end_ && !absl::IsNotFound(*end_)) return;
  absl::StatusOr<std::optional<ConsolePortion>> portion =
      environment_.consoles.next(*attachment_, kLargestOutput);
  if (!portion.ok()) {
    if (!end_) end_ = portion.status();
    return;
  }
  if (!portion->has_value()) return;
  outgoing_.Clear();
  if (const absl::Status status = serialize(to_response(**std::move(portion)), &outgoing_);
      !status.ok()) {
    end_ = status;
    return;
  }
  writing_ = true;
  last_write_ = environment_.clock.now().monotonic;
  StartWrite(&outgoing_);
}

void AttachCall::OnWriteDone(bool ok) {
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok && !end_) end_ = make_status(absl::StatusCode::kCancelled, "the client has gone");
  }
  advance();
}

void AttachCall::OnCancel() {
  interrupt(make_status(absl::StatusCode::kCancelled, "the client has gone"));
}

// gRPC calls it last, when no other callback of gRPC's is running; `attach` may be.
void AttachCall::OnDone() {
  environment_.streams.remove(this);
  std::optional<ConsoleGateway::Attachment> attachment;
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
    attachment = attachment_;
  }
  if (attachment) {
    environment_.consoles.detach(*attachment);
    spdlog::info("console detach instance={} caller=\"{}\" outcome=\"{}\"", name_, wish_.caller,
                 end_ ? describe(*end_) : "");
  }
  self_.reset();
}

void AttachCall::interrupt(const absl::Status& why) {
  const std::shared_ptr<AttachCall> self = shared_from_this();
  end(why);
  advance();
}

// A writer that has ended its side, whose input is with the guest, and to whom the guest has
// nothing more to say for a moment.
bool AttachCall::has_said_all(MonotonicTime now) {
  if (!no_more_input_ || !attachment_ || writing_ || wish_.access == ConsoleAccess::kRead) {
    return false;
  }
  if (now - last_input_ > environment_.patience) return true;
  return environment_.consoles.input(*attachment_).drained &&
         now - std::max(last_input_, last_write_) > environment_.quiet;
}

void AttachCall::tick(MonotonicTime now) {
  {
    const std::lock_guard lock(mutex_);
    if (writing_ && (now - last_write_ > environment_.patience || end_)) context_->TryCancel();
    if (!started_ && now - opened_ > environment_.greeting && !end_) {
      end_ = wrong("start", "has not come in time");
    }
    if (!end_ && has_said_all(now)) end_ = absl::OkStatus();
  }
  advance();
}

}  // namespace stellwerk::server

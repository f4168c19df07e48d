#include "api/server/import_call.h"

#include <spdlog/spdlog.h>

#include "api/convert/status_to_wire.h"

namespace stellwerk::server {
namespace {

constexpr size_t kLargestChunk = 1 << 20;
constexpr int kMostAttempts = 10;
constexpr Duration kReportEvery = std::chrono::milliseconds(500);

absl::Status wrong(std::string_view field, std::string_view problem) {
  return invalid_fields({{std::string(field), std::string(problem)}});
}

// What the content is refused for is a mistake of the request: of what the spec says about it, or
// of the bytes themselves.
absl::Status content_error(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kInvalidArgument) return status;
  if (!violations_of(status).empty()) return convert::nest_fields(status, "spec");
  return in_field(status, "chunk");
}

}  // namespace

grpc::ServerReadReactor<grpc::ByteBuffer>* ImportCall::start(grpc::CallbackServerContext* context,
                                                             grpc::ByteBuffer* response,
                                                             const ImportEnvironment& environment) {
  const std::shared_ptr<ImportCall> call(new ImportCall(context, response, environment));
  call->self_ = call;
  const absl::Status admitted = environment.streams.admit(call, "imports");
  if (admitted.ok()) {
    call->read_next();
  } else {
    call->finish(admitted);
  }
  return call.get();
}

ImportCall::ImportCall(grpc::CallbackServerContext* context, grpc::ByteBuffer* response,
                       const ImportEnvironment& environment)
    : context_(context),
      response_(response),
      environment_(environment),
      last_byte_(environment.clock.now().monotonic) {}

bool ImportCall::leave(State waiting) {
  const std::lock_guard lock(mutex_);
  if (state_ != waiting) return false;
  state_ = State::kBusy;
  return true;
}

void ImportCall::on_pool(void (ImportCall::*step)()) {
  environment_.gateway.run_blocking([self = shared_from_this(), step] { (self.get()->*step)(); });
}

void ImportCall::read_next() {
  {
    const std::lock_guard lock(mutex_);
    if (!interrupted_) {
      state_ = State::kReading;
      // Under the lock: once the read is ours to lose, it has begun.
      StartRead(&incoming_);
      return;
    }
  }
  fail(*interrupted_);
}

void ImportCall::OnReadDone(bool ok) {
  if (!leave(State::kReading)) return;
  if (ok) return take_message();
  if (!image_) return fail(wrong("spec", "the stream ended before it; send it first"));
  // The end of the stream, or of the connection: both end the read side. A stream that the client
  // has ended can still be answered, a broken one cannot, so an answer's beginning tells.
  StartSendInitialMetadata();
}

void ImportCall::OnSendInitialMetadataDone(bool ok) {
  if (!ok) {
    return fail(with_reason(make_status(absl::StatusCode::kCancelled,
                                        fmt::format("the stream broke after {} bytes", received_)),
                            "IMPORT_BROKEN_OFF"));
  }
  if (import_.size && Bytes(received_) < *import_.size) {
    return fail(wrong("spec.size_bytes", fmt::format("{} bytes were announced, {} came",
                                                     import_.size->count(), received_)));
  }
  on_pool(&ImportCall::seal);
}

void ImportCall::take_message() {
  v1::ImportImageRequest message;
  if (const absl::Status parsed = parse(incoming_, &message); !parsed.ok()) return fail(parsed);
  incoming_.Clear();
  if (!spec_seen_) {
    if (!message.has_spec()) return fail(wrong("spec", "is missing; the first message carries it"));
    spec_seen_ = true;
    return begin(message.spec());
  }
  if (const absl::Status taken = take_chunk(&message); !taken.ok()) return fail(taken);
  on_pool(&ImportCall::write);
}

absl::Status ImportCall::take_chunk(v1::ImportImageRequest* message) {
  if (!message->has_chunk()) {
    return wrong("chunk", "is missing; all messages but the first carry one");
  }
  chunk_ = std::move(*message->mutable_chunk());
  if (chunk_.size() > kLargestChunk) {
    return wrong("chunk", fmt::format("has {} bytes; send at most {} in one message", chunk_.size(),
                                      kLargestChunk));
  }
  received_ += static_cast<int64_t>(chunk_.size());
  if (import_.size && Bytes(received_) > *import_.size) {
    return wrong("spec.size_bytes",
                 fmt::format("{} bytes were announced, more came", import_.size->count()));
  }
  if (!chunk_.empty()) {
    const std::lock_guard lock(mutex_);
    last_byte_ = environment_.clock.now().monotonic;
  }
  report_progress();
  return absl::OkStatus();
}

void ImportCall::report_progress() {
  const MonotonicTime now = environment_.clock.now().monotonic;
  if (!image_ || now - reported_at_ < kReportEvery) return;
  reported_at_ = now;
  environment_.gateway.report_progress(*image_,
                                       {.received = Bytes(received_), .expected = import_.size});
}

void ImportCall::begin(const v1::ImportImageRequest::Spec& spec) {
  const absl::StatusOr<convert::Origin> origin =
      origin_of(*context_, environment_.peers, environment_.gateway);
  if (!origin.ok()) return fail(origin.status());
  import_ = convert::to_import(spec, *origin);
  submit(import_.begin.body,
         [self = shared_from_this()](const auto& answer) { self->begun(answer); });
}

void ImportCall::begun(const absl::StatusOr<controller::Answer>& answer) {
  if (!answer.ok()) return fail(convert::nest_fields(answer.status(), "spec"));
  const auto* view = std::get_if<controller::ImageView>(&*answer);
  if (view == nullptr) return fail(foreign_answer());
  // A repetition of an import that has succeeded.
  if (view->image.state == ImageState::kActive) return respond(answer);
  if (!environment_.claims.claim(view->image.uid)) {
    return fail(with_reason(aborted("this import is under way in another stream; wait for it"),
                            "IMPORT_UNDER_WAY"));
  }
  image_ = view->image.uid;
  on_pool(&ImportCall::open);
}

void ImportCall::open() {
  absl::StatusOr<std::unique_ptr<storage::ImageUpload>> upload =
      environment_.gateway.images().begin_upload(*image_, import_.size);
  if (!upload.ok()) return fail(content_error(upload.status()));
  upload_ = *std::move(upload);
  read_next();
}

void ImportCall::write() {
  if (const absl::Status written = upload_->write(chunk_); !written.ok()) {
    return fail(content_error(written));
  }
  read_next();
}

void ImportCall::seal() {
  const absl::StatusOr<storage::ImageFacts> facts = upload_->finish(import_.sha256);
  upload_.reset();
  if (!facts.ok()) return fail(content_error(facts.status()));
  commit(*facts);
}

void ImportCall::commit(const storage::ImageFacts& facts) {
  const controller::ImportedContent content{.format = facts.format,
                                            .file_size = facts.file_size,
                                            .virtual_size = facts.virtual_size,
                                            .sha256 = facts.sha256};
  submitted_ = true;
  submit(controller::FinishImageImport{.image = *image_, .content = content},
         [self = shared_from_this()](const auto& answer) {
           if (answer.ok()) {
             self->respond(answer);
           } else {
             self->fail(answer.status());
           }
         });
}

void ImportCall::fail(const absl::Status& why) {
  failure_ = why;
  if (!image_) return finish(why);
  on_pool(&ImportCall::discard);
}

void ImportCall::discard() {
  upload_.reset();
  // Content that was submitted may still become the image's.
  if (!submitted_) files_gone_ = environment_.gateway.images().delete_image(*image_).ok();
  give_up();
}

void ImportCall::give_up() {
  ++attempts_;
  submit(
      controller::FinishImageImport{
          .image = *image_, .content = failure_, .files_gone = files_gone_},
      [self = shared_from_this()](const auto& answer) { self->given_up(answer.status()); });
}

// The controller may be unable to commit just now; the name stays taken until it could.
void ImportCall::given_up(const absl::Status& answer) {
  const bool later = answer.code() == absl::StatusCode::kUnavailable ||
                     answer.code() == absl::StatusCode::kResourceExhausted;
  const bool echoed = message_of(answer) == message_of(failure_);
  if (later && !echoed && attempts_ < kMostAttempts) {
    const std::lock_guard lock(mutex_);
    state_ = State::kWaiting;
    return;
  }
  if (later && !echoed) {
    spdlog::error("image {}: the import could not be given up: {}; a restart will",
                  image_->to_string(), describe(answer));
  }
  finish(failure_);
}

void ImportCall::respond(const absl::StatusOr<controller::Answer>& answer) {
  const auto* view = std::get_if<controller::ImageView>(&*answer);
  finish(view == nullptr ? foreign_answer() : serialize(convert::to_wire(*view), response_));
}

void ImportCall::finish(const absl::Status& status) {
  if (image_) environment_.claims.release(*image_);
  environment_.streams.remove(this);
  const std::lock_guard lock(mutex_);
  state_ = State::kFinished;
  Finish(convert::to_wire(status));
}

void ImportCall::submit(controller::MutationBody body, AnswerCallback done) {
  environment_.gateway.submit(
      controller::Mutation{.context = import_.begin.context, .body = std::move(body)},
      answered_once(std::move(done)));
}

void ImportCall::OnCancel() {
  interrupt(with_reason(make_status(absl::StatusCode::kCancelled,
                                    "the client cancelled the import or its connection broke"),
                        "IMPORT_BROKEN_OFF"));
}

// gRPC calls it last, when no other callback of the call is running.
void ImportCall::OnDone() {
  self_.reset();
}

void ImportCall::interrupt(const absl::Status& why) {
  const std::shared_ptr<ImportCall> self = shared_from_this();
  {
    const std::lock_guard lock(mutex_);
    if (!interrupted_) interrupted_ = why;
    if (state_ != State::kReading) return;
    state_ = State::kBusy;
  }
  fail(*interrupted_);
}

void ImportCall::tick(MonotonicTime now) {
  bool idle = false;
  {
    const std::lock_guard lock(mutex_);
    idle = state_ == State::kReading && now - last_byte_ > environment_.idle;
  }
  if (idle) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(environment_.idle).count();
    interrupt(with_reason(
        deadline_exceeded("no byte of the image came for {} s; send the rest in time", seconds),
        "IMPORT_IDLE"));
  } else if (leave(State::kWaiting)) {
    give_up();
  }
}

}  // namespace stellwerk::server

// One import of an image: spec, bytes, image. The name is taken first (BeginImageImport), the bytes
// are written on the pool with one read in flight, and the image becomes active last
// (FinishImageImport). Whatever goes wrong in between, the upload is destroyed and the import given
// up before the client hears of it, so that nothing is left.
//
// Threads: at every moment one party carries the import on: gRPC (a read or a send is under way),
// the controller (an answer is awaited) or the pool. Everything but `state_` and `interrupted_`
// belongs to that party. Only a pending read can be taken over by somebody else: by the ticker, by
// cancellation, by the server's end; `leave` decides who was first.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "api/convert/from_wire.h"
#include "api/server/images_service.h"
#include "api/server/streams.h"

namespace stellwerk::server {

class ImportCall final : public grpc::ServerReadReactor<grpc::ByteBuffer>,
                         public Stream,
                         public std::enable_shared_from_this<ImportCall> {
 public:
  // The result owns itself until gRPC has done with it.
  static grpc::ServerReadReactor<grpc::ByteBuffer>* start(grpc::CallbackServerContext* context,
                                                          grpc::ByteBuffer* response,
                                                          const ImportEnvironment& environment);

  void OnReadDone(bool ok) override;
  void OnSendInitialMetadataDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  void tick(MonotonicTime now) override;
  void interrupt(const absl::Status& why) override;

 private:
  enum class State {
    kReading,  // a read is pending
    kBusy,     // somebody carries the import on
    kWaiting,  // for the next attempt to give the import up
    kFinished,
  };

  ImportCall(grpc::CallbackServerContext* context, grpc::ByteBuffer* response,
             const ImportEnvironment& environment);

  bool leave(State waiting);
  void on_pool(void (ImportCall::*step)());
  void read_next();
  void take_message();
  absl::Status take_chunk(v1::ImportImageRequest* message);
  void report_progress();
  void begin(const v1::ImportImageRequest::Spec& spec);
  void begun(const absl::StatusOr<controller::Answer>& answer);
  void open();
  void write();
  void seal();
  void commit(const storage::ImageFacts& facts);
  void fail(const absl::Status& why);
  void discard();
  void give_up();
  void given_up(const absl::Status& answer);
  void respond(const absl::StatusOr<controller::Answer>& answer);
  void finish(const absl::Status& status);
  void submit(controller::MutationBody body, AnswerCallback done);

  grpc::CallbackServerContext* const context_;
  grpc::ByteBuffer* const response_;
  const ImportEnvironment environment_;
  std::shared_ptr<ImportCall> self_;

  std::mutex mutex_;
  State state_ = State::kBusy;
  MonotonicTime last_byte_;  // when the client last sent one
  std::optional<absl::Status> interrupted_;

  grpc::ByteBuffer incoming_;
  convert::Import import_;
  std::string chunk_;
  int64_t received_ = 0;
  MonotonicTime reported_at_;
  bool spec_seen_ = false;
  std::optional<ImageUid> image_;  // set while we hold the claim on it
  std::unique_ptr<storage::ImageUpload> upload_;
  absl::Status failure_;
  int attempts_ = 0;
  bool submitted_ = false;   // the content, to the controller
  bool files_gone_ = false;  // of an import that failed
};

}  // namespace stellwerk::server

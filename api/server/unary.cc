#include "api/server/unary.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include "api/convert/status_to_wire.h"

namespace stellwerk::server {
namespace {

constexpr size_t kLargestResponse = (4 << 20) - (64 << 10);

class Promise {
 public:
  explicit Promise(AnswerCallback done) : done_(std::move(done)) {}
  ~Promise() { keep(unavailable("the daemon is stopping; try again")); }
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;

  void keep(absl::StatusOr<controller::Answer> answer) {
    if (const AnswerCallback done = std::exchange(done_, nullptr)) done(std::move(answer));
  }

 private:
  AnswerCallback done_;
};

}  // namespace

absl::Status parse(const grpc::ByteBuffer& bytes, google::protobuf::Message* message) {
  grpc::Slice slice;
  if (!bytes.TrySingleSlice(&slice).ok() && !bytes.DumpToSingleSlice(&slice).ok()) {
    return with_reason(invalid_argument("the request could not be decompressed"),
                       "MALFORMED_REQUEST");
  }
  return convert::parse_message({reinterpret_cast<const char*>(slice.begin()), slice.size()},
                                message);
}

absl::Status serialize(const google::protobuf::Message& message, grpc::ByteBuffer* bytes) {
  const size_t size = message.ByteSizeLong();
  if (size > kLargestResponse) {
    return with_reason(
        resource_exhausted("the answer has {} bytes, more than a client takes; ask for less, for "
                           "example with a smaller page_size",
                           size),
        "ANSWER_TOO_LARGE");
  }
  bool owned = false;
  const grpc::Status status =
      grpc::SerializationTraits<google::protobuf::Message>::Serialize(message, bytes, &owned);
  if (status.ok()) return absl::OkStatus();
  return internal_error("the answer could not be serialized: {}", status.error_message());
}

absl::StatusOr<convert::Origin> origin_of(const grpc::CallbackServerContext& context,
                                          const PeerTable& peers, Gateway& gateway) {
  const std::optional<Peer> peer = peers.find(context.peer());
  if (!peer) return permission_denied("this connection's caller is not known; connect again");
  return convert::Origin{.caller = caller_of(*peer), .fresh = gateway.fresh_request_id()};
}

AnswerCallback answered_once(AnswerCallback done) {
  const auto promise = std::make_shared<Promise>(std::move(done));
  return [promise](absl::StatusOr<controller::Answer> answer) { promise->keep(std::move(answer)); };
}

absl::Status foreign_answer() {
  return internal_error("the controller answered with another kind of resource");
}

void finish(const RawCall& call, const absl::Status& error) {
  call.reactor->Finish(convert::to_wire(error));
}

void finish(const RawCall& call, const google::protobuf::Message& response) {
  finish(call, serialize(response, call.response));
}

}  // namespace stellwerk::server

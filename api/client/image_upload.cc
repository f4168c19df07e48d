#include "api/client/image_upload.h"

namespace stellwerk::client {
namespace {

// 100 GiB through a slow disk; the daemon has a limit of its own on silence.
constexpr Duration kLongestUpload = std::chrono::hours(24);

using Writer = grpc::ClientWriter<v1::ImportImageRequest>;

// False: the daemon takes no more, and Finish says why.
absl::StatusOr<bool> send_chunks(Writer& writer, ByteSource& source) {
  std::string buffer(kChunkBytes, '\0');
  v1::ImportImageRequest part;
  for (;;) {
    SW_ASSIGN_OR_RETURN(const size_t count, source.read(std::span(buffer)));
    if (count == 0) return true;
    part.set_chunk(buffer.data(), count);
    if (!writer.Write(part)) return false;
  }
}

}  // namespace

absl::StatusOr<v1::Image> upload_image(Client& client, const v1::ImportImageRequest::Spec& spec,
                                       ByteSource& source) {
  v1::Image image;
  absl::Status source_failure;
  bool read_up = false;
  const auto send = [&](grpc::ClientContext& context) {
    auto writer = client.stub<v1::Images::Stub>().ImportImage(&context, &image);
    v1::ImportImageRequest first;
    *first.mutable_spec() = spec;
    if (writer->Write(first)) {
      const absl::StatusOr<bool> sent = send_chunks(*writer, source);
      source_failure = sent.status();
      if (!sent.ok()) {
        context.TryCancel();
      } else if (*sent) {
        writer->WritesDone();
      }
    }
    return writer->Finish();
  };
  const absl::Status status = client.attempt(kLongestUpload, send, [&] {
    read_up = !source.rewind();
    return !read_up;
  });
  if (!source_failure.ok()) return source_failure;
  if (read_up) return annotate(status, "standard input or a pipe cannot be read twice");
  if (!status.ok()) return status;
  return image;
}

}  // namespace stellwerk::client

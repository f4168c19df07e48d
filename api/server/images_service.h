// The service of images: imports are streams, the rest is unary.
#pragma once

#include <set>

#include "api/server/streams.h"
#include "api/server/unary.h"
#include "stellwerk/v1/images.grpc.pb.h"

namespace stellwerk::server {

// Images whose bytes are being received: two streams with one request_id must not write one image
// at the same time. Thread-safe.
class ImageClaims {
 public:
  // False if it is claimed already.
  bool claim(const ImageUid& image);
  void release(const ImageUid& image);

 private:
  std::mutex mutex_;
  std::set<ImageUid> claimed_;
};

// What an import needs; all of it outlives the imports.
struct ImportEnvironment {
  Gateway& gateway;
  const PeerTable& peers;
  StreamTable& streams;
  ImageClaims& claims;
  const Clock& clock;
  Duration idle;  // the longest pause of a client
};

using RawImages = v1::Images::WithRawCallbackMethod_ImportImage<
    v1::Images::WithRawCallbackMethod_GetImage<v1::Images::WithRawCallbackMethod_ListImages<
        v1::Images::WithRawCallbackMethod_ImportImageFromUrl<
            v1::Images::WithRawCallbackMethod_UpdateImage<
                v1::Images::WithRawCallbackMethod_DeleteImage<v1::Images::Service>>>>>>;

class ImagesService final : public RawImages {
 public:
  ImagesService(UnaryCalls& calls, const ImportEnvironment& imports)
      : calls_(calls), imports_(imports) {}

  grpc::ServerReadReactor<grpc::ByteBuffer>* ImportImage(grpc::CallbackServerContext* context,
                                                         grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ImportImageFromUrl(grpc::CallbackServerContext* context,
                                               const grpc::ByteBuffer* request,
                                               grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* UpdateImage(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetImage(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListImages(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* DeleteImage(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;

 private:
  UnaryCalls& calls_;
  ImportEnvironment imports_;
};

}  // namespace stellwerk::server

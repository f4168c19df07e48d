#include "api/server/images_service.h"

#include "api/server/import_call.h"

namespace stellwerk::server {

bool ImageClaims::claim(const ImageUid& image) {
  const std::lock_guard lock(mutex_);
  return claimed_.insert(image).second;
}

void ImageClaims::release(const ImageUid& image) {
  const std::lock_guard lock(mutex_);
  claimed_.erase(image);
}

grpc::ServerReadReactor<grpc::ByteBuffer>* ImagesService::ImportImage(
    grpc::CallbackServerContext* context, grpc::ByteBuffer* response) {
  return ImportCall::start(context, response, imports_);
}

grpc::ServerUnaryReactor* ImagesService::ImportImageFromUrl(grpc::CallbackServerContext* context,
                                                            const grpc::ByteBuffer* request,
                                                            grpc::ByteBuffer* response) {
  return calls_.mutate<v1::ImportImageFromUrlRequest, controller::ImageView>(
      {context, request, response});
}

grpc::ServerUnaryReactor* ImagesService::UpdateImage(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request,
                                                     grpc::ByteBuffer* response) {
  return calls_.mutate<v1::UpdateImageRequest, controller::ImageView>({context, request, response});
}

grpc::ServerUnaryReactor* ImagesService::GetImage(grpc::CallbackServerContext* context,
                                                  const grpc::ByteBuffer* request,
                                                  grpc::ByteBuffer* response) {
  return calls_.query<v1::GetImageRequest, controller::ImageView>({context, request, response});
}

grpc::ServerUnaryReactor* ImagesService::ListImages(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request,
                                                    grpc::ByteBuffer* response) {
  return calls_.query<v1::ListImagesRequest, controller::Page<controller::ImageView>>(
      {context, request, response});
}

grpc::ServerUnaryReactor* ImagesService::DeleteImage(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request,
                                                     grpc::ByteBuffer* response) {
  return calls_.mutate<v1::DeleteImageRequest, controller::ImageView>({context, request, response});
}

}  // namespace stellwerk::server

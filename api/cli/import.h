// image import: reads a file or standard input here and streams it to the daemon.
#pragma once

#include <string>

#include "api/cli/context.h"
#include "stellwerk/v1/images.pb.h"

namespace stellwerk::cli {

// `spec.size_bytes` is filled in where the source's size is known.
absl::StatusOr<v1::Image> import_image(Context& context, const std::string& path,
                                       v1::ImportImageRequest::Spec spec);

}  // namespace stellwerk::cli

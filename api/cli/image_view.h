// How images are shown. Pure.
#pragma once

#include "api/cli/context.h"
#include "api/cli/print.h"
#include "stellwerk/v1/images.pb.h"

namespace stellwerk::cli {

Columns<v1::Image> image_columns(const Context& context, bool with_project);
KeyValues image_details(const v1::Image& image, WallTime now);

}  // namespace stellwerk::cli

// Decides by content alone what an uploaded image is, and whether it is safe to hand to QEMU.
//
// Invariants: what is accepted refers to no other file, is whole, and within the limits; content
// that any format but raw would claim is never accepted as raw, for a guest could otherwise make
// QEMU open a file of the host's. Pure: reads only through the reader; never throws. Any thread.
#pragma once

#include <string_view>

#include "core/model.h"
#include "core/status.h"
#include "core/units.h"
#include "drivers/storage/local/random_access_reader.h"

namespace stellwerk::storage {

struct InspectionLimits {
  Bytes largest_virtual_size;
};

struct InspectedImage {
  ImageFormat format = ImageFormat::kRaw;
  Bytes virtual_size;
};

// InvalidArgument says what the content looks like or what is wrong, and what would do.
absl::StatusOr<InspectedImage> inspect_image(const RandomAccessReader& image,
                                             const InspectionLimits& limits);

}  // namespace stellwerk::storage

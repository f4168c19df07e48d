#include "drivers/storage/local/image_inspector.h"

#include "drivers/storage/local/foreign_formats.h"
#include "drivers/storage/local/qcow2.h"

namespace stellwerk::storage {
namespace {

constexpr uint64_t kSector = 512;

absl::Status check_virtual_size(uint64_t size, const InspectionLimits& limits) {
  const auto largest = static_cast<uint64_t>(limits.largest_virtual_size.count());
  if (size <= largest) return absl::OkStatus();
  // A malicious header may claim more than Bytes can hold.
  constexpr auto kMost = static_cast<uint64_t>(INT64_MAX);
  return invalid_argument("the disk in the image has {}; at most {} are allowed here",
                          to_string(Bytes(static_cast<int64_t>(size < kMost ? size : kMost))),
                          to_string(limits.largest_virtual_size));
}

absl::StatusOr<InspectedImage> inspect_raw(const RandomAccessReader& image) {
  SW_ASSIGN_OR_RETURN(const auto foreign, find_foreign_format(image));
  if (foreign) {
    return invalid_argument("the image looks like {}, not like a disk; {}", foreign->looks_like,
                            foreign->remedy);
  }
  if (image.size() % kSector != 0) {
    return invalid_argument(
        "the image is not qcow2, and as a raw disk its {} bytes are no multiple of {}: it is "
        "truncated, or no disk image; compare its size and checksum with the source's",
        image.size(), kSector);
  }
  return InspectedImage{.format = ImageFormat::kRaw,
                        .virtual_size = Bytes(static_cast<int64_t>(image.size()))};
}

}  // namespace

absl::StatusOr<InspectedImage> inspect_image(const RandomAccessReader& image,
                                             const InspectionLimits& limits) {
  if (image.size() == 0) return invalid_argument("the image is empty; give a raw or qcow2 disk");
  InspectedImage found;
  SW_ASSIGN_OR_RETURN(const bool qcow2, has_qcow_magic(image));
  if (qcow2) {
    SW_ASSIGN_OR_RETURN(const Qcow2Header header, read_qcow2_header(image));
    SW_RETURN_IF_ERROR(check_virtual_size(header.virtual_size, limits));
    SW_RETURN_IF_ERROR(check_stands_alone(header));
    SW_RETURN_IF_ERROR(check_whole(image, header));
    found = {.format = ImageFormat::kQcow2,
             .virtual_size = Bytes(static_cast<int64_t>(header.virtual_size))};
  } else {
    SW_ASSIGN_OR_RETURN(found, inspect_raw(image));
    SW_RETURN_IF_ERROR(check_virtual_size(image.size(), limits));
  }
  return found;
}

}  // namespace stellwerk::storage

#include "drivers/storage/local/image_upload.h"

#include <fcntl.h>

#include "drivers/storage/local/image_inspector.h"

namespace stellwerk::storage {
namespace {

// Free space is looked at once for so many bytes: often enough beside a reserve of gigabytes.
constexpr Bytes kBetweenChecks = mebibytes(16);

}  // namespace

std::string over_limit(Bytes largest_file) {
  return fmt::format(
      "the image has more than {}, the largest that is allowed here; make it smaller (qemu-img "
      "convert -c -O qcow2 IN OUT) or raise storage.max_image_mib",
      to_string(largest_file));
}

absl::StatusOr<std::unique_ptr<LocalImageUpload>> LocalImageUpload::begin(
    const Layout& layout, const ImageUid& image, const UploadLimits& limits, PublishImage publish) {
  auto file = open_file(layout.upload(image), O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (file.status().code() == absl::StatusCode::kAlreadyExists) {
    return aborted("image {} is being uploaded already; wait for that upload to end",
                   image.to_string());
  }
  SW_RETURN_IF_ERROR(file.status());
  std::unique_ptr<LocalImageUpload> upload(
      new LocalImageUpload(layout, image, limits, std::move(publish), std::move(*file)));
  SW_RETURN_IF_ERROR(upload->check_space());
  return upload;
}

LocalImageUpload::~LocalImageUpload() {
  // What cannot be removed now is removed when the storage opens again.
  if (!published_) remove_file(layout_.upload(image_)).IgnoreError();
}

absl::Status LocalImageUpload::write(std::string_view bytes) {
  const absl::Status appended = append(bytes);
  failed_ |= !appended.ok();
  return appended;
}

absl::Status LocalImageUpload::append(std::string_view bytes) {
  const Bytes size(static_cast<int64_t>(bytes.size()));
  if (size > limits_.largest_file - received_) {
    return make_status(absl::StatusCode::kInvalidArgument, over_limit(limits_.largest_file));
  }
  if (received_ + size - checked_at_ >= kBetweenChecks) SW_RETURN_IF_ERROR(check_space());
  const absl::Status written = write_all(file_, bytes, layout_.upload(image_));
  if (written.code() == absl::StatusCode::kResourceExhausted) return disk_is_full();
  SW_RETURN_IF_ERROR(written);
  digest_.update(bytes);
  received_ += size;
  return absl::OkStatus();
}

absl::Status LocalImageUpload::check_space() {
  SW_ASSIGN_OR_RETURN(const Space space, space_at(layout_.incoming()));
  if (space.available < limits_.keep_available + kBetweenChecks &&
      limits_.keep_available > Bytes(0)) {
    return disk_is_full();
  }
  checked_at_ = received_;
  return absl::OkStatus();
}

absl::Status LocalImageUpload::disk_is_full() {
  SW_ASSIGN_OR_RETURN(const Space space, space_at(layout_.incoming()));
  return resource_exhausted(
      "the disk of {} is full: {} of {} were available, {} are kept for "
      "guests, and {} of the image had arrived; delete images or instances, "
      "or give the host more disk",
      layout_.root(), to_string(space.available + received_), to_string(space.capacity),
      to_string(limits_.keep_available), to_string(received_));
}

absl::Status LocalImageUpload::check_digest(const Sha256& actual,
                                            const std::optional<Sha256>& expected) const {
  if (!expected || *expected == actual) return absl::OkStatus();
  return invalid_fields(
      {{"sha256", fmt::format("the image's is {}, {} was expected ({} arrived); the file was "
                              "changed or cut short on its way: fetch it again",
                              to_hex(actual), to_hex(*expected), to_string(received_))}});
}

absl::StatusOr<ImageFacts> LocalImageUpload::finish(const std::optional<Sha256>& expected) {
  if (failed_) return failed_precondition("the upload failed before; begin a new one");
  failed_ = true;  // whatever comes of it, an upload ends only once
  const std::string partial = layout_.upload(image_);
  const Sha256 digest = digest_.finish();
  SW_RETURN_IF_ERROR(check_digest(digest, expected));
  SW_ASSIGN_OR_RETURN(const FileReader reader, FileReader::open(partial));
  SW_ASSIGN_OR_RETURN(
      const InspectedImage found,
      inspect_image(reader, {.largest_virtual_size = limits_.largest_virtual_size}));
  const absl::Status synced = sync_file(file_, partial);
  if (synced.code() == absl::StatusCode::kResourceExhausted) return disk_is_full();
  SW_RETURN_IF_ERROR(synced);
  SW_RETURN_IF_ERROR(publish_(found.format, partial));
  published_ = true;
  return ImageFacts{.format = found.format,
                    .file_size = received_,
                    .virtual_size = found.virtual_size,
                    .sha256 = digest};
}

}  // namespace stellwerk::storage

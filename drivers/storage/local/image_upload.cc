#include "drivers/storage/local/image_upload.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "core/failpoint.h"
#include "core/parse_number.h"
#include "drivers/storage/local/image_inspector.h"

namespace stellwerk::storage {
namespace {

// Free space is looked at once for so many bytes: often enough beside a reserve of gigabytes.
constexpr Bytes kBetweenChecks = mebibytes(16);
constexpr size_t kLongestCheckpoint = 8 * 1024;
constexpr size_t kLongestNote = 4 * 1024;
constexpr size_t kReadAtOnce = 1 << 20;

struct Checkpoint {
  Bytes length;
  std::string note;
};

// "LENGTH\nNOTE". Nothing durable to go on from if it is missing or unreadable.
Checkpoint read_checkpoint(const std::string& path) {
  const auto text = read_small_file(path, kLongestCheckpoint);
  if (!text.ok()) return {};
  const size_t line = text->find('\n');
  if (line == std::string::npos) return {};
  const auto length = parse_number<int64_t>(std::string_view(*text).substr(0, line));
  if (!length || *length < 0) return {};
  return {.length = Bytes(*length), .note = text->substr(line + 1)};
}

absl::Status write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  const std::string partial = path + std::string(kPartialSuffix);
  SW_RETURN_IF_ERROR(remove_file(partial));
  SW_ASSIGN_OR_RETURN(const Descriptor file, open_file(partial, O_WRONLY | O_CREAT | O_EXCL, 0600));
  const std::string text = std::to_string(checkpoint.length.count()) + "\n" + checkpoint.note;
  SW_RETURN_IF_ERROR(write_all(file, text, partial));
  SW_RETURN_IF_ERROR(sync_file(file, partial));
  return publish(partial, path);
}

absl::Status cut(const Descriptor& file, Bytes length, const std::string& path) {
  if (::ftruncate(file.get(), length.count()) != 0) return file_error(errno, "shorten", path);
  if (::lseek(file.get(), 0, SEEK_END) < 0) return file_error(errno, "seek in", path);
  return absl::OkStatus();
}

absl::Status digest_file(const FileReader& reader, uint64_t size, Sha256Stream& digest) {
  std::vector<uint8_t> buffer(kReadAtOnce);
  for (uint64_t at = 0; at < size;) {
    const std::span<uint8_t> piece(buffer.data(), std::min<uint64_t>(buffer.size(), size - at));
    SW_RETURN_IF_ERROR(reader.read(at, piece));
    digest.update({reinterpret_cast<const char*>(piece.data()), piece.size()});
    at += piece.size();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ImageFacts> look_at_image(const std::string& path, const UploadLimits& limits) {
  SW_ASSIGN_OR_RETURN(const FileReader reader, FileReader::open(path));
  SW_ASSIGN_OR_RETURN(const InspectedImage found,
                      inspect_image(reader, {.largest_virtual_size = limits.largest_virtual_size}));
  Sha256Stream digest;
  SW_RETURN_IF_ERROR(digest_file(reader, reader.size(), digest));
  return ImageFacts{.format = found.format,
                    .file_size = Bytes(static_cast<int64_t>(reader.size())),
                    .virtual_size = found.virtual_size,
                    .sha256 = digest.finish()};
}

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
      new LocalImageUpload(layout, image, limits, std::move(publish), std::move(*file), false));
  SW_RETURN_IF_ERROR(upload->check_space());
  return upload;
}

absl::StatusOr<std::unique_ptr<LocalImageUpload>> LocalImageUpload::resume(
    const Layout& layout, const ImageUid& image, const UploadLimits& limits, PublishImage publish) {
  const std::string path = layout.resumable(image);
  SW_ASSIGN_OR_RETURN(Descriptor file, open_file(path, O_RDWR | O_CREAT, 0600));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return aborted("image {} is being fetched already; wait for that to end", image.to_string());
  }
  std::unique_ptr<LocalImageUpload> upload(
      new LocalImageUpload(layout, image, limits, std::move(publish), std::move(file), true));
  SW_RETURN_IF_ERROR(upload->go_on());
  SW_RETURN_IF_ERROR(upload->check_space());
  return upload;
}

absl::Status LocalImageUpload::go_on() {
  Checkpoint last = read_checkpoint(layout_.checkpoint(image_));
  SW_ASSIGN_OR_RETURN(const FileReader there, FileReader::open(path()));
  if (Bytes(static_cast<int64_t>(there.size())) < last.length || last.note.empty()) last = {};
  SW_RETURN_IF_ERROR(cut(file_, last.length, path()));
  SW_RETURN_IF_ERROR(digest_again(last.length));
  note_ = std::move(last.note);
  return absl::OkStatus();
}

absl::Status LocalImageUpload::digest_again(Bytes length) {
  SW_ASSIGN_OR_RETURN(const FileReader reader, FileReader::open(path()));
  SW_RETURN_IF_ERROR(digest_file(reader, static_cast<uint64_t>(length.count()), digest_));
  received_ = checked_at_ = length;
  return absl::OkStatus();
}

absl::Status LocalImageUpload::checkpoint(std::string_view note) {
  if (failed_) return failed_precondition("the upload failed before; resume it anew");
  if (note.empty() || note.size() > kLongestNote) {
    return invalid_argument("a checkpoint's note has 1 to {} bytes", kLongestNote);
  }
  const absl::Status synced = sync_file(file_, path());
  if (synced.code() == absl::StatusCode::kResourceExhausted) return disk_is_full();
  SW_RETURN_IF_ERROR(synced);
  failpoint("storage.checkpoint-image.before");
  SW_RETURN_IF_ERROR(write_checkpoint(layout_.checkpoint(image_), {received_, std::string(note)}));
  failpoint("storage.checkpoint-image.after");
  note_ = note;
  return absl::OkStatus();
}

absl::Status LocalImageUpload::restart() {
  // In this order: a checkpoint never speaks of bytes that are another file's.
  SW_RETURN_IF_ERROR(remove_file(layout_.checkpoint(image_)));
  SW_RETURN_IF_ERROR(sync_directory(layout_.incoming()));
  SW_RETURN_IF_ERROR(cut(file_, Bytes(), path()));
  digest_ = Sha256Stream();
  received_ = checked_at_ = Bytes();
  note_.clear();
  return absl::OkStatus();
}

absl::Status LocalImageUpload::expect(Bytes total) {
  if (total > limits_.largest_file) {
    return make_status(absl::StatusCode::kInvalidArgument, over_limit(limits_.largest_file));
  }
  SW_ASSIGN_OR_RETURN(const Space space, space_at(layout_.incoming()));
  if (total - received_ <= space.available - limits_.keep_available) return absl::OkStatus();
  return resource_exhausted(
      "the image has {}, and {} of {} are available at {}, of which {} are kept for guests; delete "
      "images or instances, or give the host more disk",
      to_string(total), to_string(space.available + received_), to_string(space.capacity),
      layout_.root(), to_string(limits_.keep_available));
}

LocalImageUpload::~LocalImageUpload() {
  // What cannot be removed now is removed when the storage opens again.
  if (!published_ && !resumable_) remove_file(path()).IgnoreError();
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
  const absl::Status written = write_all(file_, bytes, path());
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
  const std::string partial = path();
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
  if (resumable_) remove_file(layout_.checkpoint(image_)).IgnoreError();
  return ImageFacts{.format = found.format,
                    .file_size = received_,
                    .virtual_size = found.virtual_size,
                    .sha256 = digest};
}

}  // namespace stellwerk::storage

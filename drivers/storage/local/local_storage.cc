#include "drivers/storage/local/local_storage.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <mutex>

#include "core/failpoint.h"
#include "core/parse_number.h"
#include "drivers/storage/local/child_process.h"
#include "drivers/storage/local/image_upload.h"
#include "drivers/storage/local/qcow2.h"
#include "drivers/storage/local/seed_iso.h"

namespace stellwerk::storage {
namespace {

constexpr mode_t kPassable = 0711;
constexpr mode_t kPrivateDirectory = 0700;
constexpr mode_t kPrivateFile = 0600;
// More than an overlay without data takes, whatever its size.
constexpr Bytes kEmptyOverlay = mebibytes(1);

// Other names than ours in a folder are left alone.
template <class Uid>
std::optional<Uid> uid_named(std::string_view name) {
  const auto uid = Uid::parse(name);
  return uid && uid->to_string() == name ? uid : std::nullopt;
}

std::string partial_of(const std::string& path) {
  return path + std::string(kPartialSuffix);
}

absl::StatusOr<std::string> make_root(const std::string& directory) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(directory, error);
  if (error) return file_error(error.value(), "create the directory", directory);
  const std::filesystem::path root = std::filesystem::canonical(directory, error);
  if (error) return file_error(error.value(), "find", directory);
  // The mode of a directory that was there is its owner's business.
  if (made) SW_RETURN_IF_ERROR(ensure_directory(root.string(), kPassable));
  return root.string();
}

absl::StatusOr<Descriptor> lock_directory(const Layout& layout) {
  SW_ASSIGN_OR_RETURN(Descriptor lock, open_file(layout.lock(), O_RDWR | O_CREAT, kPrivateFile));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return file_error(errno, "lock", layout.lock());
  return failed_precondition(
      "another process uses the storage directory {}; stop it, or set "
      "storage.directory to another one",
      layout.root());
}

// Runs `fill` on a new private file and gives it its final name once it is durable.
template <class Fill>
absl::Status create_file(const std::string& path, Fill fill) {
  const std::string partial = partial_of(path);
  SW_RETURN_IF_ERROR(remove_file(partial));
  SW_ASSIGN_OR_RETURN(const Descriptor file,
                      open_file(partial, O_RDWR | O_CREAT | O_EXCL, kPrivateFile));
  absl::Status filled = fill(file, partial);
  if (filled.ok()) filled = sync_file(file, partial);
  if (filled.ok()) filled = publish(partial, path);
  if (!filled.ok()) remove_file(partial).IgnoreError();
  return filled;
}

absl::Status require_layout(const std::string& directory) {
  const std::string images = Layout(directory).images();
  SW_ASSIGN_OR_RETURN(const bool exists, file_exists(images));
  if (exists) return absl::OkStatus();
  return failed_precondition(
      "{} is not there, although this host has worked with it: is the disk mounted that {} lies "
      "on? To begin with an empty storage: mkdir -p {}",
      images, directory, images);
}

// A mark is never half-written; if it is unreadable all the same, the guest counts as not yet
// started under its present orders: it is started if it is wanted.
Generation parse_mark(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return Generation(parse_number<uint64_t>(text).value_or(0));
}

absl::StatusOr<Bytes> virtual_size_of(const std::string& disk) {
  SW_ASSIGN_OR_RETURN(const FileReader file, FileReader::open(disk));
  SW_ASSIGN_OR_RETURN(const Qcow2Header header, read_qcow2_header(file));
  return Bytes(static_cast<int64_t>(header.virtual_size));
}

}  // namespace

absl::StatusOr<std::unique_ptr<LocalStorage>> LocalStorage::open(const Options& options) {
  if (options.must_exist) SW_RETURN_IF_ERROR(require_layout(options.directory));
  SW_ASSIGN_OR_RETURN(const std::string root, make_root(options.directory));
  Layout layout(root);
  SW_ASSIGN_OR_RETURN(Descriptor lock, lock_directory(layout));
  SW_RETURN_IF_ERROR(ensure_directory(layout.images(), kPassable));
  SW_RETURN_IF_ERROR(ensure_directory(layout.incoming(), kPrivateDirectory));
  SW_RETURN_IF_ERROR(ensure_directory(layout.instances(), kPassable));
  std::unique_ptr<LocalStorage> storage(
      new LocalStorage(options, std::move(layout), std::move(lock)));
  SW_RETURN_IF_ERROR(storage->remove_leftovers());
  return storage;
}

absl::Status LocalStorage::remove_leftovers() const {
  SW_ASSIGN_OR_RETURN(const auto uploads, list_directory(layout_.incoming()));
  for (const std::string& name : uploads) {
    if (!name.ends_with(kPartialSuffix)) continue;
    SW_RETURN_IF_ERROR(remove_file(layout_.incoming() + "/" + name));
  }
  SW_ASSIGN_OR_RETURN(const auto folders, list_directory(layout_.instances()));
  for (const std::string& name : folders) {
    const std::string folder = layout_.instances() + "/" + name;
    if (name.ends_with(kDeletingSuffix)) SW_RETURN_IF_ERROR(remove_tree(folder));
    if (uid_named<InstanceUid>(name)) SW_RETURN_IF_ERROR(remove_leftovers_of(folder));
  }
  return absl::OkStatus();
}

absl::Status LocalStorage::remove_leftovers_of(const std::string& instance_folder) const {
  SW_ASSIGN_OR_RETURN(const auto names, list_directory(instance_folder));
  size_t kept = 0;
  for (const std::string& name : names) {
    if (name.ends_with(kPartialSuffix)) {
      SW_RETURN_IF_ERROR(remove_file(instance_folder + "/" + name));
    } else {
      ++kept;
    }
  }
  return kept == 0 ? remove_tree(instance_folder) : absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ImageUpload>> LocalStorage::begin_upload(
    const ImageUid& image, std::optional<Bytes> announced) {
  if (announced > options_.largest_image_file) {
    return invalid_fields({{"size_bytes", over_limit(options_.largest_image_file)}});
  }
  SW_RETURN_IF_ERROR(check_not_backing(image));
  return LocalImageUpload::begin(layout_, image, limits(),
                                 [this, image](ImageFormat format, const std::string& partial) {
                                   return publish_image(image, format, partial);
                                 });
}

absl::StatusOr<std::unique_ptr<ResumableUpload>> LocalStorage::resume_upload(
    const ImageUid& image) {
  SW_RETURN_IF_ERROR(check_not_backing(image));
  return LocalImageUpload::resume(layout_, image, limits(),
                                  [this, image](ImageFormat format, const std::string& partial) {
                                    return publish_image(image, format, partial);
                                  });
}

absl::StatusOr<ImageFacts> LocalStorage::published(const ImageUid& image) {
  for (const ImageFormat format : {ImageFormat::kRaw, ImageFormat::kQcow2}) {
    const std::string path = layout_.image(image, format);
    SW_ASSIGN_OR_RETURN(const bool exists, file_exists(path));
    if (!exists) continue;
    SW_ASSIGN_OR_RETURN(ImageFacts facts, look_at_image(path, limits()));
    facts.format = format;  // as disks name it
    SW_RETURN_IF_ERROR(remove_file(layout_.checkpoint(image)));
    SW_RETURN_IF_ERROR(remove_file(layout_.resumable(image)));
    return facts;
  }
  return not_found("there is no image {} on this host", image.to_string());
}

UploadLimits LocalStorage::limits() const {
  return {.largest_file = options_.largest_image_file,
          .largest_virtual_size = options_.largest_virtual_size,
          .keep_available = options_.keep_available};
}

absl::Status LocalStorage::publish_image(const ImageUid& image, ImageFormat format,
                                         const std::string& partial) {
  const std::unique_lock lock(images_mutex_);
  SW_RETURN_IF_ERROR(check_not_backing(image));
  failpoint("storage.publish-image.before");
  // One image never lies there in two formats.
  const ImageFormat other = format == ImageFormat::kRaw ? ImageFormat::kQcow2 : ImageFormat::kRaw;
  SW_RETURN_IF_ERROR(remove_file(layout_.image(image, other)));
  SW_RETURN_IF_ERROR(publish(partial, layout_.image(image, format)));
  failpoint("storage.publish-image.after");
  return absl::OkStatus();
}

absl::Status LocalStorage::delete_image(const ImageUid& image) {
  const std::unique_lock lock(images_mutex_);
  SW_RETURN_IF_ERROR(check_not_backing(image));
  failpoint("storage.delete-image.before");
  SW_RETURN_IF_ERROR(remove_file(layout_.image(image, ImageFormat::kRaw)));
  SW_RETURN_IF_ERROR(remove_file(layout_.image(image, ImageFormat::kQcow2)));
  SW_RETURN_IF_ERROR(sync_directory(layout_.images()));
  // In this order: bytes without a checkpoint are nothing's.
  SW_RETURN_IF_ERROR(remove_file(layout_.checkpoint(image)));
  SW_RETURN_IF_ERROR(remove_file(layout_.resumable(image)));
  SW_RETURN_IF_ERROR(sync_directory(layout_.incoming()));
  failpoint("storage.delete-image.after");
  return absl::OkStatus();
}

// No disk refers to an image that is not there, however damaged a disk may be.
absl::Status LocalStorage::check_not_backing(const ImageUid& image) const {
  for (const ImageFormat format : {ImageFormat::kRaw, ImageFormat::kQcow2}) {
    SW_ASSIGN_OR_RETURN(const bool exists, file_exists(layout_.image(image, format)));
    if (exists) return check_unused(image);
  }
  return absl::OkStatus();
}

absl::Status LocalStorage::check_unused(const ImageUid& image) const {
  SW_ASSIGN_OR_RETURN(const auto folders, list_directory(layout_.instances()));
  for (const std::string& name : folders) {
    const auto instance = uid_named<InstanceUid>(name);
    if (!instance) continue;
    const auto disk = FileReader::open(layout_.disk(*instance));
    if (disk.status().code() == absl::StatusCode::kNotFound) continue;
    SW_RETURN_IF_ERROR(disk.status());
    const auto backing = qcow2_backing_file(*disk);
    // An unreadable disk may refer to any image.
    if (!backing.ok()) {
      return failed_precondition("image {} may be in use by {}, which cannot be read ({})",
                                 image.to_string(), layout_.disk(*instance),
                                 message_of(backing.status()));
    }
    for (const ImageFormat format : {ImageFormat::kRaw, ImageFormat::kQcow2}) {
      if (*backing != Layout::image_seen_from_disk(image, format)) continue;
      return failed_precondition(
          "image {} is in use by the disk of instance {}; delete that "
          "instance first",
          image.to_string(), name);
    }
  }
  return absl::OkStatus();
}

template <class Create>
absl::Status LocalStorage::create_in(const InstanceUid& instance, Create create) const {
  const std::string folder = layout_.instance(instance);
  SW_RETURN_IF_ERROR(ensure_directory(folder, kPassable));
  const absl::Status created = create();
  // Only an empty folder goes.
  if (!created.ok()) ::rmdir(folder.c_str());
  return created;
}

absl::Status LocalStorage::create_disk(const DiskSpec& spec) {
  const std::shared_lock lock(images_mutex_);
  SW_ASSIGN_OR_RETURN(const bool exists, file_exists(layout_.disk(spec.instance)));
  if (exists) return grow_disk(spec);
  SW_RETURN_IF_ERROR(check_disk_fits_image(spec));
  failpoint("storage.create-disk.before");
  SW_RETURN_IF_ERROR(create_in(spec.instance, [&] {
    const std::string partial = partial_of(layout_.disk(spec.instance));
    SW_RETURN_IF_ERROR(remove_file(partial));
    absl::Status made = make_overlay(spec, partial);
    if (made.ok()) failpoint("storage.create-disk.during");
    if (made.ok()) made = publish(partial, layout_.disk(spec.instance));
    if (!made.ok()) remove_file(partial).IgnoreError();
    return made;
  }));
  failpoint("storage.create-disk.after");
  return absl::OkStatus();
}

// A kill in the middle leaves the old size or the new one, and at most some unused clusters: QEMU
// writes the larger table before the header that names it.
absl::Status LocalStorage::grow_disk(const DiskSpec& spec) const {
  const std::string path = layout_.disk(spec.instance);
  SW_ASSIGN_OR_RETURN(const Bytes size, virtual_size_of(path));
  if (size >= spec.size) return absl::OkStatus();
  failpoint("storage.grow-disk.before");
  const absl::Status grown = run_to_end({.argv = {options_.qemu_img, "resize", "-q", "-f", "qcow2",
                                                  path, std::to_string(spec.size.count())},
                                         .deadline = options_.qemu_img_deadline});
  if (!grown.ok()) return explain_failed_disk(grown);
  SW_ASSIGN_OR_RETURN(const Descriptor disk, open_file(path, O_RDWR));
  SW_RETURN_IF_ERROR(sync_file(disk, path));
  failpoint("storage.grow-disk.after");
  return absl::OkStatus();
}

absl::Status LocalStorage::check_disk_fits_image(const DiskSpec& spec) const {
  const auto image = FileReader::open(layout_.image(spec.image, spec.image_format));
  if (image.status().code() == absl::StatusCode::kNotFound) {
    return failed_precondition("there is no {} image {} on this host", to_string(spec.image_format),
                               spec.image.to_string());
  }
  SW_RETURN_IF_ERROR(image.status());
  uint64_t image_size = image->size();
  if (spec.image_format == ImageFormat::kQcow2) {
    SW_ASSIGN_OR_RETURN(const Qcow2Header header, read_qcow2_header(*image));
    image_size = header.virtual_size;
  }
  const Bytes needed(static_cast<int64_t>(image_size));
  if (spec.size >= needed) return absl::OkStatus();
  return invalid_argument("a disk of {} is smaller than its image's {}", to_string(spec.size),
                          to_string(needed));
}

absl::Status LocalStorage::make_overlay(const DiskSpec& spec, const std::string& partial) const {
  // The backing format is always given: QEMU must never guess one from bytes that a guest wrote.
  const std::string format(to_string(spec.image_format));
  const absl::Status created =
      run_to_end({.argv = {options_.qemu_img, "create", "-q", "-f", "qcow2", "-F", format, "-b",
                           Layout::image_seen_from_disk(spec.image, spec.image_format), partial,
                           std::to_string(spec.size.count())},
                  .deadline = options_.qemu_img_deadline});
  if (!created.ok()) return explain_failed_disk(created);
  SW_ASSIGN_OR_RETURN(const Descriptor disk, open_file(partial, O_RDWR));
  if (::fchmod(disk.get(), kPrivateFile) != 0) return file_error(errno, "set the mode of", partial);
  return sync_file(disk, partial);
}

absl::Status LocalStorage::explain_failed_disk(const absl::Status& failure) const {
  SW_ASSIGN_OR_RETURN(const Space space, space_at(layout_.root()));
  if (space.available >= kEmptyOverlay) return failure;
  return resource_exhausted(
      "the disk of {} is full: {} of {} are available ({}); delete images or "
      "instances, or give the host more disk",
      layout_.root(), to_string(space.available), to_string(space.capacity), message_of(failure));
}

absl::Status LocalStorage::create_seed(const SeedSpec& spec) {
  const std::string path = layout_.seed(spec.instance);
  SW_ASSIGN_OR_RETURN(const bool exists, file_exists(path));
  if (exists) return absl::OkStatus();
  failpoint("storage.create-seed.before");
  SW_RETURN_IF_ERROR(create_in(spec.instance, [&] {
    return create_file(path, [&](const Descriptor& file, const std::string& name) {
      return write_seed_iso(file.get(), spec, name);
    });
  }));
  failpoint("storage.create-seed.after");
  return absl::OkStatus();
}

absl::Status LocalStorage::mark_started(const InstanceUid& instance, Generation run) {
  failpoint("storage.mark-started.before");
  const std::string text = std::to_string(run.value()) + "\n";
  SW_RETURN_IF_ERROR(create_in(instance, [&] {
    return create_file(layout_.started(instance),
                       [&](const Descriptor& file, const std::string& name) {
                         return write_all(file, text, name);
                       });
  }));
  failpoint("storage.mark-started.after");
  return absl::OkStatus();
}

absl::Status LocalStorage::delete_instance(const InstanceUid& instance) {
  const std::string folder = layout_.instance(instance);
  const std::string deleting = folder + std::string(kDeletingSuffix);
  failpoint("storage.delete-instance.before");
  SW_RETURN_IF_ERROR(remove_tree(deleting));
  SW_ASSIGN_OR_RETURN(const bool exists, file_exists(folder));
  if (exists) {
    // One rename takes everything away at once; the rest may take its time, or a crash.
    SW_RETURN_IF_ERROR(publish(folder, deleting));
    SW_RETURN_IF_ERROR(remove_tree(deleting));
  }
  SW_RETURN_IF_ERROR(sync_directory(layout_.instances()));
  failpoint("storage.delete-instance.after");
  return absl::OkStatus();
}

absl::StatusOr<InstanceFiles> LocalStorage::files_of(const InstanceUid& instance) const {
  InstanceFiles files;
  files.instance = instance;
  SW_ASSIGN_OR_RETURN(files.has_disk, file_exists(layout_.disk(instance)));
  if (const auto size = virtual_size_of(layout_.disk(instance)); size.ok()) files.disk_size = *size;
  SW_ASSIGN_OR_RETURN(files.has_seed, file_exists(layout_.seed(instance)));
  const auto mark = read_small_file(layout_.started(instance), 64);
  if (mark.ok()) files.started = parse_mark(*mark);
  if (!mark.ok() && mark.status().code() != absl::StatusCode::kNotFound) {
    files.started = Generation(0);
  }
  return files;
}

absl::StatusOr<Inventory> LocalStorage::inventory() {
  Inventory inventory;
  SW_ASSIGN_OR_RETURN(const auto folders, list_directory(layout_.instances()));
  for (const std::string& name : folders) {
    // A folder on its way out still holds space: it counts, without disk or seed.
    const bool leaving = name.ends_with(kDeletingSuffix);
    const auto instance = uid_named<InstanceUid>(name.substr(0, name.find('.')));
    if (!instance || (!leaving && name.size() != instance->to_string().size())) continue;
    if (leaving) {
      const auto& known = inventory.instances;
      if (known.empty() || known.back().instance != *instance) {
        inventory.instances.push_back({.instance = *instance});
      }
      continue;
    }
    SW_ASSIGN_OR_RETURN(const InstanceFiles files, files_of(*instance));
    inventory.instances.push_back(files);
  }
  SW_ASSIGN_OR_RETURN(const auto images, list_directory(layout_.images()));
  for (const std::string& name : images) {
    const auto image = uid_named<ImageUid>(name.substr(0, name.find('.')));
    if (image) inventory.images.push_back(*image);
  }
  SW_ASSIGN_OR_RETURN(inventory.unfinished, unfinished_uploads());
  SW_ASSIGN_OR_RETURN(const Space space, space_at(layout_.root()));
  inventory.capacity = space.capacity;
  inventory.available = space.available;
  return inventory;
}

absl::StatusOr<std::vector<ImageUid>> LocalStorage::unfinished_uploads() const {
  SW_ASSIGN_OR_RETURN(const auto names, list_directory(layout_.incoming()));
  std::vector<ImageUid> uploads;
  for (const std::string& name : names) {
    const auto image = uid_named<ImageUid>(name.substr(0, name.find('.')));
    if (!image || name.ends_with(kPartialSuffix)) continue;
    // The bytes and their checkpoint stand beside each other.
    if (uploads.empty() || uploads.back() != *image) uploads.push_back(*image);
  }
  return uploads;
}

Storage::Paths LocalStorage::paths(const InstanceUid& instance) const {
  return {.disk = layout_.disk(instance),
          .disk_format = ImageFormat::kQcow2,
          .seed = layout_.seed(instance),
          .console_log = layout_.console_log(instance)};
}

}  // namespace stellwerk::storage

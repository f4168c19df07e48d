#include "drivers/storage/local/seed_iso.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <memory>

#include "drivers/storage/local/file.h"

namespace stellwerk::storage {
namespace {

struct ArchiveDeleter {
  void operator()(archive* iso) const { archive_write_free(iso); }
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using ArchivePtr = std::unique_ptr<archive, ArchiveDeleter>;
using EntryPtr = std::unique_ptr<archive_entry, ArchiveDeleter>;

absl::Status failure(archive* iso, std::string_view path) {
  const int error = archive_errno(iso);
  if (error > 0) return file_error(error, "write the cloud-init seed", path);
  const char* text = archive_error_string(iso);
  return internal_error("cannot write the cloud-init seed {}: {}", path,
                        text != nullptr ? text : "libarchive gives no reason");
}

struct SeedFile {
  const char* name;
  std::string_view content;
};

absl::Status add(archive* iso, const SeedFile& file, std::string_view path) {
  const EntryPtr entry(archive_entry_new());
  if (!entry) return resource_exhausted("no memory for the cloud-init seed {}", path);
  archive_entry_set_pathname(entry.get(), file.name);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(file.content.size()));
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), S_IRUSR);
  // The same seed gives the same file whenever it is made.
  archive_entry_set_mtime(entry.get(), 0, 0);
  if (archive_write_header(iso, entry.get()) != ARCHIVE_OK) return failure(iso, path);
  if (file.content.empty()) return absl::OkStatus();
  const la_ssize_t written = archive_write_data(iso, file.content.data(), file.content.size());
  if (written != static_cast<la_ssize_t>(file.content.size())) return failure(iso, path);
  return absl::OkStatus();
}

}  // namespace

absl::Status write_seed_iso(int fd, const SeedSpec& spec, std::string_view path) {
  const ArchivePtr iso(archive_write_new());
  if (!iso) return resource_exhausted("no memory for the cloud-init seed {}", path);
  if (archive_write_set_format_iso9660(iso.get()) != ARCHIVE_OK ||
      archive_write_set_options(
          iso.get(), "iso9660:volume-id=cidata,iso9660:joliet,iso9660:rockridge=useful") !=
          ARCHIVE_OK ||
      archive_write_open_fd(iso.get(), fd) != ARCHIVE_OK) {
    return failure(iso.get(), path);
  }
  SW_RETURN_IF_ERROR(add(iso.get(), {"meta-data", spec.meta_data}, path));
  SW_RETURN_IF_ERROR(add(iso.get(), {"user-data", spec.user_data}, path));
  if (!spec.network_config.empty()) {
    SW_RETURN_IF_ERROR(add(iso.get(), {"network-config", spec.network_config}, path));
  }
  if (archive_write_close(iso.get()) != ARCHIVE_OK) return failure(iso.get(), path);
  return absl::OkStatus();
}

}  // namespace stellwerk::storage

#include "drivers/store/sqlite/inspect.h"

#include <array>
#include <filesystem>
#include <fstream>

#include "drivers/store/sqlite/connection.h"
#include "drivers/store/sqlite/schema.h"
#include "drivers/store/store.h"

namespace stellwerk::store::sqlite {
namespace {

constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr size_t kHeaderBytes = 100;
constexpr size_t kPageSizeOffset = 16;
constexpr size_t kApplicationIdOffset = 68;

absl::Status damaged(const std::string& path, std::string_view what) {
  return data_loss(
      "database {}: damaged: {}. Nothing was changed; restore it from a backup or move it away",
      path, what);
}

uintmax_t file_size(const std::string& path) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

bool has_bytes(const std::string& path) { return file_size(path) > 0; }

uint32_t big_endian(std::string_view bytes) {
  uint32_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  return number;
}

// Before SQLite sees the file: that it is ours can be read from its first bytes, which are never
// in the WAL alone because a database gets its name only when it is complete.
absl::Status check_header(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, kHeaderBytes> bytes{};
  file.read(bytes.data(), bytes.size());
  const std::string_view header(bytes.data(), file.gcount());
  if (header.size() < bytes.size()) {
    return damaged(path, fmt::format("it has only {} bytes", header.size()));
  }
  if (!header.starts_with(kMagic)) {
    return damaged(path, "it does not begin like an SQLite database");
  }
  // SQLite takes a short last page for a whole one. With a WAL beside it, it may be one: a
  // checkpoint that was cut off is repeated.
  const uint32_t page_size = big_endian(header.substr(kPageSizeOffset, 2));
  if (page_size > 1 && !has_bytes(path + "-wal") && file_size(path) % page_size != 0) {
    return damaged(path, "it ends in the middle of a page");
  }
  const uint32_t application = big_endian(header.substr(kApplicationIdOffset, 4));
  if (application == kApplicationId) return absl::OkStatus();
  return failed_precondition(
      "database {}: an SQLite database, but not Stellwerk's (application id {:#x}). Nothing was "
      "changed; give stellwerkd a state_dir of its own",
      path, application);
}

absl::Status check_format(const std::string& path, int64_t format) {
  if (format <= kFormat && format >= 0) return absl::OkStatus();
  return failed_precondition(
      "database {}: has format {}, this stellwerkd reads formats up to {}. Nothing was changed; "
      "use the newer stellwerkd, or a database of format {}",
      path, format, kFormat, kFormat);
}

absl::Status check_integrity(Connection& connection, const std::string& path) {
  SW_ASSIGN_OR_RETURN(Statement check, connection.prepare("PRAGMA integrity_check(1)"));
  SW_ASSIGN_OR_RETURN(const bool row, check.step());
  const std::string_view verdict = row ? check.blob(0) : "no answer";
  return verdict == "ok" ? absl::OkStatus() : damaged(path, verdict);
}

absl::StatusOr<uint32_t> inspect_content(Connection& connection, const std::string& path) {
  SW_ASSIGN_OR_RETURN(const int64_t format, connection.query_integer("PRAGMA user_version"));
  SW_RETURN_IF_ERROR(check_format(path, format));
  SW_RETURN_IF_ERROR(check_integrity(connection, path));
  SW_RETURN_IF_ERROR(check_tables(connection, static_cast<uint32_t>(format)));
  return static_cast<uint32_t>(format);
}

absl::StatusOr<uint32_t> inspect_in(const std::string& path, OpenMode mode) {
  SW_ASSIGN_OR_RETURN(Connection connection, Connection::open(path, mode));
  return inspect_content(connection, path);
}

}  // namespace

absl::StatusOr<uint32_t> inspect(const std::string& path) {
  SW_RETURN_IF_ERROR(check_header(path));
  if (has_bytes(path + "-journal")) {
    return damaged(path, "a rollback journal lies beside it, which stellwerkd never leaves");
  }
  const auto mode = has_bytes(path + "-wal") ? OpenMode::kReadWal : OpenMode::kImmutable;
  auto format = inspect_in(path, mode);
  // An operator may be looking at it, with SQLite's shell for example.
  if (absl::IsUnavailable(format.status())) format = inspect_in(path, OpenMode::kReadSharedWal);
  if (format.status().code() == absl::StatusCode::kDataLoss &&
      message_of(format.status()).find("damaged") == std::string_view::npos) {
    return damaged(path, message_of(format.status()));
  }
  return format;
}

}  // namespace stellwerk::store::sqlite

#include "api/cli/files.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "api/cli/exit_code.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

constexpr size_t kMostKeyBytes = 1 << 20;
constexpr size_t kLongestShownPath = 4096;  // Linux's PATH_MAX

absl::StatusOr<std::string> read_all(std::istream& in, std::string_view path, size_t limit) {
  std::string bytes(limit + 1, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (in.bad()) return usage_error("cannot read {}: {}", quoted_path(path), strerror(errno));
  bytes.resize(static_cast<size_t>(in.gcount()));
  if (bytes.size() <= limit) return bytes;
  return usage_error("{} has more than {} bytes", quoted_path(path), limit);
}

bool begins_with_key_type(const std::string& text) {
  constexpr std::string_view kSomeKey = " AAAAAAAAAAAAAAAA";
  const size_t blank = text.find(' ');
  return blank != std::string::npos &&
         !check_ssh_key(text.substr(0, blank) + std::string(kSomeKey));
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && line.front() != '#') lines.emplace_back(line);
  }
  return lines;
}

}  // namespace

std::string quoted_path(std::string_view path) {
  if (path.size() <= kLongestShownPath) return fmt::format("\"{}\"", path);
  return fmt::format("\"…{}\"", path.substr(path.size() - kLongestShownPath));
}

absl::StatusOr<std::string> read_small_file(Context& context, const std::string& path,
                                            size_t limit) {
  if (path == "-") return read_all(context.environment.in, "standard input", limit);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return usage_error("cannot read {}: it is a directory", quoted_path(path));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return usage_error("cannot read {}: {}", quoted_path(path), strerror(errno));
  return read_all(file, path, limit);
}

absl::StatusOr<std::vector<std::string>> read_ssh_keys(Context& context,
                                                       const std::string& key_or_path) {
  const Problem no_key = check_ssh_key(key_or_path);
  if (!no_key) return std::vector<std::string>{key_or_path};
  if (begins_with_key_type(key_or_path)) {
    return usage_error("--ssh-key: {} is no complete public key: it {}",
                       stellwerk::quoted(key_or_path), *no_key);
  }
  SW_ASSIGN_OR_RETURN(const std::string text, read_small_file(context, key_or_path, kMostKeyBytes));
  if (text.find("PRIVATE KEY-----") != std::string::npos) {
    return usage_error("{} is a private key, which stays with you; give the .pub file",
                       quoted_path(key_or_path));
  }
  std::vector<std::string> keys = lines_of(text);
  if (keys.empty()) return usage_error("{} holds no key", quoted_path(key_or_path));
  for (const std::string& key : keys) {
    if (const Problem problem = check_ssh_key(key)) {
      return usage_error("{}: a line {}", quoted_path(key_or_path), *problem);
    }
  }
  return keys;
}

}  // namespace stellwerk::cli

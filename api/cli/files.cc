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

absl::StatusOr<std::string> read_all(std::istream& in, std::string_view path, size_t limit) {
  std::string bytes(limit + 1, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (in.bad()) return usage_error("cannot read {}: {}", stellwerk::quoted(path), strerror(errno));
  bytes.resize(static_cast<size_t>(in.gcount()));
  if (bytes.size() <= limit) return bytes;
  return usage_error("{} has more than {} bytes", stellwerk::quoted(path), limit);
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

absl::StatusOr<std::string> read_small_file(Context& context, const std::string& path,
                                            size_t limit) {
  if (path == "-") return read_all(context.environment.in, "standard input", limit);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return usage_error("cannot read {}: it is a directory", stellwerk::quoted(path));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return usage_error("cannot read {}: {}", stellwerk::quoted(path), strerror(errno));
  return read_all(file, path, limit);
}

absl::StatusOr<std::vector<std::string>> read_ssh_keys(Context& context,
                                                       const std::string& key_or_path) {
  if (!check_ssh_key(key_or_path)) return std::vector<std::string>{key_or_path};
  SW_ASSIGN_OR_RETURN(const std::string text, read_small_file(context, key_or_path, kMostKeyBytes));
  if (text.find("PRIVATE KEY-----") != std::string::npos) {
    return usage_error("{} is a private key, which stays with you; give the .pub file",
                       stellwerk::quoted(key_or_path));
  }
  std::vector<std::string> keys = lines_of(text);
  if (keys.empty()) return usage_error("{} holds no key", stellwerk::quoted(key_or_path));
  for (const std::string& key : keys) {
    if (const Problem problem = check_ssh_key(key)) {
      return usage_error("{}: a line {}", stellwerk::quoted(key_or_path), *problem);
    }
  }
  return keys;
}

}  // namespace stellwerk::cli

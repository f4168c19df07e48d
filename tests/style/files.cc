#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "rules.h"

namespace stellwerk::style {
namespace {

constexpr size_t kMostColumns = 100;
constexpr size_t kMostLines = 500;
constexpr size_t kMostBytes = 1'000'000;

// Characters, not bytes: continuation bytes of UTF-8 take no column.
size_t columns(std::string_view line) {
  return std::count_if(line.begin(), line.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

}  // namespace

void check_sizes(const SourceFile& file, Findings& findings) {
  if (file.text().size() > kMostBytes) {
    findings.push_back({"file-bytes", file.path(), 1,
                        fmt::format("has {} bytes; at most {}", file.text().size(), kMostBytes)});
  }
  if (!file.is_cpp()) return;
  const std::vector<std::string_view> lines = lines_of(file.text());
  if (lines.size() > kMostLines) {
    findings.push_back({"file-lines", file.path(), lines.size(),
                        fmt::format("has {} lines; at most {}", lines.size(), kMostLines)});
  }
  for (size_t i = 0; i < lines.size(); ++i) {
    if (columns(lines[i]) <= kMostColumns) continue;
    findings.push_back(
        {"columns", file.path(), i + 1,
         fmt::format("has {} columns; at most {}", columns(lines[i]), kMostColumns)});
  }
}

void check_header(const SourceFile& file, Findings& findings) {
  if (!file.path().ends_with(".h")) return;
  if (!file.text().starts_with("// ")) {
    findings.push_back({"header-purpose", file.path(), 1,
                        "begin with a // comment: purpose, invariants, which thread"});
  }
  const std::vector<std::string_view> code = lines_of(file.code());
  if (std::find(code.begin(), code.end(), "#pragma once") == code.end()) {
    findings.push_back({"pragma-once", file.path(), 1, "add #pragma once after the comment"});
  }
}

void check_mirrors_source(const SourceFile& file, const std::set<std::string>& sources,
                          Findings& findings) {
  static constexpr std::string_view kRoot = "tests/unit/";
  static constexpr std::string_view kEnd = "_test.cc";
  const std::string& path = file.path();
  if (!path.starts_with(kRoot) || !path.ends_with(kEnd)) return;
  const size_t slash = path.rfind('/');
  const std::string folder = path.substr(kRoot.size(), slash + 1 - kRoot.size());
  const std::string name = path.substr(slash + 1, path.size() - slash - 1 - kEnd.size());
  const auto mirrors = [&](const std::string& source) {
    if (!source.starts_with(folder) || !(source.ends_with(".cc") || source.ends_with(".h"))) {
      return false;
    }
    // Sources and folders by whose name the test's begins: sqlite_full_test, records_damage_test.
    const std::string rest = source.substr(folder.size());
    const std::string first = rest.substr(0, rest.find_first_of("/."));
    const std::string last = std::filesystem::path(rest).stem();
    const auto begins = [&](const std::string& word) {
      return name == word || name.starts_with(word + "_");
    };
    return begins(first) || begins(last);
  };
  if (std::any_of(sources.begin(), sources.end(), mirrors)) return;
  findings.push_back(
      {"mirror", path, 1,
       fmt::format("no source in {} has a name that this test's begins with", folder)});
}

}  // namespace stellwerk::style

// One file of the tree, with views of its text that keep every line and column: what the compiler
// reads, and what people read. Values only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace stellwerk::style {

struct Finding {
  std::string rule;
  std::string path;
  size_t line = 0;
  std::string message;
  friend bool operator==(const Finding&, const Finding&) = default;
};
using Findings = std::vector<Finding>;

// "core/ids.cc:12: [clock] …"
std::string to_string(const Finding& finding);

class SourceFile {
 public:
  // `path` is relative to the root of the tree, with '/'.
  SourceFile(std::string path, std::string text);

  const std::string& path() const { return path_; }
  const std::string& text() const { return text_; }
  // Comments and the insides of string and character literals are blanks.
  const std::string& code() const { return code_; }
  // Everything but comments is blanks.
  const std::string& comments() const { return comments_; }
  // From 1.
  size_t line_of(size_t offset) const;
  bool is_cpp() const { return path_.ends_with(".cc") || path_.ends_with(".h"); }
  bool under(std::string_view folder) const {
    return path_.starts_with(folder) && path_.size() > folder.size() && path_[folder.size()] == '/';
  }

 private:
  std::string path_;
  std::string text_;
  std::string code_;
  std::string comments_;
  std::vector<size_t> line_starts_;
};

// Without their newlines.
std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace stellwerk::style

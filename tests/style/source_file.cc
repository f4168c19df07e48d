#include "source_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace stellwerk::style {
namespace {

// Walks over C++ tokens as far as needed to tell code, comments and literals apart.
class Separator {
 public:
  explicit Separator(std::string_view text) : text_(text), code_(blank(text)), comments_(code_) {}

  void run() {
    while (at_ < text_.size()) step();
  }
  std::string& code() { return code_; }
  std::string& comments() { return comments_; }

 private:
  static std::string blank(std::string_view text) {
    std::string blanks(text);
    std::replace_if(
        blanks.begin(), blanks.end(), [](char c) { return c != '\n'; }, ' ');
    return blanks;
  }

  bool looking_at(std::string_view wanted) const {
    return text_.substr(at_, wanted.size()) == wanted;
  }
  void keep_as_code(size_t count) {
    for (; count > 0 && at_ < text_.size(); --count, ++at_) code_[at_] = text_[at_];
  }
  void comment_until(size_t end) {
    for (end = std::min(end, text_.size()); at_ < end; ++at_) comments_[at_] = text_[at_];
  }

  void step() {
    if (looking_at("//")) return comment_until(text_.find('\n', at_));
    if (looking_at("/*")) return comment_until(text_.find("*/", at_) + 2);
    if (looking_at("R\"")) return raw_string();
    const bool digit_separator =
        text_[at_] == '\'' && at_ > 0 && std::isalnum(static_cast<unsigned char>(text_[at_ - 1]));
    if (text_[at_] == '"' || (text_[at_] == '\'' && !digit_separator)) return literal(text_[at_]);
    keep_as_code(1);
  }

  void literal(char quote) {
    keep_as_code(1);
    while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    keep_as_code(1);
  }

  void raw_string() {
    const size_t open = text_.find('(', at_);
    if (open == std::string_view::npos) return keep_as_code(2);
    const std::string end = ")" + std::string(text_.substr(at_ + 2, open - at_ - 2)) + "\"";
    const size_t close = text_.find(end, open);
    keep_as_code(2);
    at_ = close == std::string_view::npos ? text_.size() : close + end.size() - 1;
    keep_as_code(1);
  }

  std::string_view text_;
  std::string code_;
  std::string comments_;
  size_t at_ = 0;
};

}  // namespace

std::string to_string(const Finding& finding) {
  return fmt::format("{}:{}: [{}] {}", finding.path, finding.line, finding.rule, finding.message);
}

SourceFile::SourceFile(std::string path, std::string text)
    : path_(std::move(path)), text_(std::move(text)) {
  line_starts_.push_back(0);
  for (size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') line_starts_.push_back(i + 1);
  }
  if (!is_cpp()) return;
  Separator separator(text_);
  separator.run();
  code_ = std::move(separator.code());
  comments_ = std::move(separator.comments());
}

size_t SourceFile::line_of(size_t offset) const {
  return std::upper_bound(line_starts_.begin(), line_starts_.end(), offset) - line_starts_.begin();
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

}  // namespace stellwerk::style

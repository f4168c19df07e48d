#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "rules.h"

namespace stellwerk::style {
namespace {

constexpr size_t kMostFunctionLines = 60;

enum class Scope { kDeclarations, kFunction, kOther };

bool is_blank(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// "template <class T> struct" → "struct".
std::string_view without_template(std::string_view head) {
  while (head.starts_with("template")) {
    size_t depth = 0;
    size_t at = head.find('<');
    if (at == std::string_view::npos) return head;
    for (; at < head.size(); ++at) {
      if (head[at] == '<') ++depth;
      if (head[at] == '>' && --depth == 0) break;
    }
    head = trimmed(head.substr(std::min(at + 1, head.size())));
  }
  return head;
}

bool begins_with_word(std::string_view head, std::string_view word) {
  if (!head.starts_with(word)) return false;
  return head.size() == word.size() || !std::isalnum(static_cast<unsigned char>(head[word.size()]));
}

// What the brace after `head` opens, where declarations may stand. A head that is empty or goes on
// with ',' belongs to a constructor whose initialisers have braces of their own.
Scope classify(std::string_view head) {
  head = without_template(trimmed(head));
  for (const std::string_view label : {"public:", "private:", "protected:"}) {
    if (head.starts_with(label)) head = without_template(trimmed(head.substr(label.size())));
  }
  for (const std::string_view word :
       {"namespace", "inline namespace", "class", "struct", "union", "extern"}) {
    if (begins_with_word(head, word) && head.find('(') == std::string_view::npos) {
      return Scope::kDeclarations;
    }
  }
  if (head.empty() || head.front() == ',') return Scope::kFunction;
  if (head.ends_with('=') || head.find('(') == std::string_view::npos) return Scope::kOther;
  return Scope::kFunction;
}

// Directives with their continuation lines become blanks: their braces need not balance.
std::string without_directives(std::string code) {
  size_t begin = 0;
  bool inside = false;
  while (begin < code.size()) {
    size_t end = code.find('\n', begin);
    if (end == std::string::npos) end = code.size();
    const std::string_view line = std::string_view(code).substr(begin, end - begin);
    inside = inside || trimmed(line).starts_with('#');
    const bool goes_on = inside && trimmed(line).ends_with('\\');
    if (inside) std::fill(code.begin() + begin, code.begin() + end, ' ');
    inside = goes_on;
    begin = end + 1;
  }
  return code;
}

class FunctionFinder {
 public:
  FunctionFinder(const SourceFile& file, Findings& findings)
      : file_(file), findings_(findings), code_(without_directives(file.code())) {}

  void run() {
    for (at_ = 0; at_ < code_.size(); ++at_) {
      switch (code_[at_]) {
        case '{':
          open();
          break;
        case '}':
          close();
          break;
        case ';':
          if (in_declarations()) head_ = at_ + 1;
          break;
        default:
          break;
      }
    }
  }

 private:
  bool in_declarations() const { return scopes_.empty() || scopes_.back() == Scope::kDeclarations; }

  void open() {
    if (!in_declarations()) return scopes_.push_back(Scope::kOther);
    const Scope scope = classify(std::string_view(code_).substr(head_, at_ - head_));
    if (scope == Scope::kFunction) {
      begin_ = head_;
      while (is_blank(code_[begin_])) ++begin_;
    }
    scopes_.push_back(scope);
    head_ = at_ + 1;
  }

  void close() {
    if (scopes_.empty()) return;
    const Scope closed = scopes_.back();
    scopes_.pop_back();
    if (closed == Scope::kFunction) measure();
    if (in_declarations()) head_ = at_ + 1;
  }

  void measure() {
    const size_t first = file_.line_of(begin_);
    const size_t count = file_.line_of(at_) - first + 1;
    if (count <= kMostFunctionLines) return;
    findings_.push_back(
        {"function-lines", file_.path(), first,
         fmt::format("the function has {} lines; at most {}", count, kMostFunctionLines)});
  }

  const SourceFile& file_;
  Findings& findings_;
  const std::string code_;
  std::vector<Scope> scopes_;
  size_t at_ = 0;
  size_t head_ = 0;   // where the declaration begins that is being read
  size_t begin_ = 0;  // where the function begins that is being read
};

}  // namespace

void check_function_sizes(const SourceFile& file, Findings& findings) {
  if (file.is_cpp()) FunctionFinder(file, findings).run();
}

}  // namespace stellwerk::style

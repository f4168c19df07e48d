#include "api/daemon/config_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/suggestion.h"

namespace stellwerk::daemon {
namespace {

constexpr size_t kLongestText = 4096;

std::string_view words_for(toml::node_type type) {
  switch (type) {
    case toml::node_type::none:
      return "nothing";
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a floating-point number";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
  }
  return "something else";
}

}  // namespace

void Mistakes::add(uint32_t line, std::string key, std::string problem) {
  mistakes_.push_back({line, std::move(key), std::move(problem)});
}

std::string Mistakes::report(std::string_view origin) const {
  std::vector<Mistake> ordered = mistakes_;
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const Mistake& a, const Mistake& b) { return a.line < b.line; });
  std::string text;
  for (const Mistake& mistake : ordered) {
    if (!text.empty()) text += '\n';
    const std::string line = mistake.line == 0 ? "" : fmt::format("{}:", mistake.line);
    text += fmt::format("{}:{} {}: {}", origin, line, mistake.key, mistake.problem);
  }
  return text;
}

std::string shown_key(std::string_view key) {
  const bool ordinary =
      !key.empty() && key.size() <= 64 && std::all_of(key.begin(), key.end(), [](unsigned char c) {
        return std::isalnum(c) || c == '_' || c == '-';
      });
  return ordinary ? std::string(key) : quoted(key);
}

Section::Section(const toml::table& root, std::string name, Mistakes& mistakes)
    : name_(std::move(name)), mistakes_(mistakes) {
  const toml::node* node = root.get(name_);
  if (node == nullptr) return;
  table_ = node->as_table();
  if (table_ == nullptr) {
    mistakes_.add(
        node->source().begin.line, name_,
        fmt::format("is {}; begin the section with [{}]", words_for(node->type()), name_));
  }
}

const toml::node* Section::find(std::string_view key) {
  known_.push_back(key);
  return table_ == nullptr ? nullptr : table_->get(key);
}

bool Section::has(std::string_view key) const {
  return table_ != nullptr && table_->contains(key);
}

void Section::reject(std::string_view key, std::string problem) {
  const toml::node* node = table_ == nullptr ? nullptr : table_->get(key);
  mistakes_.add(node == nullptr ? 0 : node->source().begin.line, fmt::format("{}.{}", name_, key),
                std::move(problem));
}

std::optional<std::string> Section::text(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_string();
  if (value == nullptr) {
    reject(key, fmt::format("is {}; give a string in quotes", words_for(node->type())));
    return std::nullopt;
  }
  if (const Problem problem = check_display_text(value->get(), kLongestText)) {
    reject(key, *problem);
    return std::nullopt;
  }
  return value->get();
}

std::optional<bool> Section::boolean(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* value = node->as_boolean()) return value->get();
  reject(key, fmt::format("is {}; give true or false", words_for(node->type())));
  return std::nullopt;
}

std::optional<int64_t> Section::integer(std::string_view key, const IntegerRange& range) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_integer();
  if (value == nullptr) {
    reject(key, fmt::format("is {}; give an integer from {} to {}", words_for(node->type()),
                            range.least, range.most));
    return std::nullopt;
  }
  if (value->get() >= range.least && value->get() <= range.most) return value->get();
  reject(key, fmt::format("is {}; give an integer from {} to {}{}", value->get(), range.least,
                          range.most, range.why_most));
  return std::nullopt;
}

std::optional<std::vector<std::string>> Section::texts(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const toml::array* values = node->as_array();
  if (values == nullptr || (!values->empty() && !values->is_homogeneous<std::string>())) {
    reject(key,
           fmt::format("is {}; give an array of strings",
                       values != nullptr ? "an array of something else" : words_for(node->type())));
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (const toml::node& value : *values) texts.push_back(value.ref<std::string>());
  return texts;
}

std::optional<std::string> Section::absolute_path(std::string_view key) {
  const auto path = text(key);
  if (!path || path->starts_with('/')) return path;
  reject(key, fmt::format("{} is not an absolute path; begin it with '/'", quoted(*path)));
  return std::nullopt;
}

void Section::reject_unknown_keys() {
  if (table_ == nullptr) return;
  for (const auto& [key, node] : *table_) {
    if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) continue;
    mistakes_.add(key.source().begin.line, fmt::format("{}.{}", name_, shown_key(key.str())),
                  "is no key of this section" + suggestion(key.str(), known_));
  }
}

}  // namespace stellwerk::daemon

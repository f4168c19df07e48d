#include "api/cli/simulate_toml.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/cli/exit_code.h"
#include "core/suggestion.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

constexpr size_t kLongestWord = 128;

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= kLongestWord &&
         std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c < 0x7F; });
}

}  // namespace

void TomlProblems::add(uint32_t line, std::string_view problem) {
  problems_.emplace_back(line, problem);
}

absl::Status TomlProblems::status() const {
  if (problems_.empty()) return absl::OkStatus();
  const auto first =
      std::ranges::min_element(problems_, {}, [](const auto& problem) { return problem.first; });
  const size_t more = problems_.size() - 1;
  return usage_error("{}:{}: {}{}", origin_, first->first, first->second,
                     more == 0 ? "" : fmt::format(" (and {} more)", more));
}

const toml::node* TomlTable::find(std::string_view key) {
  known_.emplace_back(key);
  return table_.get(key);
}

void TomlTable::reject(std::string_view key, std::string_view problem) {
  const toml::node* node = table_.get(key);
  const uint32_t line = (node == nullptr ? table_.source() : node->source()).begin.line;
  problems_.add(line, fmt::format("{}.{}: {}", name_, key, problem));
}

void TomlTable::require(std::string_view key) {
  if (!has(key)) reject(key, "is missing");
}

std::optional<int64_t> TomlTable::integer(std::string_view key, const TomlRange& range) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_integer();
  const std::string wanted =
      fmt::format("give a whole number from {} to {}", range.least, range.most);
  if (value == nullptr) {
    reject(key, "is no whole number; " + wanted);
  } else if (value->get() < range.least || value->get() > range.most) {
    reject(key, fmt::format("is {}; {}", value->get(), wanted));
  } else {
    return value->get();
  }
  return std::nullopt;
}

std::optional<std::string> TomlTable::word(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_string();
  if (value != nullptr && is_word(value->get())) return value->get();
  reject(key, "give a string of 1 to 128 printable characters without spaces");
  return std::nullopt;
}

std::vector<std::string> TomlTable::words(std::string_view key) {
  const toml::node* node = find(key);
  std::vector<std::string> words;
  if (node == nullptr) return words;
  const toml::array* values = node->as_array();
  if (values == nullptr) {
    reject(key, "give an array of strings");
    return words;
  }
  for (const toml::node& one : *values) {
    const auto* value = one.as_string();
    if (value != nullptr && is_word(value->get())) {
      words.push_back(value->get());
    } else {
      reject(key, "give an array of strings without spaces");
    }
  }
  return words;
}

std::vector<std::pair<std::string, std::string>> TomlTable::pairs(std::string_view key) {
  const toml::node* node = find(key);
  std::vector<std::pair<std::string, std::string>> pairs;
  if (node == nullptr) return pairs;
  const toml::table* values = node->as_table();
  if (values == nullptr) {
    reject(key, "give a table of strings: { key = \"value\" }");
    return pairs;
  }
  for (const auto& [name, one] : *values) {
    const auto* value = one.as_string();
    if (value != nullptr) {
      pairs.emplace_back(name.str(), value->get());
    } else {
      reject(key, quoted(name.str()) + " has no string as its value");
    }
  }
  return pairs;
}

std::vector<TomlTable> TomlTable::tables(std::string_view key) {
  const toml::node* node = find(key);
  std::vector<TomlTable> tables;
  if (node == nullptr) return tables;
  const toml::array* entries = node->as_array();
  if (entries == nullptr) {
    reject(key, fmt::format("write [[{}]] for each", key));
    return tables;
  }
  for (const toml::node& one : *entries) {
    if (const toml::table* table = one.as_table()) {
      tables.emplace_back(*table, std::string(key), problems_);
    } else {
      reject(key, fmt::format("write [[{}]] for each", key));
    }
  }
  return tables;
}

std::optional<TomlTable> TomlTable::table(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (const toml::table* table = node->as_table()) {
    return TomlTable(*table, std::string(key), problems_);
  }
  reject(key, fmt::format("is no table; write [{}]", key));
  return std::nullopt;
}

void TomlTable::reject_unknown_keys() {
  const std::vector<std::string_view> known(known_.begin(), known_.end());
  for (const auto& [key, node] : table_) {
    if (std::ranges::find(known, key.str()) != known.end()) continue;
    problems_.add(key.source().begin.line,
                  fmt::format("{}: {} is no key of it{}", name_, quoted(key.str()),
                              suggestion(key.str(), known)));
  }
}

}  // namespace stellwerk::cli

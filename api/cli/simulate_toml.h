// Reads a table of a TOML file key by key, and remembers what is wrong with it. A key that is
// absent or wrong gives nothing. One thread; the problems outlive the tables.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/status.h"

namespace stellwerk::cli {

class TomlProblems {
 public:
  explicit TomlProblems(std::string origin) : origin_(std::move(origin)) {}
  void add(uint32_t line, std::string_view problem);
  bool none() const { return problems_.empty(); }
  // A usage error: the first in the file, and how many more there are.
  absl::Status status() const;

 private:
  const std::string origin_;
  std::vector<std::pair<uint32_t, std::string>> problems_;
};

struct TomlRange {
  int64_t least = 0;
  int64_t most = INT64_MAX;
};

class TomlTable {
 public:
  // `name` stands in messages: "host".
  TomlTable(const toml::table& table, std::string name, TomlProblems& problems)
      : table_(table), name_(std::move(name)), problems_(problems) {}

  bool has(std::string_view key) const { return table_.contains(key); }
  std::optional<int64_t> integer(std::string_view key, const TomlRange& range);
  int64_t integer_or(std::string_view key, const TomlRange& range, int64_t otherwise) {
    return integer(key, range).value_or(otherwise);
  }
  // Printable, not empty, without spaces.
  std::optional<std::string> word(std::string_view key);
  std::vector<std::string> words(std::string_view key);
  std::vector<std::pair<std::string, std::string>> pairs(std::string_view key);
  // The tables of [[key]], each with the name of the key.
  std::vector<TomlTable> tables(std::string_view key);
  std::optional<TomlTable> table(std::string_view key);

  // At the key's line, or the table's where it is absent.
  void reject(std::string_view key, std::string_view problem);
  void require(std::string_view key);
  // After all keys were read: what was not asked for is unknown.
  void reject_unknown_keys();

 private:
  const toml::node* find(std::string_view key);

  const toml::table& table_;
  const std::string name_;
  TomlProblems& problems_;
  std::vector<std::string> known_;
};

}  // namespace stellwerk::cli

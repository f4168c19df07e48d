// Reads one section of a TOML file key by key, and collects what is wrong with it.
// A key that is absent leaves its default; a key that is wrong leaves it, too, and adds a mistake.
// One thread; `Mistakes` outlives its sections.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/validate.h"

namespace stellwerk::daemon {

class Mistakes {
 public:
  // `line` 0: the key is not in the file.
  void add(uint32_t line, std::string key, std::string problem);
  bool empty() const { return mistakes_.empty(); }
  // One line each, in the order of the file.
  std::string report(std::string_view origin) const;

 private:
  struct Mistake {
    uint32_t line;
    std::string key;
    std::string problem;
  };
  std::vector<Mistake> mistakes_;
};

struct IntegerRange {
  int64_t least;
  int64_t most;
  std::string_view why_most = "";
};

template <class Value>
using Choices = std::initializer_list<std::pair<std::string_view, Value>>;

class Section {
 public:
  Section(const toml::table& root, std::string name, Mistakes& mistakes);

  // Each returns the value if the key is there and right.
  std::optional<std::string> text(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  std::optional<int64_t> integer(std::string_view key, const IntegerRange& range);
  std::optional<std::vector<std::string>> texts(std::string_view key);
  std::optional<std::string> absolute_path(std::string_view key);

  template <class Value>
  std::optional<Value> one_of(std::string_view key, const Choices<Value>& choices) {
    const auto given = text(key);
    if (!given) return std::nullopt;
    std::string names;
    for (const auto& [name, value] : choices) {
      if (name == *given) return value;
      names += (names.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    }
    reject(key, quoted(*given) + " is none of " + names);
    return std::nullopt;
  }

  bool has(std::string_view key) const;
  void reject(std::string_view key, std::string problem);
  // After all keys were read: what was not asked for is unknown.
  void reject_unknown_keys();

 private:
  const toml::node* find(std::string_view key);

  const toml::table* table_ = nullptr;
  const std::string name_;
  Mistakes& mistakes_;
  std::vector<std::string_view> known_;
};

// The key as it stands in the file if it is an ordinary one; else escaped.
std::string shown_key(std::string_view key);

}  // namespace stellwerk::daemon

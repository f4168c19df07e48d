// What we keep in the kernel, as values: one nftables table of sets and chains. Pure, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stellwerk::firewall {

// Family and name, as commands want it.
inline constexpr std::string_view kOurTable = "bridge stellwerk";

struct Set {
  std::string name;
  std::string definition;
  friend bool operator==(const Set&, const Set&) = default;
};

struct Chain {
  std::string name;
  std::vector<std::string> lines;
  friend bool operator==(const Chain&, const Chain&) = default;
};

struct Table {
  std::vector<Set> sets;
  std::vector<Chain> chains;
  friend bool operator==(const Table&, const Table&) = default;
};

// As `nft -f` takes it; what is in the kernel already stays beside it.
std::string text_of(const Table& table);

// The commands of one transaction that turn `before`, which is what the kernel holds, into `after`.
// Sets of the same name are taken to be the same.
std::string difference(const Table& before, const Table& after);

}  // namespace stellwerk::firewall

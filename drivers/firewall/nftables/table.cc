#include "drivers/firewall/nftables/table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>

namespace stellwerk::firewall {

std::string text_of(const Table& table) {
  std::string text = fmt::format("table {} {{\n", kOurTable);
  for (const Set& set : table.sets) {
    text += fmt::format("  set {} {{ {} }}\n", set.name, set.definition);
  }
  for (const Chain& chain : table.chains) {
    text +=
        fmt::format("  chain {} {{\n    {}\n  }}\n", chain.name, fmt::join(chain.lines, "\n    "));
  }
  return text + "}\n";
}

std::string difference(const Table& before, const Table& after) {
  std::map<std::string, const Chain*> chains;
  std::set<std::string> sets;
  for (const Chain& chain : before.chains) chains[chain.name] = &chain;
  for (const Set& set : before.sets) sets.insert(set.name);

  std::string flushed;
  Table changed;
  for (const Chain& chain : after.chains) {
    const auto known = chains.extract(chain.name);
    if (!known.empty() && *known.mapped() == chain) continue;
    if (!known.empty()) flushed += fmt::format("flush chain {} {}\n", kOurTable, chain.name);
    changed.chains.push_back(chain);
  }
  for (const Set& set : after.sets) {
    if (sets.erase(set.name) == 0) changed.sets.push_back(set);
  }

  // What goes may refer to each other, so all of it is emptied first.
  std::string emptied, deleted;
  for (const auto& [name, chain] : chains) {
    emptied += fmt::format("flush chain {} {}\n", kOurTable, name);
    deleted += fmt::format("delete chain {} {}\n", kOurTable, name);
  }
  for (const std::string& name : sets) {
    deleted += fmt::format("delete set {} {}\n", kOurTable, name);
  }
  return flushed + text_of(changed) + emptied + deleted;
}

}  // namespace stellwerk::firewall

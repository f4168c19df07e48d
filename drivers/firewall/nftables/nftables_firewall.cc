#include "drivers/firewall/nftables/nftables_firewall.h"

#include <nftables/libnftables.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "drivers/firewall/check.h"
#include "drivers/firewall/nftables/generation.h"
#include "drivers/firewall/nftables/rules.h"

namespace stellwerk::firewall {
namespace {

constexpr std::string_view kName = "stellwerk";

struct ContextDeleter {
  void operator()(nft_ctx* context) const { nft_ctx_free(context); }
};

absl::Status nftables_error(std::string_view action, std::string_view said) {
  const std::string_view first = said.substr(0, said.find('\n'));
  const std::string text = fmt::format("cannot {} the table {}: {}", action, kOurTable, first);
  const auto says = [&](std::string_view words) { return said.find(words) != said.npos; };
  if (says("Operation not permitted")) {
    return permission_denied("{}; run as root or with CAP_NET_ADMIN", text);
  }
  if (says("not supported")) {
    return failed_precondition("{}; the kernel must have nftables for bridges", text);
  }
  return internal_error("{}", text);
}

// Without the elements of named sets. Only after `ruleset_generation`: without rights libnftables
// speaks to standard error.
absl::StatusOr<std::string> run(std::string_view action, const std::string& commands,
                                bool dry = false) {
  const std::unique_ptr<nft_ctx, ContextDeleter> context(nft_ctx_new(NFT_CTX_DEFAULT));
  if (!context) return resource_exhausted("no memory for libnftables");
  nft_ctx_buffer_output(context.get());
  nft_ctx_buffer_error(context.get());
  nft_ctx_output_set_flags(context.get(), NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_TERSE);
  nft_ctx_set_dry_run(context.get(), dry);
  if (nft_run_cmd_from_buffer(context.get(), commands.c_str()) != 0) {
    return nftables_error(action, nft_ctx_get_error_buffer(context.get()));
  }
  return std::string(nft_ctx_get_output_buffer(context.get()));
}

struct Item {
  std::string kind;
  std::string table;
  std::string name;
};

absl::StatusOr<std::vector<Item>> listed(const Conversation& run, const std::string& command) {
  SW_ASSIGN_OR_RETURN(const std::string text, run("look at", command));
  const auto json = nlohmann::json::parse(text, nullptr, false);
  const auto all = json.is_object() ? json.find("nftables") : json.end();
  if (all == json.end() || !all->is_array()) {
    return internal_error("libnftables answered \"{}\" with what is no list", command);
  }
  std::vector<Item> items;
  for (const auto& one : *all) {
    for (const auto& [kind, fields] : one.items()) {
      if (!fields.is_object()) continue;
      items.push_back({kind, fields.value("table", ""), fields.value("name", "")});
    }
  }
  return items;
}

}  // namespace

absl::StatusOr<std::string> converse(std::string_view action, const std::string& commands) {
  return run(action, commands);
}

absl::Status try_table() {
  SW_RETURN_IF_ERROR(ruleset_generation().status());
  const GuardedPort port{.interface_name = "sw000000000000",
                         .mac = 0x525400000000,
                         .addresses = {IpAddress::v4(0x0A000002)},
                         .network = "any",
                         .ingress = {}};
  const Ruleset ruleset{
      .port_prefix = "sw", .networks = {{.key = "any", .neighbours = {}}}, .ports = {port}};
  return run("make", text_of(table_of(ruleset)), true).status();
}

absl::StatusOr<bool> NftablesFirewall::our_table_exists() {
  SW_ASSIGN_OR_RETURN(const std::vector<Item> tables, listed(run_, "list tables bridge"));
  return std::ranges::any_of(
      tables, [](const Item& item) { return item.kind == "table" && item.name == kName; });
}

// As the kernel shows it; nothing if there is no such table.
absl::StatusOr<std::optional<std::string>> NftablesFirewall::our_table() {
  SW_ASSIGN_OR_RETURN(const bool exists, our_table_exists());
  if (!exists) return std::optional<std::string>();
  SW_ASSIGN_OR_RETURN(std::string text, run_("look at", fmt::format("list table {}", kOurTable)));
  return std::optional<std::string>(std::move(text));
}

// What our table holds, with the rules left out.
absl::StatusOr<Table> NftablesFirewall::names_in_our_table() {
  Table table;
  SW_ASSIGN_OR_RETURN(const std::vector<Item> chains, listed(run_, "list chains bridge"));
  for (const Item& item : chains) {
    if (item.kind == "chain" && item.table == kName) table.chains.push_back({item.name, {}});
  }
  SW_ASSIGN_OR_RETURN(const std::vector<Item> sets,
                      listed(run_, fmt::format("list sets table {}", kOurTable)));
  for (const Item& item : sets) {
    if (item.kind == "set" && item.table == kName) table.sets.push_back({item.name, {}});
  }
  return table;
}

// All but the conversations that were learned.
absl::Status NftablesFirewall::replace_contents(const Table& table) {
  SW_ASSIGN_OR_RETURN(const Table before, names_in_our_table());
  return run_("change", fmt::format("flush table {}\n{}", kOurTable, difference(before, table)))
      .status();
}

// What somebody else made of our table may stand in the way of changing it (a set of another
// type), and then it is made anew. Somebody who changes rules at the same moment, or a kernel that
// is busy, is no reason.
absl::Status NftablesFirewall::rewrite(const Table& table) {
  SW_ASSIGN_OR_RETURN(const bool exists, our_table_exists());
  if (exists) {
    if (replace_contents(table).ok()) return absl::OkStatus();
    const absl::Status again = replace_contents(table);
    if (again.ok()) return absl::OkStatus();
    spdlog::warn("firewall table made anew, learned conversations are lost why=\"{}\"",
                 message_of(again));
  }
  return run_("make",
              fmt::format("add table {0}\ndelete table {0}\n{1}", kOurTable, text_of(table)))
      .status();
}

absl::StatusOr<bool> NftablesFirewall::is_untouched() {
  SW_ASSIGN_OR_RETURN(const uint32_t generation, ruleset_generation());
  if (!applied_) return false;
  if (generation == applied_->generation) return true;
  if (!applied_->listing) return false;
  SW_ASSIGN_OR_RETURN(const std::optional<std::string> listing, our_table());
  if (listing != applied_->listing) return false;
  applied_->generation = generation;
  return true;
}

absl::Status NftablesFirewall::remember_listing() {
  if (applied_->listing) return absl::OkStatus();
  SW_ASSIGN_OR_RETURN(std::optional<std::string> listing, our_table());
  SW_ASSIGN_OR_RETURN(const uint32_t generation, ruleset_generation());
  if (generation == applied_->generation) applied_->listing = std::move(listing);
  return absl::OkStatus();
}

absl::StatusOr<Outcome> NftablesFirewall::apply(const Ruleset& ruleset) {
  SW_RETURN_IF_ERROR(check(ruleset));
  Table table = table_of(ruleset);
  const std::lock_guard lock(mutex_);
  SW_ASSIGN_OR_RETURN(const bool untouched, is_untouched());
  const bool same = applied_ && applied_->table == table;
  if (same && untouched) {
    SW_RETURN_IF_ERROR(remember_listing());
    return Outcome::kUnchanged;
  }
  if (!untouched || !run_("change", difference(applied_->table, table)).ok()) {
    SW_RETURN_IF_ERROR(rewrite(table));
  }
  applied_.reset();
  SW_ASSIGN_OR_RETURN(const uint32_t generation, ruleset_generation());
  applied_ = Applied{.table = std::move(table), .generation = generation};
  return same ? Outcome::kMended : Outcome::kApplied;
}

absl::Status NftablesFirewall::clear() {
  const std::lock_guard lock(mutex_);
  applied_.reset();
  SW_RETURN_IF_ERROR(ruleset_generation().status());
  return run_("remove", fmt::format("add table {0}\ndelete table {0}\n", kOurTable)).status();
}

}  // namespace stellwerk::firewall

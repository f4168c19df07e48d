#include "api/cli/simulate_fleet.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "api/cli/exit_code.h"
#include "api/cli/files.h"
#include "api/cli/simulate_toml.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

using placement::simulate::FleetPlan;
using placement::simulate::GenerateOptions;
using placement::simulate::HostShape;
using placement::simulate::kMostHostMemoryMib;
using placement::simulate::kMostHosts;
using placement::simulate::kMostHostVcpus;
using placement::simulate::kMostNumaNodes;
using placement::simulate::kMostOversubscription;
using placement::simulate::kMostSites;
using placement::simulate::numbered;

constexpr size_t kLongestFile = 16 << 20;
constexpr int64_t kMostWatts = 1'000'000'000;
constexpr int64_t kMostDiskGib = 1'048'576;
constexpr int64_t kMostGpus = 64;
constexpr TomlRange kAnyOversubscription{1, kMostOversubscription};

std::string parent_of(const std::string& id) {
  const size_t slash = id.rfind('/');
  return slash == std::string::npos ? std::string() : id.substr(0, slash);
}

// What the file has declared, by name.
template <class Uid>
using Names = std::map<std::string, Uid>;

class FleetReader {
 public:
  FleetReader(TomlTable root, TomlProblems& problems)
      : root_(std::move(root)), problems_(problems) {}

  absl::StatusOr<FleetPlan> read() {
    plan_.oversubscription = root_.integer_or("oversubscription", kAnyOversubscription, 1);
    if (std::optional<TomlTable> generate = root_.table("generate"))
      return read_generate(*generate);
    for (TomlTable& site : root_.tables("site")) read_site(site);
    for (TomlTable& zone : root_.tables("zone")) read_zone(zone);
    for (TomlTable& feed : root_.tables("feed")) read_feed(feed);
    for (TomlTable& rack : root_.tables("rack")) read_rack(rack);
    for (TomlTable& host : root_.tables("host")) read_host(host);
    root_.reject_unknown_keys();
    if (problems_.none() && plan_.hosts.empty()) {
      problems_.add(1, "there is no host; write [[host]] or [generate]");
    }
    SW_RETURN_IF_ERROR(problems_.status());
    return std::move(plan_);
  }

 private:
  absl::StatusOr<FleetPlan> read_generate(TomlTable& table) {
    GenerateOptions options;
    for (const char* key : {"hosts", "host_vcpus", "host_memory_mib"}) table.require(key);
    options.hosts = table.integer_or("hosts", {1, kMostHosts}, 1);
    options.host_vcpus = table.integer_or("host_vcpus", {1, kMostHostVcpus}, 1);
    options.host_memory_mib = table.integer_or("host_memory_mib", {1, kMostHostMemoryMib}, 1);
    options.hosts_per_rack =
        table.integer_or("hosts_per_rack", {1, kMostHosts}, options.hosts_per_rack);
    options.sites = table.integer_or("sites", {1, kMostSites}, options.sites);
    options.host_numa_nodes = table.integer_or("host_numa_nodes", {0, kMostNumaNodes}, 0);
    options.host_gpus = table.integer_or("host_gpus", {0, kMostGpus}, 0);
    options.oversubscription =
        table.integer_or("oversubscription", kAnyOversubscription, plan_.oversubscription);
    table.reject_unknown_keys();
    for (const char* key : {"site", "zone", "feed", "rack", "host"}) {
      if (root_.has(key)) root_.reject(key, "a fleet is listed or generated, not both");
      root_.tables(key);
    }
    root_.reject_unknown_keys();
    SW_RETURN_IF_ERROR(problems_.status());
    auto plan = generate_fleet(options);
    if (!plan.ok()) table.reject("hosts", message_of(plan.status()));
    SW_RETURN_IF_ERROR(problems_.status());
    return plan;
  }

  // Its name, if there is one that is new and stands below `parents`.
  template <class Uid, class Parents>
  std::optional<std::string> new_name(TomlTable& table, Names<Uid>& names, const Parents* parents,
                                      std::string_view kind_of_parent) {
    table.require("name");
    std::optional<std::string> name = table.word("name");
    if (!name) return std::nullopt;
    if (parents == nullptr) {
      if (name->find('/') != std::string::npos) {
        table.reject("name", quoted(*name) + " has a slash; a site's name has none");
        return std::nullopt;
      }
    } else if (!parents->contains(parent_of(*name))) {
      table.reject("name",
                   fmt::format("{} begins with no {} of this file", quoted(*name), kind_of_parent));
      return std::nullopt;
    }
    const auto uid = numbered<Uid>(names.size() + 1);
    if (names.emplace(*name, uid).second) return name;
    table.reject("name", quoted(*name) + " is there already; give each its own");
    return std::nullopt;
  }

  void read_site(TomlTable& table) {
    const auto name = new_name(table, sites_, static_cast<const Names<SiteUid>*>(nullptr), "");
    if (name) plan_.topology.sites.push_back({.uid = sites_.at(*name), .id = *name});
    table.reject_unknown_keys();
  }

  void read_zone(TomlTable& table) {
    const auto name = new_name(table, zones_, &sites_, "site");
    if (name) {
      plan_.topology.zones.push_back(
          {.uid = zones_.at(*name), .site = sites_.at(parent_of(*name)), .id = *name});
    }
    table.reject_unknown_keys();
  }

  void read_feed(TomlTable& table) {
    const auto name = new_name(table, feeds_, &sites_, "site");
    table.require("budget_watts");
    const int64_t budget = table.integer_or("budget_watts", {1, kMostWatts}, 1);
    if (name) {
      plan_.topology.feeds.push_back({.uid = feeds_.at(*name),
                                      .site = sites_.at(parent_of(*name)),
                                      .id = *name,
                                      .budget = watts(budget)});
    }
    table.reject_unknown_keys();
  }

  void read_rack(TomlTable& table) {
    const auto name = new_name(table, racks_, &zones_, "zone");
    Rack rack;
    const std::vector<std::string> feeds = table.words("feeds");
    if (feeds.size() > 2) table.reject("feeds", "a rack has at most two");
    for (const std::string& feed : feeds) {
      const auto found = feeds_.find(feed);
      if (found == feeds_.end()) {
        table.reject("feeds", fmt::format("there is no feed {}", quoted(feed)));
      } else if (name && parent_of(feed) != parent_of(parent_of(*name))) {
        table.reject("feeds", fmt::format("{} is of another site", quoted(feed)));
      } else if (std::ranges::find(rack.feeds, found->second) != rack.feeds.end()) {
        table.reject("feeds", fmt::format("{} is named twice", quoted(feed)));
      } else {
        rack.feeds.push_back(found->second);
      }
    }
    if (const auto limit = table.integer("limit_watts", {1, kMostWatts})) {
      rack.power_limit = watts(*limit);
    }
    if (name) {
      rack.uid = racks_.at(*name);
      rack.zone = zones_.at(parent_of(*name));
      rack.id = *name;
      plan_.topology.racks.push_back(std::move(rack));
    }
    table.reject_unknown_keys();
  }

  // "vcpus = 64", or "cores = 32" with "threads = 64".
  void read_processors(TomlTable& table, HostShape& shape) {
    const auto vcpus = table.integer("vcpus", {1, kMostHostVcpus});
    const auto cores = table.integer("cores", {1, kMostHostVcpus});
    const auto threads = table.integer("threads", {1, kMostHostVcpus});
    if (table.has("vcpus") == table.has("cores")) {
      table.reject("vcpus", "give either vcpus, or cores and perhaps threads");
    } else if (table.has("vcpus") && table.has("threads")) {
      table.reject("threads", "goes with cores, not with vcpus");
    }
    shape.cores = vcpus ? *vcpus : cores.value_or(1);
    shape.threads = vcpus ? *vcpus : threads.value_or(shape.cores);
    if (shape.threads < shape.cores) {
      table.reject("threads",
                   fmt::format("is {}, less than the {} cores", shape.threads, shape.cores));
      shape.threads = shape.cores;
    }
  }

  HostShape read_shape(TomlTable& table) {
    HostShape shape;
    read_processors(table, shape);
    table.require("memory_mib");
    shape.memory = mebibytes(table.integer_or("memory_mib", {1, kMostHostMemoryMib}, 1));
    shape.disk = gibibytes(table.integer_or("disk_gib", {0, kMostDiskGib}, 0));
    shape.numa_nodes = static_cast<int32_t>(table.integer_or("numa_nodes", {0, kMostNumaNodes}, 0));
    if (shape.numa_nodes > shape.cores) {
      table.reject("numa_nodes",
                   fmt::format("is {}, more than the {} cores", shape.numa_nodes, shape.cores));
      shape.numa_nodes = 0;
    }
    shape.gpus = table.integer_or("gpus", {0, kMostGpus}, 0);
    shape.power.idle = watts(table.integer_or("idle_watts", {0, kMostWatts}, 0));
    shape.power.peak = watts(table.integer_or("peak_watts", {0, kMostWatts}, 0));
    if (shape.power.peak < shape.power.idle) {
      table.reject("peak_watts",
                   fmt::format("{} at peak is less than {} idle", to_string(shape.power.peak),
                               to_string(shape.power.idle)));
    }
    for (auto& [key, value] : table.pairs("labels")) shape.labels[key] = value;
    return shape;
  }

  void read_host(TomlTable& table) {
    for (const char* key : {"name", "rack"}) table.require(key);
    const auto name = table.word("name");
    const auto rack = table.word("rack");
    const int64_t count = table.integer_or("count", {1, kMostHosts}, 1);
    const HostShape shape = read_shape(table);
    table.reject_unknown_keys();
    if (!name || !rack) return;
    const auto found = racks_.find(*rack);
    if (found == racks_.end()) {
      table.reject("rack", fmt::format("there is no rack {} in this file", quoted(*rack)));
      return;
    }
    for (int64_t i = 1; i <= count; ++i) {
      const std::string id = table.has("count") ? fmt::format("{}-{}", *name, i) : *name;
      if (!hosts_.insert(id).second) {
        table.reject("name", quoted(id) + " is there already; give each its own");
        return;
      }
      if (static_cast<int64_t>(plan_.hosts.size()) == kMostHosts) {
        table.reject("count", fmt::format("makes more than {} hosts in all", kMostHosts));
        return;
      }
      plan_.hosts.push_back(planned_host(plan_.hosts.size(), id, found->second, shape));
    }
  }

  TomlTable root_;
  TomlProblems& problems_;
  FleetPlan plan_;
  Names<SiteUid> sites_;
  Names<ZoneUid> zones_;
  Names<FeedUid> feeds_;
  Names<RackUid> racks_;
  std::set<std::string> hosts_;
};

}  // namespace

absl::StatusOr<FleetPlan> parse_fleet(std::string_view text, const std::string& origin) {
  toml::table root;
  try {
    root = toml::parse(text, origin);
  } catch (const toml::parse_error& error) {
    return usage_error("{}:{}: {}", origin, error.source().begin.line, error.description());
  }
  TomlProblems problems(origin);
  return FleetReader(TomlTable(root, "fleet", problems), problems).read();
}

absl::StatusOr<FleetPlan> read_fleet(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return usage_error("cannot read {}: it is a directory", quoted_path(path));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return usage_error("cannot read {}: {}", quoted_path(path), strerror(errno));
  std::string text(kLongestFile + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return usage_error("cannot read {}: {}", quoted_path(path), strerror(errno));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kLongestFile) {
    return usage_error("{} has more than {} bytes", quoted_path(path), kLongestFile);
  }
  return parse_fleet(text, path);
}

}  // namespace stellwerk::cli

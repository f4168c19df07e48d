#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "rules.h"

namespace stellwerk::style {
namespace {

bool starts_with_folder(std::string_view path, std::string_view folder) {
  return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

// "drivers/store/sqlite/schema.h" → 3.
size_t folders_in(std::string_view path) {
  return std::count(path.begin(), path.end(), '/');
}

bool is_ours(std::string_view header) {
  static constexpr std::array<std::string_view, 6> kRoots = {"core",         "placement", "drivers",
                                                             "orchestrator", "api",       "tests"};
  return std::any_of(kRoots.begin(), kRoots.end(), [&](std::string_view root) {
    return starts_with_folder(header, root) && header != root;
  });
}

// An interface lies in drivers/<kind>/, an implementation one folder deeper.
bool is_driver_interface(std::string_view header) {
  return header.starts_with("drivers/") && folders_in(header) == 2;
}
bool is_driver_implementation(std::string_view header) {
  return header.starts_with("drivers/") && folders_in(header) > 2;
}

std::string_view folder_of(std::string_view path) {
  return path.substr(0, path.rfind('/'));
}

std::optional<std::string> driver_problem(std::string_view file, std::string_view header) {
  if (starts_with_folder(header, "core")) return std::nullopt;
  if (header.starts_with("drivers/")) {
    const std::string_view home = folder_of(file);
    if (folder_of(header) == home) return std::nullopt;
    if (folders_in(file) > 2 && folder_of(header) == folder_of(home)) return std::nullopt;
    return "a driver includes its own folder and its interface, never a sibling";
  }
  return "drivers include core and their interface alone";
}

std::optional<std::string> orchestrator_problem(std::string_view file, std::string_view header) {
  if (starts_with_folder(header, "core") || starts_with_folder(header, "placement")) {
    return std::nullopt;
  }
  if (is_driver_interface(header)) return std::nullopt;
  if (is_driver_implementation(header)) return "the orchestrator knows drivers by interface alone";
  if (!header.starts_with("orchestrator/")) {
    return "the orchestrator includes core, placement, drivers' interfaces and itself alone";
  }
  const std::string_view home = folder_of(file);
  if (folder_of(header) == home || folder_of(header) == "orchestrator/records") {
    return std::nullopt;
  }
  return "controller and agent meet in core/host_messages.h alone";
}

std::optional<std::string> api_problem(std::string_view file, std::string_view header) {
  const bool client_side =
      starts_with_folder(file, "api/client") || starts_with_folder(file, "api/cli");
  // The capacity planner works without a daemon.
  if (file.starts_with("api/cli/simulate") && starts_with_folder(header, "placement")) {
    return std::nullopt;
  }
  const bool for_clients = starts_with_folder(header, "core") ||
                           starts_with_folder(header, "api/client") ||
                           starts_with_folder(header, "api/cli");
  if (client_side && !for_clients) return "a client knows core and the wire alone";
  if (starts_with_folder(file, "api/daemon")) return std::nullopt;
  if (is_driver_implementation(header)) {
    return "implementations are wired in api/daemon, the one composition root";
  }
  if (starts_with_folder(header, "api/daemon")) return "nothing includes the composition root";
  if (starts_with_folder(header, "tests")) return "the product does not include its tests";
  return std::nullopt;
}

std::optional<std::string> problem_with_ours(std::string_view file, std::string_view header) {
  if (starts_with_folder(header, "placement/simulate") &&
      !starts_with_folder(file, "placement/simulate") && !starts_with_folder(file, "api/cli")) {
    return "the planner is the command line's; whoever places for real does without it";
  }
  if (starts_with_folder(file, "core")) {
    if (starts_with_folder(header, "core")) return std::nullopt;
    return "core includes nothing of ours but itself";
  }
  if (starts_with_folder(file, "placement")) {
    if (starts_with_folder(header, "core") || starts_with_folder(header, "placement")) {
      return std::nullopt;
    }
    return "placement includes core alone";
  }
  if (starts_with_folder(file, "drivers")) return driver_problem(file, header);
  if (starts_with_folder(file, "orchestrator")) return orchestrator_problem(file, header);
  if (starts_with_folder(file, "api")) return api_problem(file, header);
  return std::nullopt;
}

// Where the headers of a library may be included, besides tests. `where` are folders or files.
struct Library {
  std::string_view name;
  std::vector<std::string_view> headers;  // how its headers begin
  std::vector<std::string_view> where;
};

const std::vector<Library>& libraries() {
  static const std::vector<Library> all = {
      {"protobuf", {"google/", "stellwerk/"}, {"api", "orchestrator/records"}},
      {"gRPC", {"grpc/", "grpcpp/", "grpc++/"}, {"api"}},
      {"Boost", {"boost/"}, {"api"}},
      {"spdlog",
       {"spdlog/"},
       {"api", "drivers/hypervisor/libvirt", "drivers/storage/local", "drivers/network/bridge",
        "drivers/store/sqlite", "drivers/firewall/nftables"}},
      {"libvirt", {"libvirt/"}, {"drivers/hypervisor/libvirt"}},
      {"pugixml", {"pugixml"}, {"drivers/hypervisor/libvirt"}},
      {"SQLite", {"sqlite3"}, {"drivers/store/sqlite"}},
      {"Ceph", {"rados/", "rbd/"}, {"drivers/store/rados", "drivers/storage/rbd"}},
      {"libarchive", {"archive"}, {"drivers/storage/local"}},
      {"libcurl", {"curl/"}, {"drivers/download/curl"}},
      {"libnl", {"netlink/"}, {"drivers/network/bridge"}},
      {"libnftables", {"nftables/"}, {"drivers/firewall/nftables"}},
      {"liblzma", {"lzma"}, {"api/cli"}},
      {"toml++", {"toml++/"}, {"api/daemon", "api/cli"}},
      {"CLI11", {"CLI/"}, {"api/cli", "api/daemon"}},
      {"nlohmann/json", {"nlohmann/"}, {"api", "orchestrator/agent", "drivers/firewall/nftables"}},
      {"yaml-cpp", {"yaml-cpp/"}, {"api/cli"}},
      {"prometheus-cpp", {"prometheus/"}, {"api/metrics"}},
  };
  return all;
}

std::optional<std::string> problem_with_library(std::string_view file, std::string_view header) {
  for (const Library& library : libraries()) {
    const auto begins = [&](std::string_view start) { return header.starts_with(start); };
    if (std::none_of(library.headers.begin(), library.headers.end(), begins)) continue;
    const auto allows = [&](std::string_view place) { return starts_with_folder(file, place); };
    if (std::any_of(library.where.begin(), library.where.end(), allows)) return std::nullopt;
    return fmt::format("{} headers belong in {}", library.name, fmt::join(library.where, ", "));
  }
  return std::nullopt;
}

// The header that a line includes; empty for other lines.
std::string_view included(std::string_view line) {
  static constexpr std::string_view kInclude = "#include";
  if (!line.starts_with(kInclude)) return {};
  const size_t open = line.find_first_of("<\"", kInclude.size());
  if (open == std::string_view::npos) return {};
  const size_t close = line.find_first_of(">\"", open + 1);
  if (close == std::string_view::npos) return {};
  return line.substr(open + 1, close - open - 1);
}

}  // namespace

void check_layering(const SourceFile& file, Findings& findings) {
  if (!file.is_cpp() || file.under("tests")) return;
  const std::vector<std::string_view> lines = lines_of(file.text());
  const std::vector<std::string_view> code = lines_of(file.code());
  for (size_t i = 0; i < lines.size(); ++i) {
    if (!code[i].starts_with('#')) continue;
    const std::string_view header = included(lines[i]);
    if (header.empty()) continue;
    const std::optional<std::string> problem = is_ours(header)
                                                   ? problem_with_ours(file.path(), header)
                                                   : problem_with_library(file.path(), header);
    if (problem) {
      findings.push_back({"layering", file.path(), i + 1, fmt::format("{}: {}", header, *problem)});
    }
  }
}

}  // namespace stellwerk::style

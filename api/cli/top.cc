#include <poll.h>

#include <memory>

#include "api/cli/commands.h"
#include "api/cli/format.h"
#include "api/cli/pages.h"
#include "api/cli/progress.h"
#include "api/cli/verbs.h"

namespace stellwerk::cli {
namespace {

using v1::Host;
using v1::Hosts;
using v1::Instance;
using v1::Instances;

// How soon Ctrl-C is noticed.
constexpr std::chrono::milliseconds kTick{100};
constexpr size_t kBarWidth = 20;

struct TopOptions {
  int64_t interval = 2;
  bool once = false;
};

struct Snapshot {
  std::vector<Host> hosts;
  std::vector<Instance> instances;
};

absl::StatusOr<Snapshot> look(Context& context) {
  Snapshot snapshot;
  SW_ASSIGN_OR_RETURN(snapshot.hosts,
                      collect(context, &Hosts::Stub::ListHosts, v1::ListHostsRequest(),
                              &v1::ListHostsResponse::mutable_hosts));
  v1::ListInstancesRequest request;
  request.set_parent(project_name(context));
  SW_ASSIGN_OR_RETURN(snapshot.instances, collect(context, &Instances::Stub::ListInstances, request,
                                                  &v1::ListInstancesResponse::mutable_instances));
  return snapshot;
}

std::string use_text(int64_t used, int64_t reserved, int64_t total) {
  const int64_t offered = std::max<int64_t>(total - reserved, 0);
  return fmt::format("{} {} of {}", progress_bar(std::min(used, offered), offered, kBarWidth),
                     to_string(Bytes(used)), to_string(Bytes(offered)));
}

int64_t vcpus_of(const Host::Use& use) {
  return use.low_performance_vcpus() + use.shared_vcpus() + use.dedicated_threads() +
         use.dedicated_cores();
}

Columns<Host> host_columns() {
  return {
      {"HOST", Shown::kAlways, [](const Host& h) { return Cell(id_of(h.name())); }},
      {"STATE", Shown::kAlways, [](const Host& h) { return state_cell(h.state()); }},
      {"INSTANCES", Shown::kAlways,
       [](const Host& h) { return Cell(std::to_string(h.use().instances())); }},
      {"VCPUS ON THREADS", Shown::kAlways,
       [](const Host& h) {
         return Cell(fmt::format("{} on {}", vcpus_of(h.use()), h.capacity().threads()));
       }},
      {"MEMORY CLAIMED", Shown::kAlways,
       [](const Host& h) {
         return Cell(use_text(h.use().memory_bytes(), h.reserved().memory_bytes(),
                              h.capacity().memory_bytes()));
       }},
      {"DISK CLAIMED", Shown::kAlways,
       [](const Host& h) {
         return Cell(
             use_text(h.use().disk_bytes(), h.reserved().disk_bytes(), h.capacity().disk_bytes()));
       }},
  };
}

Columns<Instance> instance_columns(const Context& context) {
  const WallTime now = context.now().wall;
  return {
      {"INSTANCE", Shown::kAlways, [](const Instance& i) { return Cell(id_of(i.name())); }},
      {"PROJECT", Shown::kAlways, [](const Instance& i) { return Cell(project_of(i.name())); }},
      {"PHASE", Shown::kAlways, [](const Instance& i) { return phase_cell(i.phase()); }},
      {"SINCE", Shown::kAlways,
       [now](const Instance& i) { return Cell(age(i.phase_time(), now)); }},
      {"VCPUS", Shown::kAlways, [](const Instance& i) { return Cell(std::to_string(i.vcpus())); }},
      {"MEMORY", Shown::kAlways,
       [](const Instance& i) { return Cell(bytes_text(i.memory_bytes())); }},
      {"DISK", Shown::kAlways,
       [](const Instance& i) { return Cell(bytes_text(i.boot_disk_bytes())); }},
      {"HOST", Shown::kAlways, [](const Instance& i) { return Cell(id_of(i.host())); }},
      {"REASON", Shown::kAlways, [](const Instance& i) { return Cell(i.reason()); }},
  };
}

void print(const Context& context, const Snapshot& snapshot) {
  const std::string json = fmt::format(R"({{"hosts":{},"instances":{}}})", json_of(snapshot.hosts),
                                       json_of(snapshot.instances));
  if (context.format == OutputFormat::kJson) {
    context.out() << json << '\n';
  } else if (context.format == OutputFormat::kYaml) {
    context.out() << yaml_of_json(json) << '\n';
  } else {
    print_table(context, snapshot.hosts, host_columns());
    context.out() << '\n';
    print_table(context, snapshot.instances, instance_columns(context));
  }
}

// False when Ctrl-C came.
bool pause(const Context& context, std::chrono::seconds length) {
  const auto ticks = length / kTick;
  for (int64_t i = 0; i < ticks; ++i) {
    if (context.environment.interrupt.raised()) return false;
    poll(nullptr, 0, static_cast<int>(kTick.count()));
  }
  return !context.environment.interrupt.raised();
}

// A view for people who look; programs and files get one snapshot.
absl::Status top(Context& context, const TopOptions& options) {
  const bool document =
      context.format == OutputFormat::kJson || context.format == OutputFormat::kYaml;
  const bool once = options.once || document || !context.environment.out_is_terminal;
  if (!once) context.environment.interrupt.arm();
  do {
    SW_ASSIGN_OR_RETURN(const Snapshot snapshot, look(context));
    if (!once) context.out() << "\x1b[H\x1b[2J";  // home, and clear
    print(context, snapshot);
    context.out() << std::flush;
  } while (!once && context.out().good() && pause(context, std::chrono::seconds(options.interval)));
  return absl::OkStatus();
}

}  // namespace

void add_top_command(CLI::App& app, Command& chosen) {
  CLI::App* verb = app.add_subcommand(
      "top", "Show what hosts have given and what runs, anew every few seconds, until Ctrl-C");
  verb->footer(
      "Example:\n  stellwerk top --project - --interval 5\n\n"
      "Off a terminal, and with -o json or -o yaml, it prints once.");
  auto options = std::make_shared<TopOptions>();
  verb->add_option("--interval", options->interval, "Seconds between two looks")
      ->type_name("SECONDS")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{1}, int64_t{3600}));
  verb->add_flag("--once", options->once, "Print once and end");
  choose(verb, options, chosen, top);
}

}  // namespace stellwerk::cli

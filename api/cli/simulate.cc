#include <fmt/format.h>

#include <memory>
#include <optional>

#include "api/cli/commands.h"
#include "api/cli/exit_code.h"
#include "api/cli/progress.h"
#include "api/cli/simulate_fleet.h"
#include "api/cli/simulate_report.h"
#include "api/cli/simulate_trace.h"
#include "api/cli/verbs.h"
#include "api/cli/yaml.h"
#include "core/validate.h"
#include "placement/simulate/replay.h"

namespace stellwerk::cli {
namespace {

using placement::simulate::FleetPlan;
using placement::simulate::GenerateOptions;
using placement::simulate::OnFull;
using placement::simulate::parse_what_if;
using placement::simulate::Replay;
using placement::simulate::ReplaySettings;
using placement::simulate::Report;
using placement::simulate::Trace;
using placement::simulate::WhatIf;

constexpr int64_t kMostRows = placement::simulate::kMostRows;
constexpr size_t kBarWidth = 30;

struct SimulateOptions {
  std::string fleet;
  GenerateOptions generate;
  std::optional<int64_t> oversubscription;
  std::string trace;
  std::string policy = "default";
  std::string expect_full = "auto";
  std::string on_full = "reject";
  std::string failover = "none";
  int64_t from_row = 1;
  std::optional<int64_t> rows;
  std::optional<int64_t> limit_hosts;
  std::vector<std::string> what_ifs;
  std::string report;
  std::string plots;
  bool generates = false;  // an option that belongs to a generated fleet is there
};

absl::Status as_usage(const absl::Status& status) {
  return status.ok() ? status : with_reason(status, kUsageReason);
}

absl::StatusOr<FleetPlan> fleet_of(const SimulateOptions& options) {
  if (options.fleet.empty() && options.generate.hosts == 0) {
    return usage_error(
        "no fleet is given: --fleet FILE, or --hosts, --host-vcpus and "
        "--host-memory-mib for a generated one");
  }
  if (!options.fleet.empty()) {
    if (options.generates) {
      return usage_error(
          "--fleet and --hosts, --host-… or --sites exclude each other: a fleet is "
          "read or generated");
    }
    SW_ASSIGN_OR_RETURN(FleetPlan plan, read_fleet(options.fleet));
    plan.oversubscription = options.oversubscription.value_or(plan.oversubscription);
    return plan;
  }
  GenerateOptions generate = options.generate;
  generate.oversubscription = options.oversubscription.value_or(1);
  auto plan = placement::simulate::generate_fleet(generate);
  if (!plan.ok()) return as_usage(annotate(plan.status(), "generated fleet"));
  return plan;
}

absl::StatusOr<Trace> trace_of(const SimulateOptions& options) {
  SW_ASSIGN_OR_RETURN(Trace trace, read_trace(options.trace));
  if (options.from_row == 1 && !options.rows) return trace;
  auto part = trace.part(static_cast<size_t>(options.from_row - 1),
                         static_cast<size_t>(options.rows.value_or(kMostRows)));
  if (!part.ok()) return as_usage(annotate(part.status(), "--from-row"));
  return part;
}

absl::StatusOr<ReplaySettings> settings_of(const SimulateOptions& options) {
  ReplaySettings settings;
  // The command line has been checked: these are known.
  settings.cell.policy = *placement::parse_policy(options.policy);
  if (options.expect_full != "auto") settings.cell.expect_full = options.expect_full == "true";
  settings.cell.guarantee = parse_domain_level(options.failover);
  settings.on_full = options.on_full == "wait" ? OnFull::kWait : OnFull::kReject;
  for (const std::string& text : options.what_ifs) {
    auto what_if = parse_what_if(text);
    if (!what_if.ok()) return as_usage(what_if.status());
    settings.what_ifs.push_back(*std::move(what_if));
  }
  return settings;
}

absl::StatusOr<Report> replay(Context& context, const Trace& trace, const FleetPlan& plan,
                              const ReplaySettings& settings, std::string_view title) {
  Environment& environment = context.environment;
  ProgressLine line(environment.err,
                    {environment.err_is_terminal, context.colour, environment.err_width});
  MonotonicTime drawn{};
  const auto total = static_cast<int64_t>(trace.rows().size());
  const auto show = [&](size_t rows) {
    const MonotonicTime now = context.now().monotonic;
    if (!environment.err_is_terminal || (rows > 0 && now - drawn < kProgressTick)) return;
    drawn = now;
    line.show(fmt::format("{} ", title), progress_bar(static_cast<int64_t>(rows), total, kBarWidth),
              fmt::format("  {} of {} rows", rows, total));
  };
  auto report = Replay::run(
      trace, plan, settings, [] { return stopwatch().count(); }, show);
  return report.ok() ? std::move(report) : as_usage(report.status());
}

SimulatedCase case_of(const SimulateOptions& options, const FleetPlan& plan,
                      const ReplaySettings& settings) {
  return {.trace = options.trace,
          .fleet = options.fleet,
          .policy = settings.cell.policy,
          .on_full = settings.on_full,
          .failover = settings.cell.guarantee,
          .from_row = options.from_row,
          .oversubscription = plan.oversubscription,
          .sites = static_cast<int64_t>(plan.topology.sites.size()),
          .racks = static_cast<int64_t>(plan.topology.racks.size())};
}

absl::Status simulate(Context& context, const SimulateOptions& options) {
  SW_RETURN_IF_ERROR(check_writable(options.report));
  SW_ASSIGN_OR_RETURN(const ReplaySettings settings, settings_of(options));
  SW_ASSIGN_OR_RETURN(FleetPlan plan, fleet_of(options));
  if (options.limit_hosts) {
    const absl::Status limited = limit_hosts(plan, *options.limit_hosts);
    if (!limited.ok()) return as_usage(annotate(limited, "--limit-hosts"));
  }
  SW_ASSIGN_OR_RETURN(const Trace trace, trace_of(options));
  SW_ASSIGN_OR_RETURN(const Report report, replay(context, trace, plan, settings, "simulating"));
  std::optional<Report> without;
  if (!settings.what_ifs.empty()) {
    ReplaySettings plain = settings;
    plain.what_ifs.clear();
    SW_ASSIGN_OR_RETURN(without, replay(context, trace, plan, plain, "without what-ifs"));
  }
  const SimulatedCase simulated = case_of(options, plan, settings);
  const std::string json = report_json(simulated, report, without);
  SW_RETURN_IF_ERROR(write_file(options.report, json + "\n"));
  if (!options.plots.empty()) SW_RETURN_IF_ERROR(write_plots(options.plots, report));
  if (context.format == OutputFormat::kJson) {
    context.out() << json << '\n';
  } else if (context.format == OutputFormat::kYaml) {
    context.out() << yaml_of_json(json) << '\n';
  } else {
    print_report(context, simulated, report, without);
  }
  return absl::OkStatus();
}

struct NumberText {
  const char* name;
  const char* help;
};

CLI::Option* add_number(CLI::App* verb, const NumberText& text, int64_t& value, int64_t most) {
  return verb->add_option(text.name, value, text.help)
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, most));
}

void add_fleet_options(CLI::App* verb, SimulateOptions& options) {
  namespace simulate = placement::simulate;
  verb->add_option("--fleet", options.fleet, "The fleet, in TOML (docs/simulate.md)")
      ->type_name("FILE");
  GenerateOptions& generate = options.generate;
  std::vector<CLI::Option*> generating = {
      add_number(verb, {"--hosts", "Generate a fleet of so many equal hosts"}, generate.hosts,
                 simulate::kMostHosts),
      add_number(verb, {"--host-vcpus", "Hardware threads of each generated host"},
                 generate.host_vcpus, simulate::kMostHostVcpus),
      add_number(verb, {"--host-memory-mib", "Memory of each generated host"},
                 generate.host_memory_mib, simulate::kMostHostMemoryMib),
      add_number(verb, {"--host-numa-nodes", "NUMA nodes of each generated host"},
                 generate.host_numa_nodes, simulate::kMostNumaNodes),
      add_number(verb, {"--host-gpus", "GPUs of each generated host"}, generate.host_gpus, 64),
      add_number(verb, {"--hosts-per-rack", "Generated hosts of one rack"}, generate.hosts_per_rack,
                 simulate::kMostHosts)
          ->capture_default_str(),
      add_number(verb, {"--sites", "Sites over which generated racks are spread"}, generate.sites,
                 simulate::kMostSites)
          ->capture_default_str()};
  for (CLI::Option* option : generating) {
    option->each([&options](const std::string&) { options.generates = true; });
  }
  verb->add_option("--oversubscription", options.oversubscription,
                   "vCPUs of one hardware thread; else the fleet file's, else 1")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, simulate::kMostOversubscription));
  verb->add_option("--limit-hosts", options.limit_hosts, "Only the first N hosts of the fleet")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, simulate::kMostHosts));
}

void add_trace_options(CLI::App* verb, SimulateOptions& options) {
  verb->add_option("--trace", options.trace, "What comes and goes, as CSV or CSV in xz")
      ->type_name("FILE")
      ->required();
  verb->add_option("--from-row", options.from_row, "The first row of the trace to be played")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{1}, kMostRows));
  verb->add_option("--rows", options.rows, "How many rows are played; else all that follow")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, kMostRows));
}

}  // namespace

void add_simulate_command(CLI::App& app, Command& chosen) {
  CLI::App* verb = app.add_subcommand(
      "simulate", "Play a trace of requests on a fleet, without a daemon, and report how it went");
  verb->footer(
      "Example:\n  stellwerk simulate --fleet fleet.toml --trace trace.csv.xz --report out.json\n"
      "  stellwerk simulate --hosts 1030 --host-vcpus 64 --host-memory-mib 180224 \\\n"
      "      --trace trace.csv --failover rack --what-if 'lose site dc1 at 3d' --report out.json\n"
      "\nIt uses the same placement engine as the daemon, and talks to nobody.");
  auto options = std::make_shared<SimulateOptions>();
  add_fleet_options(verb, *options);
  add_trace_options(verb, *options);
  verb->add_option("--policy", options->policy, "Which of the hosts that fit is taken")
      ->capture_default_str()
      ->check(CLI::IsMember({"default", "first-fit", "best-fit", "worst-fit", "dot-product", "l2",
                             "fgd", "fgd-in-use"}));
  verb->add_option("--expect-full", options->expect_full,
                   "Whether the fleet is going to be full; auto: what is in use decides")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "true", "false"}));
  verb->add_option("--on-full", options->on_full, "What becomes of what fits nowhere")
      ->capture_default_str()
      ->check(CLI::IsMember({"reject", "wait"}));
  verb->add_option("--failover", options->failover,
                   "Keep room for the loss of any one such domain, for every instance")
      ->capture_default_str()
      ->check(CLI::IsMember({"none", "host", "rack", "zone", "site"}));
  add_repeated(verb,
               {"--what-if", "TEXT",
                "'lose site dc2 at 3d' or 'add 8 hosts to rack dc1/a/r07 at 36h'; may be repeated"},
               options->what_ifs);
  verb->add_option("--report", options->report, "Where the report goes, as JSON")
      ->type_name("FILE")
      ->required();
  verb->add_option("--plots", options->plots, "Also write plots into this directory, as SVG")
      ->type_name("DIRECTORY");
  choose(verb, options, chosen, simulate);
}

}  // namespace stellwerk::cli

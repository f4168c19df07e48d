#include "api/daemon/program.h"

#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "api/daemon/backup.h"
#include "api/daemon/config.h"
#include "api/daemon/daemon.h"
#include "api/daemon/doctor/real_machine.h"
#include "api/daemon/doctor/report.h"
#include "api/daemon/log.h"
#include "api/daemon/one_line.h"
#include "core/time.h"

namespace stellwerk::daemon {
namespace {

int check_config(const std::string& path) {
  const auto config = load_config(path);
  if (config.ok()) {
    const std::string source = source_of_config(path);
    fmt::print("{}\n", source == path ? path + ": no mistakes" : source);
    return kCleanEnd;
  }
  fmt::print(stderr, "{}\n", message_of(config.status()));
  return kBadUsage;
}

int run_daemon(const Config& config, const std::string& path) {
  set_up_log(config.daemon);
  spdlog::info("starting version={} config=\"{}\"", STELLWERK_VERSION,
               one_line(source_of_config(path)));
  return run_all(config);
}

int tell(const absl::StatusOr<std::string>& outcome) {
  if (outcome.ok()) {
    fmt::print("{}\n", *outcome);
    return kCleanEnd;
  }
  fmt::print(stderr, "stellwerkd: {}\n", free_text(message_of(outcome.status())));
  return kRefusedToStart;
}

// For `stellwerk doctor`: JSON alone on standard output; the log of drivers would be in its way.
int examine(const std::string& path) {
  spdlog::set_level(spdlog::level::off);
  const auto config = load_config(path);
  if (!config.ok()) {
    fmt::print("{}\n", doctor::report_of_mistakes(STELLWERK_VERSION, config.status(), path));
    return kRefusedToStart;
  }
  doctor::RealMachine machine;
  const doctor::Findings findings = doctor::examine(*config, machine);
  fmt::print("{}\n", doctor::report(STELLWERK_VERSION, *config, findings));
  const bool failed = std::ranges::any_of(findings, [](const doctor::Finding& finding) {
    return finding.verdict == doctor::Verdict::kFailed;
  });
  return failed ? kRefusedToStart : kCleanEnd;
}

struct BackupOptions {
  std::string file;
  bool force = false;
};

// `act` gets a configuration without mistakes.
template <class Act>
int with_config(const std::string& path, const Act& act) {
  const auto config = load_config(path);
  if (config.ok()) return act(*config);
  fmt::print(stderr, "{}\n", message_of(config.status()));
  return kBadUsage;
}

}  // namespace

int run_program(int argc, char** argv) {
  CLI::App app(
      "stellwerkd: runs virtual machines on this host.\n\n"
      "Example: stellwerkd all --config /etc/stellwerk/stellwerk.toml",
      "stellwerkd");
  std::string path(kDefaultConfigPath);
  app.set_version_flag("--version", "stellwerkd " STELLWERK_VERSION);
  app.add_option("--config", path, "the configuration, in TOML")->capture_default_str();
  app.require_subcommand(1);
  app.fallthrough();
  const CLI::App* const all =
      app.add_subcommand("all", "controller and agent in one process, on this host");
  const CLI::App* const check =
      app.add_subcommand("check-config", "says every mistake in the configuration, and ends");
  const CLI::App* const doctor = app.add_subcommand(
      "doctor", "says as JSON what is wrong with this host; for people: stellwerk doctor");
  BackupOptions options;
  CLI::App* const backup = app.add_subcommand(
      "backup",
      "writes the database and the host's identity into one file, also while the daemon runs");
  backup->add_option("FILE", options.file, "the backup; must not exist")->required();
  backup->add_flag("--force", options.force, "replace FILE if it exists");
  CLI::App* const restore = app.add_subcommand(
      "restore", "puts a backup in the place of the database, of which a copy is kept");
  restore->add_option("FILE", options.file, "the backup")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kCleanEnd : kBadUsage;
  }
  if (check->parsed()) return check_config(path);
  if (doctor->parsed()) return examine(path);
  return with_config(path, [&](const Config& config) {
    if (all->parsed()) return run_daemon(config, path);
    const WallTime now = SystemClock().now().wall;
    if (backup->parsed()) return tell(back_up(config, options.file, options.force, now));
    return restore->parsed() ? tell(restore_backup(config, options.file, now)) : int{kBadUsage};
  });
}

}  // namespace stellwerk::daemon

#include "api/daemon/program.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "api/daemon/config.h"
#include "api/daemon/daemon.h"

namespace stellwerk::daemon {
namespace {

// Standard error: systemd's journal takes it from there.
void set_up_log(const std::string& level) {
  auto logger = spdlog::stderr_logger_mt("stellwerkd");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc);
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

int check_config(const std::string& path) {
  const auto config = load_config(path);
  if (config.ok()) {
    fmt::print("{}: no mistakes\n", path);
    return kCleanEnd;
  }
  fmt::print(stderr, "{}\n", message_of(config.status()));
  return kBadUsage;
}

int run_daemon(const std::string& path) {
  const auto config = load_config(path);
  if (!config.ok()) {
    fmt::print(stderr, "{}\n", message_of(config.status()));
    return kBadUsage;
  }
  set_up_log(config->daemon.log_level);
  spdlog::info("starting version={} config={}", STELLWERK_VERSION, path);
  return run_all(*config);
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
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kCleanEnd : kBadUsage;
  }
  if (check->parsed()) return check_config(path);
  return all->parsed() ? run_daemon(path) : kBadUsage;
}

}  // namespace stellwerk::daemon

#include "api/daemon/log.h"

#include <grpc/support/log.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "api/daemon/json_log.h"
#include "api/daemon/one_line.h"

namespace stellwerk::daemon {
namespace {

void log_of_grpc(gpr_log_func_args* said) {
  const auto level = said->severity == GPR_LOG_SEVERITY_ERROR  ? spdlog::level::err
                     : said->severity == GPR_LOG_SEVERITY_INFO ? spdlog::level::info
                                                               : spdlog::level::debug;
  spdlog::log(level, "gRPC: {}", free_text(said->message));
}

}  // namespace

void set_up_log(const DaemonConfig& config) {
  auto logger = spdlog::stderr_logger_mt("stellwerkd");
  switch (config.log_format) {
    case LogFormat::kText:
      logger->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc);
      break;
    case LogFormat::kJson:
      logger->set_formatter(make_json_formatter());
      break;
  }
  logger->set_level(spdlog::level::from_str(config.log_level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  gpr_set_log_function(log_of_grpc);
}

}  // namespace stellwerk::daemon

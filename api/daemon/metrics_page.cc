#include "api/daemon/metrics_page.h"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <future>

#include "api/metrics/cell_families.h"
#include "api/metrics/process_families.h"
#include "api/server/peers.h"

namespace stellwerk::daemon {
namespace {

using metrics::Families;

std::optional<controller::CellSummary> ask(server::Gateway& gateway, Duration patience) {
  // Shared: an answer that comes late finds it still there.
  const auto promise = std::make_shared<std::promise<absl::StatusOr<controller::Answer>>>();
  std::future<absl::StatusOr<controller::Answer>> answer = promise->get_future();
  gateway.submit(
      controller::Query(controller::SummarizeCell{}),
      [promise](absl::StatusOr<controller::Answer> said) { promise->set_value(std::move(said)); });
  if (answer.wait_for(patience) != std::future_status::ready) return std::nullopt;
  absl::StatusOr<controller::Answer> said = answer.get();
  if (!said.ok()) return std::nullopt;
  auto* const summary = std::get_if<controller::CellSummary>(&*said);
  if (summary == nullptr) return std::nullopt;
  return std::move(*summary);
}

void append(Families& to, Families more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

server::CallObserver calls_into(metrics::Metrics& metrics) {
  return [&metrics](const server::CallSeen& call) {
    metrics.call_ended(call.method, call.code, call.took);
  };
}

std::string metrics_page(const metrics::Metrics& metrics, server::Gateway& gateway,
                         Duration patience) {
  Families families = metrics.collect();
  const auto summary = ask(gateway, patience);
  metrics::add_gauge(
      families,
      {"stellwerk_cell_answers", "1 if the controller has answered; 0: the store takes no commits"},
      {{{}, summary ? 1.0 : 0.0}});
  if (summary) append(families, metrics::families_of(*summary));
  append(families, metrics::process_families());
  return metrics::to_text(families);
}

absl::StatusOr<std::unique_ptr<metrics::HttpListener>> serve_metrics(
    const Config& config, const metrics::Metrics& metrics, server::Gateway& gateway) {
  metrics::Place place{.unix_path = config.metrics.unix_path,
                       .group = std::nullopt,
                       .address = config.metrics.address,
                       .port = config.metrics.port};
  if (!place.unix_path.empty()) {
    std::string warning;  // the API's server has told it already
    place.group = server::OperatorRule::of_group(config.daemon.operator_group, &warning).group();
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(place.unix_path).parent_path(),
                                        error);
  }
  SW_ASSIGN_OR_RETURN(auto listener, metrics::HttpListener::open(place, [&metrics, &gateway] {
                        return metrics_page(metrics, gateway);
                      }));
  spdlog::info("serving metrics place={}", place.unix_path.empty()
                                               ? fmt::format("{}:{}", place.address, place.port)
                                               : place.unix_path);
  return listener;
}

}  // namespace stellwerk::daemon

// Puts the page of metrics together: what the shells have counted, what the controller says of the
// cell, what the kernel says of the process.
#pragma once

#include <memory>

#include "api/daemon/config.h"
#include "api/metrics/http_listener.h"
#include "api/metrics/metrics.h"
#include "api/server/call_observer.h"
#include "api/server/gateway.h"

namespace stellwerk::daemon {

server::CallObserver calls_into(metrics::Metrics& metrics);

// Blocks for at most `patience` while the controller does not answer, as it does not while the
// store takes no commits; the page then says so and lacks the cell's part.
std::string metrics_page(const metrics::Metrics& metrics, server::Gateway& gateway,
                         Duration patience = std::chrono::seconds(2));

// As configured, for root and the operators' group where it is a Unix socket. The references
// outlive the listener.
absl::StatusOr<std::unique_ptr<metrics::HttpListener>> serve_metrics(
    const Config& config, const metrics::Metrics& metrics, server::Gateway& gateway);

}  // namespace stellwerk::daemon

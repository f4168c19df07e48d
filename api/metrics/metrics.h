// What the shells count while they work, in Prometheus' terms.
//
// Names follow Prometheus' conventions: base units, `_total` on counters. No label holds what
// callers choose (ids, names of instances): the number of series is bounded by the program.
// Thread-safe; nothing here blocks.
#pragma once

#include <prometheus/metric_family.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/status.h"
#include "core/time.h"

namespace stellwerk::metrics {

class Metrics {
 public:
  explicit Metrics(std::string_view version);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // A commit of so many keys has ended with `code`, after `took`.
  void commit_ended(absl::StatusCode code, size_t keys, Duration took);
  // "Instances/GetInstance"; a stream has ended when its last message was sent.
  void call_ended(std::string_view method, absl::StatusCode code, Duration took);
  // "prepare-files"
  void step_ended(std::string_view step, absl::StatusCode code, Duration took);
  // Whether the firewall has the rules that this host's guests should have.
  void guarded(bool in_force);
  // For the driver to count up whenever it has opened its connection; outlives both.
  std::shared_ptr<std::atomic<int64_t>> libvirt_connections() const { return libvirt_connections_; }

  std::vector<prometheus::MetricFamily> collect() const;

 private:
  struct Body;
  std::unique_ptr<Body> body_;
  std::shared_ptr<std::atomic<int64_t>> libvirt_connections_;
};

// The text format, version 0.0.4.
std::string to_text(const std::vector<prometheus::MetricFamily>& families);

}  // namespace stellwerk::metrics

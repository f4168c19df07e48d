#include "api/metrics/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "api/metrics/families.h"

namespace stellwerk::metrics {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Family;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// Of what takes a fraction of a millisecond on a good day and seconds on a bad one.
const prometheus::Histogram::BucketBoundaries& fast() {
  static const prometheus::Histogram::BucketBoundaries bounds = {
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};
  return bounds;
}
// Of what libvirt and disks do.
const prometheus::Histogram::BucketBoundaries& slow() {
  static const prometheus::Histogram::BucketBoundaries bounds = {0.01, 0.05, 0.1, 0.25, 0.5, 1,
                                                                 2.5,  5,    10,  30,   60,  120};
  return bounds;
}
const prometheus::Histogram::BucketBoundaries& counts() {
  static const prometheus::Histogram::BucketBoundaries bounds = {1,  2,   5,   10,  20,
                                                                 50, 100, 200, 500, 1000};
  return bounds;
}

std::string code_name(absl::StatusCode code) {
  return absl::StatusCodeToString(code);
}

}  // namespace

struct Metrics::Body {
  prometheus::Registry registry;
  Family<prometheus::Counter>& commits =
      BuildCounter()
          .Name("stellwerk_store_commits_total")
          .Help("Commits that the store has answered, by outcome")
          .Register(registry);
  prometheus::Histogram& commit_time = BuildHistogram()
                                           .Name("stellwerk_store_commit_duration_seconds")
                                           .Help("How long commits took")
                                           .Register(registry)
                                           .Add({}, fast());
  prometheus::Histogram& commit_keys = BuildHistogram()
                                           .Name("stellwerk_store_commit_keys")
                                           .Help("Keys that one commit puts or deletes")
                                           .Register(registry)
                                           .Add({}, counts());
  Family<prometheus::Counter>& calls = BuildCounter()
                                           .Name("stellwerk_api_requests_total")
                                           .Help("Calls of the API that have ended, by outcome")
                                           .Register(registry);
  Family<prometheus::Histogram>& call_time = BuildHistogram()
                                                 .Name("stellwerk_api_request_duration_seconds")
                                                 .Help("How long calls of the API took")
                                                 .Register(registry);
  Family<prometheus::Counter>& steps = BuildCounter()
                                           .Name("stellwerk_agent_steps_total")
                                           .Help("Steps that the agent has tried, by outcome")
                                           .Register(registry);
  Family<prometheus::Histogram>& step_time = BuildHistogram()
                                                 .Name("stellwerk_agent_step_duration_seconds")
                                                 .Help("How long the agent's steps took")
                                                 .Register(registry);
  Family<prometheus::Gauge>& firewall =
      BuildGauge()
          .Name("stellwerk_firewall_in_force")
          .Help("0: guests' ports are not guarded as they should be, and starts wait for that")
          .Register(registry);
};

Metrics::Metrics(std::string_view version)
    : body_(std::make_unique<Body>()),
      libvirt_connections_(std::make_shared<std::atomic<int64_t>>(0)) {
  BuildGauge()
      .Name("stellwerk_build_info")
      .Help("Always 1; which program this is")
      .Register(body_->registry)
      .Add({{"version", std::string(version)}})
      .Set(1);
  body_->commits.Add({{"code", "OK"}});  // there from the beginning, so that a rate can be taken
}

Metrics::~Metrics() = default;

void Metrics::commit_ended(absl::StatusCode code, size_t keys, Duration took) {
  body_->commits.Add({{"code", code_name(code)}}).Increment();
  body_->commit_time.Observe(seconds(took));
  body_->commit_keys.Observe(static_cast<double>(keys));
}

void Metrics::call_ended(std::string_view method, absl::StatusCode code, Duration took) {
  const std::string name(method);
  body_->calls.Add({{"method", name}, {"code", code_name(code)}}).Increment();
  body_->call_time.Add({{"method", name}}, fast()).Observe(seconds(took));
}

void Metrics::step_ended(std::string_view step, absl::StatusCode code, Duration took) {
  const std::string name(step);
  body_->steps.Add({{"step", name}, {"code", code_name(code)}}).Increment();
  body_->step_time.Add({{"step", name}}, slow()).Observe(seconds(took));
}

void Metrics::guarded(bool in_force) {
  body_->firewall.Add({}).Set(in_force ? 1 : 0);
}

std::vector<prometheus::MetricFamily> Metrics::collect() const {
  Families families = body_->registry.Collect();
  add_counter(families,
              {"stellwerk_libvirt_connections_total",
               "Times that the connection to libvirt was opened; more than 1: it was lost"},
              {{{}, static_cast<double>(libvirt_connections_->load())}});
  return families;
}

std::string to_text(const std::vector<prometheus::MetricFamily>& families) {
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace stellwerk::metrics

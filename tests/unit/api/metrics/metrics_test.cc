#include "api/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stellwerk::metrics {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Metrics, CountCommitsWithTheirTimeAndSize) {
  Metrics metrics("1.2.3");
  metrics.commit_ended(absl::StatusCode::kOk, 7, std::chrono::milliseconds(4));
  metrics.commit_ended(absl::StatusCode::kOk, 1, std::chrono::microseconds(100));
  metrics.commit_ended(absl::StatusCode::kUnavailable, 1, std::chrono::seconds(3));
  EXPECT_THAT(to_text(metrics.collect()),
              AllOf(HasSubstr("\nstellwerk_store_commits_total{code=\"OK\"} 2\n"),
                    HasSubstr("\nstellwerk_store_commits_total{code=\"UNAVAILABLE\"} 1\n"),
                    HasSubstr("\nstellwerk_store_commit_duration_seconds_count 3\n"),
                    HasSubstr("commit_duration_seconds_bucket{le=\"0.005\"} 2\n"),
                    HasSubstr("\nstellwerk_store_commit_keys_sum 9\n"),
                    HasSubstr("\nstellwerk_build_info{version=\"1.2.3\"} 1\n")));
}

// A rate is taken between two scrapes, and the first may come before the first commit.
TEST(Metrics, HaveASeriesOfCommitsFromTheBeginning) {
  const Metrics metrics("1");
  EXPECT_THAT(to_text(metrics.collect()),
              HasSubstr("\nstellwerk_store_commits_total{code=\"OK\"} 0\n"));
}

TEST(Metrics, CountCallsByMethodAndCode) {
  Metrics metrics("1");
  metrics.call_ended("Instances/GetInstance", absl::StatusCode::kOk, std::chrono::milliseconds(2));
  metrics.call_ended("Instances/GetInstance", absl::StatusCode::kNotFound, Duration(1));
  EXPECT_THAT(
      to_text(metrics.collect()),
      AllOf(HasSubstr("api_requests_total{code=\"OK\",method=\"Instances/GetInstance\"} 1"),
            HasSubstr("{code=\"NOT_FOUND\",method=\"Instances/GetInstance\"} 1"),
            HasSubstr("api_request_duration_seconds_count{method=\"Instances/GetInstance\"} 2"),
            HasSubstr("api_request_duration_seconds_bucket{method=\"Instances/GetInstance\","
                      "le=\"0.0005\"} 1")));
}

TEST(Metrics, CountStepsByKindAndOutcome) {
  Metrics metrics("1");
  metrics.step_ended("start", absl::StatusCode::kOk, std::chrono::seconds(2));
  metrics.step_ended("start", absl::StatusCode::kInternal, std::chrono::seconds(200));
  EXPECT_THAT(to_text(metrics.collect()),
              AllOf(HasSubstr("stellwerk_agent_steps_total{code=\"OK\",step=\"start\"} 1"),
                    HasSubstr("{code=\"INTERNAL\",step=\"start\"} 1"),
                    HasSubstr("step_duration_seconds_bucket{step=\"start\",le=\"2.5\"} 1"),
                    HasSubstr("step_duration_seconds_bucket{step=\"start\",le=\"+Inf\"} 2")));
}

TEST(Metrics, TellWhetherTheFirewallIsInForce) {
  Metrics metrics("1");
  EXPECT_THAT(to_text(metrics.collect()), Not(HasSubstr("stellwerk_firewall_in_force")));
  metrics.guarded(false);
  EXPECT_THAT(to_text(metrics.collect()), HasSubstr("\nstellwerk_firewall_in_force 0\n"));
  metrics.guarded(true);
  EXPECT_THAT(to_text(metrics.collect()), HasSubstr("\nstellwerk_firewall_in_force 1\n"));
}

TEST(Metrics, CountConnectionsToLibvirt) {
  const Metrics metrics("1");
  ++*metrics.libvirt_connections();
  EXPECT_THAT(to_text(metrics.collect()),
              AllOf(HasSubstr("# TYPE stellwerk_libvirt_connections_total counter\n"),
                    HasSubstr("\nstellwerk_libvirt_connections_total 1\n")));
}

}  // namespace
}  // namespace stellwerk::metrics

#include "api/metrics/cell_families.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/metrics/metrics.h"

namespace stellwerk::metrics {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

controller::CellSummary summary() {
  controller::CellSummary summary;
  summary.instances = {{Phase::kRunning, 3}, {Phase::kCrashed, 1}};
  summary.projects = 4;
  summary.images = 6;
  summary.log_records = 17;
  summary.unreadable_records = 2;
  controller::HostView view;
  view.host.id = "node-1";
  view.host.facts.memory = gibibytes(4);
  view.host.facts.threads = 8;
  view.host.facts.disk = gibibytes(100);
  view.host.reserve.memory = gibibytes(1);
  view.host.reserve.disk = gibibytes(10);
  view.memory_used = mebibytes(512);
  view.disk_used = gibibytes(20);
  view.disk_available = gibibytes(70);
  view.connected = true;
  view.vcpus_used = {{CpuClass::kShared, VcpuCount(5)}};
  view.orphans.resize(2);
  view.foreign.domains = 1;
  summary.hosts = {view};
  return summary;
}

TEST(CellFamilies, ShowEveryPhaseAlsoWhenNobodyIsInIt) {
  EXPECT_THAT(to_text(families_of(summary())),
              AllOf(HasSubstr("stellwerk_instances{phase=\"running\"} 3\n"),
                    HasSubstr("stellwerk_instances{phase=\"crashed\"} 1\n"),
                    HasSubstr("stellwerk_instances{phase=\"unknown\"} 0\n"),
                    HasSubstr("stellwerk_instances{phase=\"pending\"} 0\n")));
}

TEST(CellFamilies, ShowASeriesForEveryPhaseAndEveryClassOfProcessors) {
  const std::string text = to_text(families_of(summary()));
  for (const char* phase : {"pending", "preparing", "starting", "running", "stopping", "stopped",
                            "crashed", "deleting", "deleted", "unknown"}) {
    EXPECT_THAT(text, HasSubstr(fmt::format("stellwerk_instances{{phase=\"{}\"}} ", phase)));
  }
  for (const char* one : {"low-performance", "shared", "dedicated-thread", "dedicated-core"}) {
    EXPECT_THAT(text, HasSubstr(fmt::format(
                          "stellwerk_host_vcpus_used{{host=\"node-1\",class=\"{}\"}} ", one)));
  }
}

TEST(CellFamilies, ShowDisksInBytes) {
  EXPECT_THAT(to_text(families_of(summary())),
              AllOf(HasSubstr("stellwerk_host_disk_bytes{host=\"node-1\"} 107374182400\n"),
                    HasSubstr("stellwerk_host_disk_reserved_bytes{host=\"node-1\"} 10737418240\n"),
                    HasSubstr("stellwerk_host_disk_used_bytes{host=\"node-1\"} 21474836480\n"),
                    HasSubstr("stellwerk_host_disk_available_bytes{host=\"node-1\"} "
                              "75161927680\n")));
}

TEST(CellFamilies, ShowWhatTheCellHolds) {
  EXPECT_THAT(to_text(families_of(summary())),
              AllOf(HasSubstr("\nstellwerk_projects 4\n"), HasSubstr("\nstellwerk_images 6\n")));
}

TEST(CellFamilies, ShowWhatHostsHaveAndWhatIsUsed) {
  EXPECT_THAT(to_text(families_of(summary())),
              AllOf(HasSubstr("stellwerk_host_memory_bytes{host=\"node-1\"} 4294967296\n"),
                    HasSubstr("stellwerk_host_memory_reserved_bytes{host=\"node-1\"} 1073741824\n"),
                    HasSubstr("stellwerk_host_memory_used_bytes{host=\"node-1\"} 536870912\n"),
                    HasSubstr("stellwerk_host_threads{host=\"node-1\"} 8\n"),
                    HasSubstr("stellwerk_host_ready{host=\"node-1\"} 1\n"),
                    HasSubstr("{host=\"node-1\",class=\"shared\"} 5\n"),
                    HasSubstr("{host=\"node-1\",class=\"dedicated-core\"} 0\n"),
                    HasSubstr("stellwerk_host_orphans{host=\"node-1\"} 2\n"),
                    HasSubstr("stellwerk_host_foreign_domains{host=\"node-1\"} 1\n")));
}

TEST(CellFamilies, ShowTheLogAndRecordsThatCannotBeRead) {
  EXPECT_THAT(to_text(families_of(summary())),
              AllOf(HasSubstr("\nstellwerk_event_log_records 17\n"),
                    HasSubstr("\nstellwerk_unreadable_records 2\n")));
}

}  // namespace
}  // namespace stellwerk::metrics

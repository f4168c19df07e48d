#include "api/metrics/process_families.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "../../../support/temporary_directory.h"
#include "api/metrics/metrics.h"

namespace stellwerk::metrics {
namespace {

using ::testing::HasSubstr;

TEST(ProcessFamilies, ReadThePictureOfAProcess) {
  const testing::TemporaryDirectory folder;
  const std::filesystem::path proc = folder.path();
  std::filesystem::create_directories(proc / "self/fd");
  for (const char* name : {"0", "1", "2", "3"}) std::ofstream(proc / "self/fd" / name);
  std::ofstream(proc / "self/stat") << "42 (a ) name) S 1 42 42 0 -1 0 0 0 0 0 150 50 0 0 20 0 9 0 "
                                       "1000 8192 3 0\n";
  std::ofstream(proc / "self/limits") << "Limit  Soft Limit  Hard Limit  Units\n"
                                         "Max open files            1024   4096   files\n";
  std::ofstream(proc / "stat") << "cpu 1 2 3\nbtime 1700000000\n";
  const std::string text = to_text(process_families(proc));
  const long ticks = ::sysconf(_SC_CLK_TCK);
  EXPECT_THAT(text, HasSubstr(fmt::format("process_cpu_seconds_total {}\n", 200 / ticks)));
  EXPECT_THAT(text,
              HasSubstr(fmt::format("process_start_time_seconds {}\n", 1700000000 + 1000 / ticks)));
  EXPECT_THAT(text, HasSubstr(fmt::format("process_resident_memory_bytes {}\n",
                                          3 * ::sysconf(_SC_PAGESIZE))));
  EXPECT_THAT(text, HasSubstr("# TYPE process_cpu_seconds_total counter\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE process_threads gauge\n"));
  EXPECT_THAT(text, HasSubstr("process_virtual_memory_bytes 8192\n"));
  EXPECT_THAT(text, HasSubstr("process_threads 9\n"));
  EXPECT_THAT(text, HasSubstr("process_open_fds 3\n"));
  EXPECT_THAT(text, HasSubstr("process_max_fds 1024\n"));
}

TEST(ProcessFamilies, LeaveOutWhatCannotBeRead) {
  const testing::TemporaryDirectory folder;
  EXPECT_TRUE(process_families(folder.path()).empty());
  EXPECT_EQ(process_families().size(), 7u);
}

}  // namespace
}  // namespace stellwerk::metrics

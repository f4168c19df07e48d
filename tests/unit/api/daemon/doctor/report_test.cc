#include "api/daemon/doctor/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace stellwerk::daemon::doctor {
namespace {

using nlohmann::json;

TEST(Report, IsJsonWithEveryFinding) {
  Config config;
  config.hypervisor.accel = hypervisor::AcceleratorMode::kTcg;
  const json read = json::parse(
      report("1.2.3", config,
             {{.check = "kvm", .verdict = Verdict::kFailed, .what = "a\xff\n", .todo = "b"}}));
  EXPECT_EQ(read["version"], "1.2.3");
  EXPECT_EQ(read["accel"], "tcg");
  EXPECT_EQ(read["socket"], "/run/stellwerk/stellwerkd.sock");
  EXPECT_EQ(read["findings"][0]["check"], "kvm");
  EXPECT_EQ(read["findings"][0]["verdict"], "failed");
  EXPECT_EQ(read["findings"][0]["what"], "a\uFFFD\n");
  EXPECT_EQ(read["findings"][0]["todo"], "b");
}

TEST(Report, OfAWrongConfigurationSaysThatNothingElseWasChecked) {
  const json read = json::parse(report_of_mistakes("1", invalid_argument("f:2: wrong"), "/etc/f"));
  ASSERT_EQ(read["findings"].size(), 1u);
  EXPECT_EQ(read["findings"][0]["verdict"], "failed");
  EXPECT_THAT(read["findings"][0]["what"].get<std::string>(),
              ::testing::AllOf(::testing::HasSubstr("f:2: wrong"),
                               ::testing::HasSubstr("Nothing else could be checked")));
}

}  // namespace
}  // namespace stellwerk::daemon::doctor

#include "core/failpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stellwerk {
namespace {

TEST(Failpoint, TellsTheHookItsNameAndNothingOnceTheHookIsGone) {
  std::vector<std::string> passed;
  set_failpoint_hook([&passed](std::string_view name) { passed.emplace_back(name); });
  failpoint("store.commit.before");
  failpoint("store.commit.after");
  set_failpoint_hook({});
  failpoint("store.commit.before");
  EXPECT_THAT(passed, testing::ElementsAre("store.commit.before", "store.commit.after"));
}

}  // namespace
}  // namespace stellwerk

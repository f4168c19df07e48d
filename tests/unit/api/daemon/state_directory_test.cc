#include "api/daemon/state_directory.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "../../../support/in_child.h"
#include "../../../support/temporary_directory.h"

namespace stellwerk::daemon {
namespace {

const HostUid kFirst(Uuid({1}));
const HostUid kSecond(Uuid({2}));

class StateDirectoryTest : public ::testing::Test {
 protected:
  void write_host_uid(const std::string& text) {
    std::ofstream(folder_ / "state/host-uid", std::ios::binary) << text;
  }
  stellwerk::testing::TemporaryDirectory folder_;
  std::string path_ = folder_ / "state";
};

TEST_F(StateDirectoryTest, KeepsTheHostsIdentity) {
  EXPECT_EQ(StateDirectory::open(path_)->host_uid(kFirst).value(), kFirst);
  EXPECT_EQ(StateDirectory::open(path_)->host_uid(kSecond).value(), kFirst);
}

TEST_F(StateDirectoryTest, LetsOthersPassThroughAndNotLook) {
  ASSERT_TRUE(StateDirectory::open(path_).ok());
  EXPECT_EQ(std::filesystem::status(path_).permissions(), std::filesystem::perms(0711));
}

TEST_F(StateDirectoryTest, RefusesASecondDaemon) {
  const auto first = StateDirectory::open(path_);
  ASSERT_TRUE(first.ok());
  const auto second = StateDirectory::open(path_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(message_of(second.status()).find("another stellwerkd"), std::string_view::npos);
}

TEST_F(StateDirectoryTest, NamesTheDirectoryAndTheProcessThatHoldsIt) {
  const auto first = StateDirectory::open(path_);
  ASSERT_TRUE(first.ok());
  const std::string said =
      fmt::format("state_dir {}: another stellwerkd works in it (process {});", path_, ::getpid());
  EXPECT_EQ(stellwerk::testing::in_child([&] {
              const auto second = StateDirectory::open(path_);
              EXPECT_EQ(message_of(second.status()).substr(0, said.size()), said);
            }),
            0);
}

TEST_F(StateDirectoryTest, IsFreeAgainWhenItsDaemonHasGone) {
  ASSERT_TRUE(StateDirectory::open(path_).ok());
  EXPECT_TRUE(StateDirectory::open(path_).ok());
}

TEST_F(StateDirectoryTest, TouchesNothingBeforeItIsAskedForTheIdentity) {
  const auto state = StateDirectory::open(path_);
  EXPECT_TRUE(std::filesystem::is_empty(path_));
}

TEST_F(StateDirectoryTest, NeverReplacesAnIdentityThatItCannotRead) {
  const auto state = StateDirectory::open(path_);
  for (const std::string text : {"", "\n", "nonsense\n", "00000000-0000-0000-0000-000000000000\n",
                                 "01000000-0000-0000-0000-000000000000 "}) {
    write_host_uid(text);
    EXPECT_EQ(state->host_uid(kSecond).status().code(), absl::StatusCode::kDataLoss) << text;
    std::ifstream file(path_ + "/host-uid");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text);
  }
}

TEST_F(StateDirectoryTest, ForgetsAnIdentityThatWasNeverPublished) {
  const auto state = StateDirectory::open(path_);
  std::ofstream(path_ + "/host-uid.part") << "0100";
  EXPECT_EQ(state->host_uid(kFirst).value(), kFirst);
  EXPECT_FALSE(std::filesystem::exists(path_ + "/host-uid.part"));
}

TEST_F(StateDirectoryTest, SaysWhyItCannotBeMade) {
  std::ofstream(folder_ / "file") << "x";
  const auto state = StateDirectory::open((folder_ / "file") + "/state");
  EXPECT_EQ(state.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(message_of(state.status()).find("/file/state"), std::string_view::npos);
}

}  // namespace
}  // namespace stellwerk::daemon

#include "orchestrator/agent/console_history.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <filesystem>
#include <fstream>

#include "../../../support/temporary_directory.h"

namespace stellwerk::agent {
namespace {

constexpr size_t kKept = 16;

class ConsoleHistoryTest : public ::testing::Test {
 protected:
  uintmax_t size_on_disk() const {
    uintmax_t size = 0;
    for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
      size += file.file_size();
    }
    return size;
  }

  testing::TemporaryDirectory folder_;
  const std::string path_ = folder_ / "console.log";
};

TEST_F(ConsoleHistoryTest, IsEmptyWhereNothingWasWritten) {
  EXPECT_EQ(ConsoleHistory(path_, kKept).load(), "");
}

TEST_F(ConsoleHistoryTest, ComesBackAsItWasWritten) {
  std::string all;
  for (int i = 0; i < 100; ++i) {
    // A new one each time, as after the end of the process.
    ConsoleHistory history(path_, kKept);
    const std::string piece = std::to_string(i) + '\0';
    ASSERT_TRUE(history.append(piece).ok());
    all += piece;
    EXPECT_EQ(history.load(), all.substr(all.size() - std::min(all.size(), kKept)));
    ASSERT_LE(size_on_disk(), 4 * kKept) << "however often the process ends";
  }
}

TEST_F(ConsoleHistoryTest, TakesABoundedPlaceOnDiskHoweverMuchIsWritten) {
  ConsoleHistory history(path_, kKept);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(history.append(std::string(i % 40, 'x')).ok());
    ASSERT_LE(size_on_disk(), 4 * kKept);
  }
}

TEST_F(ConsoleHistoryTest, ReadsTheEndOfALargerFileAlone) {
  std::ofstream(path_) << std::string(1000, 'x') << "the end";
  EXPECT_EQ(ConsoleHistory(path_, kKept).load(), "xxxxxxxxxthe end");
}

TEST_F(ConsoleHistoryTest, MakesNoFolderForAnInstanceThatIsGone) {
  ConsoleHistory history(folder_ / "gone/console.log", kKept);
  EXPECT_EQ(history.append("x").code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "gone"));
}

// Passwords are typed on consoles.
TEST_F(ConsoleHistoryTest, IsForItsOwnerAlone) {
  ConsoleHistory history(path_, kKept);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(history.append(std::string(kKept, 'x')).ok());
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_EQ(file.status().permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << file.path();
  }
}

TEST_F(ConsoleHistoryTest, FollowsNoLink) {
  std::ofstream(folder_ / "secret") << "secret";
  std::filesystem::create_symlink("secret", path_);
  ConsoleHistory history(path_, kKept);
  EXPECT_EQ(history.load(), "");
  EXPECT_FALSE(history.append("x").ok());
}

}  // namespace
}  // namespace stellwerk::agent

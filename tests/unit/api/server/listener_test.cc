#include "api/server/listener.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <fstream>

#include "test_server.h"

namespace stellwerk::server {
namespace {

using ::testing::HasSubstr;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

Descriptor connect_to(const std::string& path) {
  Descriptor client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(path);
  if (connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Descriptor();
  }
  return client;
}

// What a daemon that was killed leaves: a bound socket that nobody listens on.
void leave_stale_socket(const std::string& path) {
  const Descriptor dead(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(path);
  ASSERT_EQ(bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

TEST(Listener, MakesASocketForOwnerAndGroup) {
  const TemporaryFolder folder;
  const auto listener = Listener::open({.path = folder.path("s"), .group = gid_t{1}});
  ASSERT_TRUE(listener.ok()) << describe(listener.status());
  struct stat status {};
  ASSERT_EQ(lstat(folder.path("s").c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 07777, 0660u);
  EXPECT_EQ(status.st_gid, 1u);
}

TEST(Listener, IsNotHeldUpByALockOfItsFolder) {
  const TemporaryFolder folder;
  const std::string path = std::filesystem::path(folder.path("s")).parent_path();
  const Descriptor strangers(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(flock(strangers.get(), LOCK_EX), 0);
  EXPECT_TRUE(Listener::open({.path = folder.path("s"), .group = {}}).ok());
  struct stat status {};
  ASSERT_EQ(lstat(folder.path("s.lock").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
}

TEST(Listener, SaysSoWhenAnotherDaemonIsJustStarting) {
  const TemporaryFolder folder;
  const Descriptor other(::open(folder.path("s.lock").c_str(), O_RDWR | O_CREAT, 0600));
  ASSERT_EQ(flock(other.get(), LOCK_EX), 0);
  const auto listener = Listener::open({.path = folder.path("s"), .group = {}});
  EXPECT_THAT(describe(listener.status()), HasSubstr("another daemon is just starting"));
}

TEST(Listener, AcceptsAndRemovesItsSocketInTheEnd) {
  const TemporaryFolder folder;
  auto listener = Listener::open({.path = folder.path("s"), .group = {}});
  ASSERT_TRUE(listener.ok());
  std::atomic<int> accepted = 0;
  (*listener)->accept_with([&](Descriptor) { ++accepted; });
  EXPECT_TRUE(connect_to(folder.path("s")).is_open());
  EXPECT_TRUE(connect_to(folder.path("s")).is_open());
  EXPECT_TRUE(testing::eventually([&] { return accepted == 2; }));
  (*listener)->close();
  EXPECT_FALSE(std::filesystem::exists(folder.path("s")));
}

TEST(Listener, ReplacesTheSocketOfADeadDaemon) {
  const TemporaryFolder folder;
  leave_stale_socket(folder.path("s"));
  const auto listener = Listener::open({.path = folder.path("s"), .group = {}});
  ASSERT_TRUE(listener.ok()) << describe(listener.status());
  EXPECT_TRUE(connect_to(folder.path("s")).is_open());
}

TEST(Listener, LeavesALivingDaemonAlone) {
  const TemporaryFolder folder;
  const auto first = Listener::open({.path = folder.path("s"), .group = {}});
  ASSERT_TRUE(first.ok());
  const auto second = Listener::open({.path = folder.path("s"), .group = {}});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(describe(second.status()), HasSubstr("another daemon listens on"));
  EXPECT_TRUE(connect_to(folder.path("s")).is_open());
}

TEST(Listener, LeavesAFileAlone) {
  const TemporaryFolder folder;
  std::ofstream(folder.path("s")) << "precious";
  const auto listener = Listener::open({.path = folder.path("s"), .group = {}});
  EXPECT_THAT(describe(listener.status()), HasSubstr("is not a socket"));
  EXPECT_EQ(std::filesystem::file_size(folder.path("s")), 8u);
}

TEST(Listener, DoesNotRemoveTheSocketOfASuccessor) {
  const TemporaryFolder folder;
  auto first = Listener::open({.path = folder.path("s"), .group = {}});
  ASSERT_TRUE(first.ok());
  std::filesystem::remove(folder.path("s"));
  const auto second = Listener::open({.path = folder.path("s"), .group = {}});
  ASSERT_TRUE(second.ok());
  (*first)->close();
  EXPECT_TRUE(connect_to(folder.path("s")).is_open());
}

TEST(Listener, SaysWhatIsWrongWithAPath) {
  const TemporaryFolder folder;
  EXPECT_THAT(describe(Listener::open({.path = std::string(200, 'x'), .group = {}}).status()),
              HasSubstr("has 200 bytes; give 1 to 107"));
  EXPECT_THAT(describe(Listener::open({.path = folder.path("none/s"), .group = {}}).status()),
              HasSubstr("cannot open the lock of the socket"));
}

}  // namespace
}  // namespace stellwerk::server

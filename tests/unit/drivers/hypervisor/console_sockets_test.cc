#include "drivers/hypervisor/libvirt/console_sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../../support/temporary_directory.h"

namespace stellwerk::hypervisor {
namespace {

const InstanceUid kWeb = *InstanceUid::parse("aaaaaaaa-bbbb-5ccc-8ddd-eeeeeeeeeeee");
const InstanceUid kDb = *InstanceUid::parse("aaaaaaaa-bbbb-5ccd-8ddd-eeeeeeeeeeee");

// Like QEMU: listens at the path that the domain was told.
class Guest {
 public:
  explicit Guest(const std::string& path) : listener_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
  }
  ~Guest() { ::close(listener_); }

  int accept() const { return ::accept(listener_, nullptr, nullptr); }

 private:
  int listener_;
};

class ConsoleSocketsTest : public ::testing::Test {
 protected:
  testing::TemporaryDirectory folder_;
  std::unique_ptr<ConsoleSockets> consoles_ = *ConsoleSockets::open_folder(folder_ / "consoles");
};

TEST_F(ConsoleSocketsTest, CarriesBytesBothWays) {
  const Guest guest(consoles_->socket_of(kWeb));
  const auto console = consoles_->open(kWeb);
  ASSERT_TRUE(console.ok()) << describe(console.status());
  const int end = guest.accept();
  char byte = 0;
  EXPECT_EQ(::recv(console->get(), &byte, 1, 0), -1);  // it does not block
  ASSERT_EQ(::send(end, "a", 1, 0), 1);
  EXPECT_EQ(::recv(console->get(), &byte, 1, 0), 1);
  EXPECT_EQ(byte, 'a');
  ASSERT_EQ(::send(console->get(), "b", 1, 0), 1);
  EXPECT_EQ(::recv(end, &byte, 1, 0), 1);
  EXPECT_EQ(byte, 'b');
  ::close(end);
  EXPECT_EQ(::recv(console->get(), &byte, 1, 0), 0);
}

TEST_F(ConsoleSocketsTest, FindsNoConsoleWhereNoDomainIsOrItHasEnded) {
  EXPECT_TRUE(absl::IsNotFound(consoles_->open(kWeb).status()));
  { const Guest guest(consoles_->socket_of(kWeb)); }
  EXPECT_TRUE(absl::IsNotFound(consoles_->open(kWeb).status()));
}

TEST_F(ConsoleSocketsTest, GivesEachInstanceItsOwnSocketInAFolderThatOthersCannotEnter) {
  EXPECT_NE(consoles_->socket_of(kWeb), consoles_->socket_of(kDb));
  struct stat facts {};
  ASSERT_EQ(::stat((folder_ / "consoles").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0700u);
  EXPECT_TRUE(ConsoleSockets::open_folder(folder_ / "consoles").ok());
}

TEST_F(ConsoleSocketsTest, RefusesAFolderWhosePathIsTooLongForASocket) {
  const std::string longest = "/" + std::string(kLongestConsoleFolder - 1, 'x');
  const auto refused = ConsoleSockets::open_folder(longest + "x").status();
  EXPECT_TRUE(absl::IsInvalidArgument(refused));
  EXPECT_THAT(std::string(message_of(refused)), ::testing::HasSubstr("at most 90"));
  EXPECT_TRUE(absl::IsFailedPrecondition(
      ConsoleSockets::open_folder(folder_ / "missing/consoles").status()));
}

}  // namespace
}  // namespace stellwerk::hypervisor

#include "api/daemon/console_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <future>

#include "../../../support/eventually.h"
#include "../../../support/temporary_directory.h"
#include "fakes.h"

namespace stellwerk::daemon {
namespace {

using testing::eventually;
using ::testing::HasSubstr;

const InstanceUid kWeb = *InstanceUid::parse("aaaaaaaa-bbbb-5ccc-8ddd-eeeeeeeeeeee");

// The guests' ends of their consoles.
class FakeConsoles final : public hypervisor::Consoles {
 public:
  std::string socket_of(const InstanceUid& instance) const override {
    return "/consoles/" + instance.to_string();
  }
  absl::StatusOr<Descriptor> open(const InstanceUid& instance) override {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) return not_found("instance {} has no console", instance.to_string());
    ++opened_;
    const int end = waiting_.back();
    waiting_.pop_back();
    return Descriptor(end);
  }

  // The guest's end of a console that can be opened from now on.
  Descriptor begin_guest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    const std::lock_guard lock(mutex_);
    waiting_.push_back(ends[0]);
    return Descriptor(ends[1]);
  }
  int opened() const {
    const std::lock_guard lock(mutex_);
    return opened_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<int> waiting_;
  int opened_ = 0;
};

// Storage whose instances have a folder each.
class Folders final : public FakeStorage {
 public:
  explicit Folders(const std::string& root) : root_(root) {}
  Paths paths(const InstanceUid& instance) const override {
    return {"disk", ImageFormat::kQcow2, "seed", root_ + "/" + instance.to_string() + "/log"};
  }

 private:
  const std::string root_;
};

class ConsoleRuntimeTest : public ::testing::Test {
 protected:
  ConsoleRuntimeTest() { std::filesystem::create_directory(folder_ / kWeb.to_string()); }

  void write(const Descriptor& guest, std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(guest.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent > 0) text.remove_prefix(static_cast<size_t>(sent));
      if (sent < 0 && errno == EPIPE) return;  // nobody listens any more
    }
  }
  static std::string read(const Descriptor& guest) {
    std::array<char, 4096> buffer{};
    const ssize_t got = ::recv(guest.get(), buffer.data(), buffer.size(), 0);
    return std::string(buffer.data(), got > 0 ? static_cast<size_t>(got) : 0);
  }
  std::string log() { return *runtime_->log(kWeb, kConsoleHistory); }
  bool comes_to_say(const std::string& text) {
    return eventually([&] { return log() == text; });
  }
  server::ConsoleGateway::Attachment attach(ConsoleAccess access) {
    const auto attachment =
        runtime_->attach(kWeb, {.caller = "root", .access = access}, [this] { ++wakes_; });
    EXPECT_TRUE(attachment.ok()) << describe(attachment.status());
    return attachment.value_or(0);
  }
  // Output and notices' messages until it has had everything.
  std::string drain(server::ConsoleGateway::Attachment attachment) {
    std::string all;
    for (auto next = runtime_->next(attachment, 4096); next.ok() && next->has_value();
         next = runtime_->next(attachment, 4096)) {
      all += (*next)->output + (*next)->message;
    }
    return all;
  }
  void restart() {
    runtime_.reset();
    runtime_ = std::make_unique<ConsoleRuntime>(
        ConsoleRuntime::Parts{.consoles = consoles_, .storage = storage_});
  }
  static std::vector<hypervisor::ObservedDomain> domain_of(bool ours) {
    hypervisor::ObservedDomain domain;
    domain.uuid = kWeb.value();
    if (ours) domain.owner = hypervisor::Ownership{.instance = kWeb};
    return {domain};
  }

  testing::TemporaryDirectory folder_;
  FakeConsoles consoles_;
  Folders storage_{folder_.path()};
  std::atomic<int> wakes_ = 0;
  std::unique_ptr<ConsoleRuntime> runtime_ = std::make_unique<ConsoleRuntime>(
      ConsoleRuntime::Parts{.consoles = consoles_, .storage = storage_});
};

TEST_F(ConsoleRuntimeTest, HearsTheFirstByteOfAGuestThatWasJustCreated) {
  const auto guest = consoles_.begin_guest();
  runtime_->created(kWeb);
  write(guest, "first words");
  EXPECT_TRUE(comes_to_say("first words"));
}

TEST_F(ConsoleRuntimeTest, KeepsHistoryAcrossItsOwnEnd) {
  {
    const auto guest = consoles_.begin_guest();
    runtime_->created(kWeb);
    write(guest, "before");
    ASSERT_TRUE(comes_to_say("before"));
  }
  restart();
  EXPECT_EQ(log(), "before");
  const auto again = consoles_.begin_guest();
  runtime_->observed(domain_of(true));
  write(again, " after");
  EXPECT_TRUE(comes_to_say("before after"));
}

TEST_F(ConsoleRuntimeTest, WritesWhatItHearsToDiskWithoutBeingAsked) {
  const auto guest = consoles_.begin_guest();
  runtime_->created(kWeb);
  write(guest, "on disk");
  EXPECT_TRUE(eventually(
      [&] { return agent::ConsoleHistory(storage_.paths(kWeb).console_log).load() == "on disk"; }));
}

TEST_F(ConsoleRuntimeTest, OpensConsolesOfItsOwnDomainsAloneAndOnce) {
  const auto guest = consoles_.begin_guest();
  runtime_->observed(domain_of(false));
  EXPECT_EQ(consoles_.opened(), 0);
  runtime_->observed(domain_of(true));
  const auto second = consoles_.begin_guest();
  runtime_->observed(domain_of(true));
  runtime_->created(kWeb);
  EXPECT_EQ(consoles_.opened(), 1);
}

TEST_F(ConsoleRuntimeTest, OpensTheConsoleOfTheNextGuestBeforeItHasSeenTheEndOfTheLast) {
  auto first = std::make_unique<Descriptor>(consoles_.begin_guest());
  runtime_->created(kWeb);
  const auto attachment = attach(ConsoleAccess::kRead);
  first.reset();
  const auto second = consoles_.begin_guest();
  runtime_->created(kWeb);
  write(second, "second life");
  ASSERT_TRUE(comes_to_say("second life"));
  EXPECT_THAT(drain(attachment), HasSubstr("has started"));
}

TEST_F(ConsoleRuntimeTest, TheEndOfTheLastGuestThatIsSeenLateDoesNotEndTheNext) {
  auto first = std::make_unique<Descriptor>(consoles_.begin_guest());
  runtime_->created(kWeb);
  std::atomic<int> calls = 0;
  std::promise<void> heard;
  std::promise<void> go_on;
  const auto attachment = *runtime_->attach(
      kWeb, {.caller = "root", .access = ConsoleAccess::kWrite}, [&calls, &heard, &go_on] {
        if (calls++ > 0) return;
        heard.set_value();
        go_on.get_future().wait();  // the consoles' thread
      });
  write(*first, "bye");
  heard.get_future().wait();
  first.reset();
  const auto second = consoles_.begin_guest();
  runtime_->created(kWeb);
  go_on.set_value();
  write(second, " hello");
  ASSERT_TRUE(comes_to_say("bye hello"));
  ASSERT_TRUE(runtime_->type(attachment, "x").ok());
  EXPECT_TRUE(eventually([&] { return read(second) == "x"; }));
  runtime_->detach(attachment);
}

TEST_F(ConsoleRuntimeTest, WakesWhoeverIsAttachedToTheConsoleThatSaysSomethingAndNobodyElse) {
  const InstanceUid other = *InstanceUid::parse("aaaaaaaa-bbbb-5ccd-8ddd-eeeeeeeeeeee");
  std::atomic<int> others = 0;
  ASSERT_TRUE(runtime_->attach(other, {.caller = "root"}, [&others] { ++others; }).ok());
  const auto guest = consoles_.begin_guest();
  runtime_->created(kWeb);
  attach(ConsoleAccess::kRead);
  const int before = wakes_;
  write(guest, "hello");
  EXPECT_TRUE(eventually([&] { return wakes_ > before; }));
  EXPECT_EQ(others, 0);
}

TEST_F(ConsoleRuntimeTest, WakesAWriterWhenItsInputIsTakenLostOrForNobody) {
  const auto first = attach(ConsoleAccess::kWrite);
  int before = wakes_;
  ASSERT_TRUE(runtime_->type(first, "x").ok());
  EXPECT_GT(wakes_, before);
  EXPECT_THAT(drain(first), HasSubstr("goes nowhere"));
  const auto guest = consoles_.begin_guest();
  runtime_->created(kWeb);
  before = wakes_;
  ASSERT_TRUE(runtime_->type(first, "y").ok());
  EXPECT_TRUE(eventually([&] { return wakes_ > before; }));
  EXPECT_EQ(read(guest), "y");
  before = wakes_;
  attach(ConsoleAccess::kTakeOver);
  EXPECT_GT(wakes_, before);
  EXPECT_THAT(drain(first), HasSubstr("has taken over"));
}

TEST_F(ConsoleRuntimeTest, ADetachedWriterLeavesItsPlaceToTheNext) {
  runtime_->detach(attach(ConsoleAccess::kWrite));
  attach(ConsoleAccess::kWrite);
}

// Else every stopped instance that somebody ever looked at would stay in memory.
TEST_F(ConsoleRuntimeTest, KeepsNothingOfAStoppedInstanceThatNobodyLooksAtAnyMore) {
  const std::string file = folder_ / (kWeb.to_string() + "/log");
  std::ofstream(file) << "earlier";
  const auto attachment = attach(ConsoleAccess::kRead);
  std::ofstream(file) << "changed";
  EXPECT_EQ(log(), "earlier");
  runtime_->detach(attachment);
  EXPECT_EQ(log(), "changed");
}

TEST_F(ConsoleRuntimeTest, PassesOnWhatIsTyped) {
  const auto guest = consoles_.begin_guest();
  runtime_->created(kWeb);
  const auto attachment = attach(ConsoleAccess::kWrite);
  ASSERT_TRUE(runtime_->type(attachment, "hello").ok());
  std::string got;
  EXPECT_TRUE(eventually([&] { return (got += read(guest)) == "hello"; }));
  EXPECT_TRUE(eventually([&] { return runtime_->input(attachment).drained; }));
}

TEST_F(ConsoleRuntimeTest, AsksForNoMoreThanAGuestTakesAndLosesNothing) {
  const auto guest = consoles_.begin_guest();
  runtime_->created(kWeb);
  const auto attachment = attach(ConsoleAccess::kWrite);
  const std::string piece(16 << 10, 'k');
  size_t typed = 0;
  // It takes nothing, so that some buffer is full in the end.
  ASSERT_TRUE(eventually([&] {
    if (!runtime_->input(attachment).wanted) return true;
    EXPECT_TRUE(runtime_->type(attachment, piece).ok());
    typed += piece.size();
    return false;
  }));
  EXPECT_FALSE(runtime_->input(attachment).drained);
  size_t taken = 0;
  EXPECT_TRUE(eventually([&] {
    for (std::string got = read(guest); !got.empty(); got = read(guest)) taken += got.size();
    return taken == typed && runtime_->input(attachment).wanted;
  }));
}

TEST_F(ConsoleRuntimeTest, NeverKeepsAGuestWaitingForAReader) {
  const auto guest = consoles_.begin_guest();
  runtime_->created(kWeb);
  const auto attachment = attach(ConsoleAccess::kRead);
  write(guest, std::string(8 << 20, 'x') + "done");
  EXPECT_TRUE(eventually([&] { return log().ends_with("done"); }));
  EXPECT_THAT(drain(attachment), HasSubstr("bytes were lost"));
}

TEST_F(ConsoleRuntimeTest, TellsWhoIsAttachedThatTheGuestHasStoppedAndStarted) {
  auto guest = std::make_unique<Descriptor>(consoles_.begin_guest());
  const auto attachment = attach(ConsoleAccess::kRead);
  EXPECT_THAT(drain(attachment), HasSubstr("does not run"));
  runtime_->created(kWeb);
  EXPECT_THAT(drain(attachment), HasSubstr("has started"));
  const int before = wakes_;
  guest.reset();
  EXPECT_TRUE(eventually([&] { return wakes_ > before; }));
  EXPECT_THAT(drain(attachment), HasSubstr("has stopped"));
  const auto again = consoles_.begin_guest();
  runtime_->created(kWeb);
  EXPECT_THAT(drain(attachment), HasSubstr("has started"));
}

TEST_F(ConsoleRuntimeTest, EndsAttachmentsWhenTheInstanceIsDeletedAndKeepsNothing) {
  const auto guest = consoles_.begin_guest();
  runtime_->created(kWeb);
  write(guest, "last words");
  ASSERT_TRUE(comes_to_say("last words"));
  const auto attachment = attach(ConsoleAccess::kRead);
  const int before = wakes_;
  runtime_->deleted(kWeb);
  EXPECT_GT(wakes_, before);
  EXPECT_THAT(drain(attachment), HasSubstr("last words"));
  const auto end = runtime_->next(attachment, 4096).status();
  EXPECT_TRUE(absl::IsNotFound(end));
  EXPECT_EQ(reason_of(end), "INSTANCE_DELETED");
  std::filesystem::remove_all(folder_ / kWeb.to_string());
  char byte = 0;
  EXPECT_TRUE(eventually([&] { return ::recv(guest.get(), &byte, 1, 0) == 0; }))
      << "its console is still open";
  write(guest, "from beyond");
  EXPECT_EQ(log(), "");
}

TEST_F(ConsoleRuntimeTest, ReadsTheLogOfAStoppedInstanceFromDisk) {
  std::ofstream(folder_ / (kWeb.to_string() + "/log")) << "earlier";
  EXPECT_EQ(log(), "earlier");
  EXPECT_EQ(*runtime_->log(kWeb, 3), "ier");
  EXPECT_THAT(drain(attach(ConsoleAccess::kRead)), HasSubstr("earlier"));
}

TEST_F(ConsoleRuntimeTest, GoesOnWhereTheDiskTakesNothing) {
  std::filesystem::remove_all(folder_ / kWeb.to_string());
  const auto guest = consoles_.begin_guest();
  runtime_->created(kWeb);
  write(guest, "not on disk");
  EXPECT_TRUE(comes_to_say("not on disk"));
}

}  // namespace
}  // namespace stellwerk::daemon

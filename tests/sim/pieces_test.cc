// The simulator's own pieces: a simulation is worth what they are.
#include <gtest/gtest.h>

#include <set>

#include "tests/sim/guests.h"
#include "tests/sim/seeds.h"
#include "tests/sim/sim_hypervisor.h"
#include "tests/sim/sim_storage.h"
#include "tests/sim/sim_store.h"

namespace stellwerk::sim {
namespace {

TEST(Random, GivesTheSameNumbersForTheSameSeed) {
  // xoshiro256** seeded by splitmix64 of 42: fixed, so that old seeds keep their meaning.
  Random random(42);
  Random again(42);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t value = random.next();
    EXPECT_EQ(value, again.next());
    seen.insert(value);
  }
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(Random, ForksAreIndependentOfDrawsAndOfEachOther) {
  Random random(7);
  Random early = random.fork("a");
  random.next();
  Random late = random.fork("a");
  Random other = random.fork("b");
  const uint64_t value = early.next();
  EXPECT_EQ(value, late.next());
  EXPECT_NE(value, other.next());
}

TEST(Random, StaysWithinItsBoundsAndReachesThem) {
  Random random(1);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.below(6));
  EXPECT_EQ(seen, (std::set<uint64_t>{0, 1, 2, 3, 4, 5}));
  for (int i = 0; i < 1000; ++i) {
    const Duration between = random.between(Duration(5), Duration(7));
    EXPECT_GE(between, Duration(5));
    EXPECT_LE(between, Duration(7));
  }
  EXPECT_FALSE(random.chance(0));
  EXPECT_TRUE(random.chance(1000));
}

TEST(Schedule, RunsByTimeThenByOrderOfPlanning) {
  Schedule schedule;
  std::string order;
  schedule.after(Duration(20), [&] { order += 'd'; });
  schedule.after(Duration(10), [&] {
    order += 'a';
    schedule.at(MonotonicTime{}, [&] { order += 'c'; });  // the past is now
  });
  schedule.after(Duration(10), [&] { order += 'b'; });
  while (schedule.run_one()) {
  }
  EXPECT_EQ(order, "abcd");
  EXPECT_EQ(schedule.now().since_start, Duration(20));
}

TEST(Schedule, ForgetsWhatALifeHadPlannedWhenItEnds) {
  Schedule schedule;
  int happened = 0;
  auto life = std::make_unique<Life>(schedule);
  life->after(Duration(1), [&] { ++happened; });
  life->after(Duration(3), [&] { ++happened; });
  schedule.after(Duration(2), [&] { life.reset(); });
  while (schedule.run_one()) {
  }
  EXPECT_EQ(happened, 1);
}

TEST(EventLog, ShowsItsLastLines) {
  Schedule schedule;
  EventLog log(schedule);
  for (int i = 0; i < 5; ++i) log.add("line {}", i);
  EXPECT_EQ(log.tail(2), "   0.000000 line 3\n   0.000000 line 4\n");
  EXPECT_EQ(log.tail(9), log.text());
}

const std::string kBridge = "sw-bridge";

// A world without mishaps.
class Pieces : public testing::Test {
 protected:
  Pieces() { world_.machine().bridges.insert(kBridge); }

  store::Head take_over() { return *store_.take_over(*store_.observe(), random_.uuid()); }
  static store::Batch put(std::string key, std::string value) {
    return {.puts = {{std::move(key), std::move(value)}}};
  }
  InstanceUid with_files() {
    const InstanceUid uid(random_.uuid());
    world_.machine().files[uid] = {.disk = true, .seed = true};
    return uid;
  }
  hypervisor::DomainSpec spec(const InstanceUid& uid) {
    hypervisor::DomainSpec spec{.owner = {.cell = cell_, .instance = uid}};
    spec.ports.push_back({.bridge = kBridge, .interface_name = "sw-test"});
    return spec;
  }

  Random random_{3};
  Schedule schedule_;
  EventLog log_{schedule_};
  Mishaps mishaps_{Random(4)};
  World world_{schedule_, log_, Random(5)};
  Guests guests_{schedule_, world_, mishaps_, Random(6)};
  SimStore store_{schedule_, log_, mishaps_, Random(7)};
  CellUid cell_{Random(8).uuid()};
  SimHypervisor hypervisor_{world_, guests_, cell_};
};

TEST_F(Pieces, AnOlderWritersCommitAbortsAfterATakeover) {
  const store::Head old = take_over();
  ASSERT_TRUE(store_.commit(old, put("a", "1")).ok());
  take_over();
  store::Head stale = old;
  stale.sequence = stale.sequence.next();
  EXPECT_TRUE(absl::IsAborted(store_.commit(stale, put("a", "2")).status()));
  EXPECT_EQ(**store_.get("a"), "1");
}

TEST_F(Pieces, ACommitTakesTimeAndThenAnswers) {
  const store::Head head = take_over();
  std::optional<absl::StatusOr<store::Head>> reply;
  store_.begin_commit(head, put("a", "1"), [&](auto result) { reply = std::move(result); });
  EXPECT_FALSE(reply);
  EXPECT_TRUE(store_.table().empty());
  while (schedule_.run_one()) {
  }
  ASSERT_TRUE(reply && reply->ok());
  EXPECT_EQ((*reply)->sequence, head.sequence.next());
  EXPECT_EQ(store_.table().at("a"), "1");
}

TEST_F(Pieces, APowerCutEndsCommitsUnderWayAndKeepsWhatIsDurable) {
  const store::Head head = take_over();
  ASSERT_TRUE(store_.commit(head, put("a", "1")).ok());
  store_.begin_commit(*store_.head(), put("a", "2"), [](auto) { FAIL() << "answered"; });
  store_.writer_died(true);
  while (schedule_.run_one()) {
  }
  EXPECT_EQ(store_.table().at("a"), "1");
}

TEST_F(Pieces, AnUnsyncedStoreLosesItsNewestCommitInAPowerCut) {
  const store::Head head = take_over();
  store_.stop_syncing();
  ASSERT_TRUE(store_.commit(head, put("a", "1")).ok());
  store_.writer_died(true);
  EXPECT_TRUE(store_.table().empty());
  EXPECT_EQ(store_.head(), head);
}

TEST_F(Pieces, AScanIsGuardedByTheWriterAndPaged) {
  const store::Head head = take_over();
  ASSERT_TRUE(store_.commit(head, {.puts = {{"a/1", ""}, {"a/2", ""}, {"b/1", ""}}}).ok());
  EXPECT_EQ(store_.scan({.begin = "a/", .end = "a0"}, head)->size(), 2u);
  EXPECT_EQ(store_.scan({.begin = "a/", .end = "c", .limit = 1}, head)->size(), 1u);
  take_over();
  EXPECT_TRUE(absl::IsAborted(store_.scan({.begin = "a", .end = "b"}, head).status()));
}

TEST_F(Pieces, AStartNeedsTheInstancesFiles) {
  const InstanceUid uid(random_.uuid());
  EXPECT_TRUE(absl::IsFailedPrecondition(hypervisor_.start(spec(uid))));
  EXPECT_TRUE(world_.machine().processes.empty());
}

TEST_F(Pieces, AStartIsDoneOnceAndReleasesAPausedDomain) {
  const InstanceUid uid = with_files();
  ASSERT_TRUE(hypervisor_.define(spec(uid)).ok());
  EXPECT_EQ(hypervisor_.list()->front().state, hypervisor::DomainState::kPaused);
  ASSERT_TRUE(hypervisor_.start(spec(uid)).ok());
  ASSERT_EQ(hypervisor_.list()->size(), 1u);
  EXPECT_EQ(hypervisor_.list()->front().state, hypervisor::DomainState::kRunning);
  EXPECT_TRUE(world_.machine().ports.contains("sw-test"));
}

TEST_F(Pieces, ADomainOfAnotherCellIsShownWithoutOwnerAndNeverTouched) {
  guests_.start_stranger(CellUid(random_.uuid()));
  const Uuid uuid = world_.machine().processes.front().uuid;
  EXPECT_FALSE(hypervisor_.list()->front().owner);
  EXPECT_TRUE(absl::IsPermissionDenied(hypervisor_.destroy(InstanceUid(uuid))));
  EXPECT_EQ(world_.machine().processes.size(), 1u);
}

TEST_F(Pieces, AGuestThatListensEndsSomeTimeAfterItIsAsked) {
  const InstanceUid uid = with_files();
  ASSERT_TRUE(hypervisor_.start(spec(uid)).ok());
  world_.machine().processes.front().ignores_shutdown = false;
  std::vector<hypervisor::DomainEvent> events;
  world_.listen([&](const hypervisor::DomainEvent& event) { events.push_back(event); });
  ASSERT_TRUE(hypervisor_.request_shutdown(uid).ok());
  EXPECT_EQ(world_.machine().processes.size(), 1u);
  while (schedule_.run_one()) {
  }
  EXPECT_TRUE(world_.machine().processes.empty());
  EXPECT_TRUE(world_.machine().ports.empty());
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events.front().ended, hypervisor::DomainEnd::kShutDownByGuest);
  EXPECT_EQ(world_.endings(uid.value()).front().cause, Cause::kShutdownAsked);
}

TEST_F(Pieces, APowerCutEndsProcessesAndKeepsDisks) {
  const InstanceUid uid = with_files();
  ASSERT_TRUE(hypervisor_.start(spec(uid)).ok());
  const std::string boot = world_.machine().facts.boot_id;
  world_.cut_power();
  world_.restore_power();
  EXPECT_TRUE(world_.machine().processes.empty());
  EXPECT_TRUE(world_.machine().ports.empty());
  EXPECT_TRUE(world_.machine().files.at(uid).disk);
  EXPECT_NE(world_.machine().facts.boot_id, boot);
}

TEST_F(Pieces, OpeningTheStorageRemovesWhatACrashLeftHalfMade) {
  SimStorage storage(world_);
  const InstanceUid begun(random_.uuid());
  const ImageUid image(random_.uuid());
  storage.begin_disk(begun);
  storage.begin_image(image);
  const InstanceUid whole = with_files();
  storage.clean_up();
  EXPECT_FALSE(world_.machine().files.contains(begun));
  EXPECT_TRUE(world_.machine().files.contains(whole));
  EXPECT_TRUE(world_.machine().images.empty());
}

TEST(Seeds, DifferByBaseAndIndexAndRepeat) {
  std::set<uint64_t> seeds;
  for (uint64_t i = 0; i < 1000; ++i) {
    seeds.insert(derived_seed("a", i));
    seeds.insert(derived_seed("b", i));
  }
  EXPECT_EQ(seeds.size(), 2000u);
  EXPECT_EQ(derived_seed("a", 5), derived_seed("a", 5));
}

TEST(Seeds, AreAThousandUnlessToldOtherwise) {
  EXPECT_EQ(SeedPlan().seeds, 1000u);
}

TEST(Seeds, AMistakeOnTheCommandLineIsNamed) {
  SeedPlan plan;
  std::vector<std::string> words = {"sim_test", "--seeds", "twelve"};
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  EXPECT_EQ(parse_command_line(3, argv.data(), plan), "--seeds needs a number, or is unknown");
}

}  // namespace
}  // namespace stellwerk::sim

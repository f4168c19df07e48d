// Several instances by one request: all of them or none, once.
#include "tests/unit/orchestrator/controller/cell_of_hosts.h"

namespace stellwerk::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Bookings : public CellOfHosts {
 protected:
  Ticket submit(CreateInstances create, std::string request = "") {
    return cell_.submit(std::move(create), std::move(request));
  }
  std::vector<InstanceView> made(Ticket ticket) {
    const auto answer = cell_.answer(ticket);
    EXPECT_TRUE(answer.ok()) << describe(answer.status());
    return answer.ok() ? std::get<InstancesView>(*answer).instances : std::vector<InstanceView>();
  }
  static std::vector<std::string> ids_of(const std::vector<InstanceView>& views) {
    std::vector<std::string> ids;
    for (const InstanceView& view : views) ids.push_back(view.instance.id);
    return ids;
  }
  absl::Status refusal(CreateInstances create) {
    const size_t before = cell_.state().instances.size();
    const size_t events = cell_.event_types().size();
    const uint64_t next_mac = cell_.state().cell->next_mac;
    absl::Status status = cell_.run(std::move(create)).status();
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(cell_.state().instances, SizeIs(before)) << "nothing is done";
    EXPECT_THAT(cell_.event_types(), SizeIs(events));
    EXPECT_EQ(cell_.state().cell->next_mac, next_mac);
    return status;
  }
};

TEST_F(Bookings, AreNumberedWithPortsOfTheirOwnInOneCommit) {
  const size_t commits = cell_.commits;
  CreateInstance each = CellHarness::web("web");
  each.user_data = "#cloud-config\n";
  const auto views = made(submit(many(3, each)));
  EXPECT_THAT(ids_of(views), ElementsAre("web-1", "web-2", "web-3"));
  EXPECT_EQ(cell_.commits, commits + 1);
  std::set<InstanceUid> uids;
  std::set<uint64_t> macs;
  std::set<IpAddress> addresses;
  for (const InstanceView& view : views) {
    uids.insert(view.instance.uid);
    ASSERT_THAT(view.ports, SizeIs(1));
    macs.insert(view.ports[0].mac);
    addresses.insert(view.ports[0].addresses.begin(), view.ports[0].addresses.end());
    EXPECT_TRUE(cell_.table().contains(records::user_data_key(view.instance.uid)));
  }
  EXPECT_THAT(uids, SizeIs(3));
  EXPECT_THAT(macs, SizeIs(3));
  EXPECT_THAT(addresses, SizeIs(3));
}

TEST_F(Bookings, LeaveOneAuditEntryAndOneEventEach) {
  submit(many(2, plain("web")));
  const LogRecord record = cell_.log().back();
  ASSERT_THAT(record.audit, SizeIs(1));
  EXPECT_EQ(record.audit[0].method, "CreateInstances");
  EXPECT_EQ(record.audit[0].resource, "projects/default/instances/web-1..2");
  std::vector<std::string> resources;
  for (const Event& event : record.events) {
    if (event.type == "InstanceCreated") resources.push_back(event.resource);
  }
  EXPECT_THAT(resources,
              ElementsAre("projects/default/instances/web-1", "projects/default/instances/web-2"));
}

TEST_F(Bookings, AreRefusedAsAWholeWhenANameIsTaken) {
  cell_.create(plain("web-2"));
  const absl::Status status = refusal(many(3, plain("web")));
  EXPECT_EQ(reason_of(status), "NAME_TAKEN");
  EXPECT_THAT(std::string(message_of(status)), HasSubstr("instance web-2 exists; choose"));
  cell_.create(plain("web-3"));
  EXPECT_EQ(message_of(refusal(many(3, plain("web")))),
            "these names are taken by 2 instances: web-2, web-3; choose another id");
}

TEST_F(Bookings, AreRefusedAsAWholeWhenTheyDoNotAllFindAPlace) {
  make({CreateGroup{"default", "apart", {{.level = DomainLevel::kHost}}, {}}});
  CreateInstance each = plain("web");
  each.group = "apart";
  EXPECT_EQ(reason_of(refusal(many(4, each))), "NO_HOST_FITS");
  std::set<HostUid> hosts;
  for (const InstanceView& view : made(submit(many(3, each)))) {
    hosts.insert(view.instance.claim.host);
  }
  EXPECT_THAT(hosts, SizeIs(3));
}

TEST_F(Bookings, AreRefusedAsAWholeWhenAddressesRunOut) {
  // 10.0.0.0/29 has five beside the gateway.
  EXPECT_EQ(reason_of(refusal(many(6, CellHarness::web("web")))), "ADDRESSES_EXHAUSTED");
  EXPECT_THAT(made(submit(many(5, CellHarness::web("web")))), SizeIs(5));
}

TEST_F(Bookings, AreCheckedAgainstTheLimitsOfTheProjectTogether) {
  make({UpdateProject{
      .id = "default", .labels = {}, .limits = {Limit::kInstances}, .values = {.instances = 2}}});
  EXPECT_EQ(reason_of(refusal(many(3, plain("web")))), "QUOTA_EXCEEDED");
  EXPECT_THAT(made(submit(many(2, plain("web")))), SizeIs(2));
}

TEST_F(Bookings, TellOfEveryMistakeAtOnce) {
  CreateInstance each = plain("web");
  each.ports = {{"flat", {*IpAddress::parse("10.0.0.3")}}};
  EXPECT_EQ(cell_.mistakes(many(101, each)),
            "count: 101 asked; give 1 to 100\n"
            "instance.network_interfaces[0].ip_addresses: several instances cannot have one "
            "address; leave it out, or create them one by one\n");
  EXPECT_THAT(cell_.mistakes(many(0, plain("web"))), HasSubstr("count: 0 asked"));
  EXPECT_THAT(cell_.mistakes(many(100, plain(std::string(60, 'a')))), HasSubstr("instance_id: "));
}

TEST_F(Bookings, ARepetitionIsAnsweredWithTheInstancesAsTheyAre) {
  const auto first = made(submit(many(3, plain("web")), "once"));
  ASSERT_TRUE(cell_.run(RenameInstance{"default", "web-2", "renamed"}).ok());
  ASSERT_TRUE(cell_.run(DeleteInstance{"default", "web-3"}).ok());
  finish(first[2].instance);
  const auto again = made(submit(many(3, plain("web")), "once"));
  EXPECT_THAT(ids_of(again), ElementsAre("web-1", "renamed", "web-3"));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(again[i].instance.uid, first[i].instance.uid);
  EXPECT_EQ(again[1].instance.desired, DesiredState::kRunning);
  EXPECT_EQ(again[2].instance.desired, DesiredState::kDeleted) << "it is gone";
  EXPECT_THAT(cell_.state().instances, SizeIs(2)) << "nothing is made twice";

  CellHarness after(CellHarness::default_config(), cell_.state(), cell_.head());
  const auto repeated = after.answer(after.submit(many(3, plain("web")), "once"));
  ASSERT_TRUE(repeated.ok()) << describe(repeated.status());
  EXPECT_THAT(ids_of(std::get<InstancesView>(*repeated).instances),
              ElementsAre("web-1", "renamed", "web-3"));
  EXPECT_EQ(
      reason_of(cell_.answer(cell_.submit(many(3, plain("web")), "once", "", "other")).status()),
      "REQUEST_ID_REUSED");
}

TEST_F(Bookings, ThatAreMoreThanABatchHoldsAreRefusedWithWhatWouldDo) {
  for (int i = 4; i < 24; ++i) cell_.connect_host("host-" + std::to_string(i), gibibytes(64));
  CreateInstance each = plain("web");
  each.user_data = std::string(64 * 1024, 'x');
  const std::string told = cell_.mistakes(many(100, each));
  EXPECT_THAT(told, HasSubstr("count: 100 instances of 66."));
  EXPECT_THAT(told, HasSubstr("ask for at most 13 at once"));
  EXPECT_THAT(made(submit(many(13, each))), SizeIs(13)) << "a store takes that many";
}

TEST_F(Bookings, ThatFillABatchWaitForAFreshOneAndForNothingElse) {
  for (int i = 4; i < 12; ++i) cell_.connect_host("host-" + std::to_string(i), gibibytes(64));
  CreateInstance each = plain("web");
  each.user_data = std::string(64 * 1024, 'x');
  cell_.hold_commits(true);
  cell_.submit(CreateProject{.id = "p"});
  std::vector<Ticket> small;
  for (int i = 0; i < 3; ++i) {
    CreateInstance one = each;
    one.id = "one-" + std::to_string(i);
    small.push_back(cell_.submit(one));
  }
  const Ticket large = submit(many(12, each));
  const Ticket later = cell_.submit(CreateProject{.id = "q"});
  cell_.land();
  EXPECT_FALSE(cell_.answered(small[0])) << "under way";
  cell_.land();
  EXPECT_TRUE(cell_.answered(small[2]));
  EXPECT_FALSE(cell_.answered(large));
  EXPECT_GT(cell_.bytes_under_way(), 12 * 64 * 1024U);
  cell_.land();
  EXPECT_THAT(made(large), SizeIs(12));
  EXPECT_FALSE(cell_.answered(later)) << "it came after what waited";
  cell_.land();
  EXPECT_TRUE(cell_.answered(later));
}

TEST_F(Bookings, AHundredOfThemFitTogether) {
  for (int i = 4; i < 40; ++i) cell_.connect_host("host-" + std::to_string(i), gibibytes(64));
  EXPECT_THAT(made(submit(many(100, plain("web")))), SizeIs(100));
  EXPECT_THAT(cell_.step_downs, IsEmpty());
}

}  // namespace
}  // namespace stellwerk::controller

// Creating instances: what is decided, committed, answered and refused.
#include <gmock/gmock.h>

#include "tests/unit/orchestrator/controller/cell_harness.h"

namespace stellwerk::controller {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> fields_of(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const FieldViolation& violation : violations_of(status)) fields.push_back(violation.field);
  return fields;
}

TEST(ControllerCreate, CommitsInstanceUserDataRequestEventAndAuditTogether) {
  CellHarness cell;
  cell.connect_host();
  cell.import_image();
  const size_t commits = cell.commits;
  CreateInstance request = CellHarness::web();
  request.user_data = "#cloud-config\npassword: secret\n";
  const Instance instance = cell.create(request);

  EXPECT_EQ(cell.commits, commits + 1);
  EXPECT_EQ(cell.table().at(records::user_data_key(instance.uid)), request.user_data);
  const auto stored =
      records::decode_instance(cell.table().at(records::instance_key(instance.uid)));
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(stored->id, "web-1");
  EXPECT_EQ(stored->claim, instance.claim);
  const LogRecord log = cell.log().back();
  EXPECT_EQ(log.sequence, cell.head().sequence);
  ASSERT_THAT(log.audit, SizeIs(1));
  EXPECT_EQ(log.audit[0].caller, "root");
  EXPECT_EQ(log.audit[0].method, "CreateInstance");
  EXPECT_EQ(log.audit[0].resource, "projects/default/instances/web-1");
  EXPECT_EQ(log.audit[0].outcome, "OK");
  ASSERT_THAT(log.events, SizeIs(1));
  EXPECT_EQ(log.events[0].type, "InstanceCreated");
  for (const auto& [key, value] : cell.table()) {
    if (key != records::user_data_key(instance.uid)) {
      EXPECT_THAT(value, Not(HasSubstr("secret"))) << key;
    }
  }
}

TEST(ControllerCreate, AnswersAndOrdersOnlyWhatIsDurable) {
  CellHarness cell;
  cell.connect_host();
  cell.import_image();
  cell.orders.clear();
  cell.hold_commits(true);
  const Ticket ticket = cell.submit(CellHarness::web());
  const Ticket read = cell.ask(GetInstance{"default", "web-1"});
  EXPECT_FALSE(cell.answered(ticket));
  EXPECT_FALSE(cell.answered(read)) << "a read showed what was not durable";
  EXPECT_THAT(cell.orders, IsEmpty());
  cell.land();
  EXPECT_TRUE(cell.answer(ticket).ok());
  EXPECT_TRUE(cell.answer(read).ok());
  ASSERT_THAT(cell.orders, SizeIs(1));
  EXPECT_THAT(cell.orders[0].instances, SizeIs(1));
  EXPECT_EQ(cell.orders[0].sequence, cell.head().sequence);
}

TEST(ControllerCreate, OrdersOfOneCommitDoNotShowTheNext) {
  CellHarness cell;
  cell.connect_host();
  cell.import_image();
  cell.orders.clear();
  cell.hold_commits(true);
  cell.submit(CellHarness::web());
  cell.submit(DeleteInstance{"default", "web-1"});
  cell.land();
  ASSERT_THAT(cell.orders, SizeIs(1));
  EXPECT_EQ(cell.orders[0].instances[0].desired, DesiredState::kRunning)
      << "an agent would delete what may yet be undecided";
  cell.land();
  ASSERT_THAT(cell.orders, SizeIs(2));
  EXPECT_EQ(cell.orders[1].instances[0].desired, DesiredState::kDeleted);
}

TEST(ControllerCreate, GroupsWhatArrivesDuringACommit) {
  CellHarness cell;
  cell.connect_host("host-1", gibibytes(64));
  cell.import_image();
  cell.hold_commits(true);
  std::vector<Ticket> tickets = {cell.submit(CellHarness::web("a"))};
  const size_t commits = cell.commits;
  tickets.push_back(cell.submit(CellHarness::web("b")));
  tickets.push_back(cell.submit(CellHarness::web("c")));
  EXPECT_EQ(cell.commits, commits) << "a second commit while one is in flight";
  cell.land();
  cell.land();
  EXPECT_EQ(cell.commits, commits + 1);
  for (const Ticket ticket : tickets) EXPECT_TRUE(cell.answer(ticket).ok());
}

TEST(ControllerCreate, ReportsEveryMistakeAtOnceWithItsField) {
  CellHarness cell;
  cell.connect_host();
  cell.import_image();
  CreateInstance request = CellHarness::web("../etc");
  request.flavor = "huge";
  request.image = "missing";
  request.ports = {{"other", {}}};
  const auto answer = cell.run(request);
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(fields_of(answer.status()),
              ElementsAre("instance_id", "instance.flavor", "instance.image",
                          "instance.network_interfaces[0].network"));
  EXPECT_THAT(std::string(message_of(answer.status())), HasSubstr("SCS-1L-1"))
      << "no flavor is suggested";
  EXPECT_THAT(cell.state().instances, IsEmpty());
}

TEST(ControllerCreate, RefusesMoreKeysThanARecordHolds) {
  CellHarness cell;
  cell.connect_host();
  cell.import_image();
  CreateInstance request = CellHarness::web();
  request.ssh_keys.assign(16, "ssh-rsa " + std::string(8000, 'A'));
  EXPECT_THAT(fields_of(cell.run(request).status()), ElementsAre("instance.ssh_keys"));
  request.ssh_keys.assign(33, "ssh-rsa AAAA");
  EXPECT_THAT(fields_of(cell.run(request).status()), ElementsAre("instance.ssh_keys"));
}

TEST(ControllerCreate, TheLargestRequestsStillFitTheStore) {
  CellHarness cell;
  cell.connect_host("host-1", gibibytes(64));
  cell.import_image();
  cell.hold_commits(true);
  CreateInstance request = CellHarness::web("a");
  request.ports.clear();
  request.user_data.assign(64 * 1024, 'u');
  request.ssh_keys.assign(2, "ssh-rsa " + std::string(8000, 'A'));
  for (int i = 0; i < 64; ++i) {
    request.labels[std::to_string(i) + std::string(60, 'k')] = std::string(63, 'v');
  }
  cell.submit(request);
  for (char id = 'b'; id < 't'; ++id) {
    request.id = std::string(1, id);
    cell.submit(request);
  }
  while (cell.commit_under_way()) {
    EXPECT_LE(cell.bytes_under_way(), store::kMaxBatchBytes);
    cell.land();
  }
  EXPECT_THAT(cell.state().instances, SizeIs(19));
  for (const auto& [key, value] : cell.table()) EXPECT_LE(value.size(), 128u * 1024) << key;
}

TEST(ControllerCreate, RefusesWhatFitsNoHostAndSaysWhy) {
  CellHarness cell;
  cell.connect_host("host-1", gibibytes(3));
  cell.import_image();
  CreateInstance request = CellHarness::web();
  request.flavor = "SCS-1V-8";
  const auto answer = cell.run(request);
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(reason_of(answer.status()), "NO_HOST_FITS");
  EXPECT_THAT(std::string(message_of(answer.status())), HasSubstr("memory"));
  EXPECT_THAT(cell.keys(records::kInstancePrefix), IsEmpty());
  EXPECT_EQ(cell.log().back().audit.back().outcome, "RESOURCE_EXHAUSTED");
}

TEST(ControllerCreate, RefusesWhenNoHostIsConnected) {
  CellHarness cell;
  cell.import_image();
  EXPECT_EQ(reason_of(cell.run(CellHarness::web()).status()), "NO_HOST_CONNECTED");
}

TEST(ControllerCreate, CellsOnOneEthernetGiveDifferentMacs) {
  const auto first_mac = [](std::string_view name) {
    CellState state;
    state.cell = records::Cell{CellUid(test_uuid(name)), {}};
    CellHarness cell(CellHarness::default_config(), std::move(state));
    cell.connect_host();
    cell.import_image();
    return cell.create(CellHarness::web()).ports[0].mac;
  };
  EXPECT_NE(first_mac("one"), first_mac("another"));
  EXPECT_EQ(first_mac("one"), first_mac("one"));
  EXPECT_EQ(first_mac("one") >> 24, 0x525400u);
}

TEST(ControllerCreate, NeverGivesOneAddressOrMacTwice) {
  CellHarness cell;  // a /29: five addresses beside the gateway
  const HostUid host = cell.connect_host("host-1", gibibytes(64));
  cell.import_image();
  std::set<IpAddress> addresses;
  std::set<uint64_t> macs;
  std::vector<Instance> instances;
  for (int i = 0; i < 5; ++i) {
    instances.push_back(cell.create(CellHarness::web("web-" + std::to_string(i))));
    addresses.insert(instances.back().ports[0].addresses.at(0));
    macs.insert(instances.back().ports[0].mac);
  }
  EXPECT_THAT(addresses, SizeIs(5));
  EXPECT_FALSE(addresses.contains(IpAddress::v4(0x0A000001)))
      << "the gateway's address was given away";
  EXPECT_EQ(reason_of(cell.run(CellHarness::web("one-more")).status()), "ADDRESSES_EXHAUSTED");

  ASSERT_TRUE(cell.run(DeleteInstance{"default", "web-2"}).ok());
  const Instance& gone = cell.state().instances.at(instances[2].uid);
  EXPECT_EQ(reason_of(cell.run(CellHarness::web("early")).status()), "ADDRESSES_EXHAUSTED")
      << "the address was free before the port was gone";
  cell.report(host, {.instance = gone.uid,
                     .observed = {.phase = Phase::kDeleted, .generation = gone.generation}});
  const Instance next = cell.create(CellHarness::web("next"));
  EXPECT_EQ(next.ports[0].addresses, instances[2].ports[0].addresses);
  EXPECT_FALSE(macs.contains(next.ports[0].mac)) << "a MAC was given a second time";
}

TEST(ControllerCreate, WorksWithoutANetwork) {
  CellHarness cell;
  cell.connect_host();
  cell.import_image();
  CreateInstance request = CellHarness::web();
  request.ports.clear();
  EXPECT_THAT(cell.create(request).ports, IsEmpty());
}

TEST(ControllerCreate, SizesTheBootDiskByFlavorRequestOrImage) {
  CellHarness cell;
  cell.connect_host("host-1", gibibytes(64), DiskType::kSsd);
  cell.import_image("debian", gibibytes(3));
  EXPECT_EQ(cell.create(CellHarness::web("by-image")).boot_disk, gibibytes(3));
  CreateInstance asked = CellHarness::web("by-request");
  asked.boot_disk = gibibytes(10);
  EXPECT_EQ(cell.create(asked).boot_disk, gibibytes(10));
  CreateInstance fixed = CellHarness::web("by-flavor");
  fixed.flavor = "SCS-2V-4-20s";
  EXPECT_EQ(cell.create(fixed).boot_disk, gigabytes(20));
  fixed.id = "contradiction";
  fixed.boot_disk = gibibytes(10);
  EXPECT_THAT(fields_of(cell.run(fixed).status()), ElementsAre("instance.boot_disk_bytes"));
  CreateInstance small = CellHarness::web("small");
  small.boot_disk = gibibytes(1);
  EXPECT_THAT(fields_of(cell.run(small).status()), ElementsAre("instance.boot_disk_bytes"));
}

TEST(ControllerCreate, SizesTheBootDiskByTheImagesMinimumWhereThatIsLarger) {
  CellHarness cell;
  cell.connect_host();
  const auto begun = cell.run(BeginImageImport{.project = "default",
                                               .id = "demanding",
                                               .firmware = Firmware::kUefi,
                                               .minimum_disk = gibibytes(7),
                                               .minimum_memory = gibibytes(4)});
  ASSERT_TRUE(begun.ok());
  ASSERT_TRUE(cell.run(FinishImageImport{std::get<ImageView>(*begun).image.uid,
                                         ImportedContent{.virtual_size = gibibytes(2)}})
                  .ok());
  CreateInstance request = CellHarness::web();
  request.image = "demanding";
  EXPECT_THAT(fields_of(cell.run(request).status()), ElementsAre("instance.flavor"))
      << "the flavor has less memory than the image needs";
  request.flavor = "SCS-1V-4";
  const Instance instance = cell.create(request);
  EXPECT_EQ(instance.boot_disk, gibibytes(7));
  EXPECT_EQ(instance.firmware, Firmware::kUefi);
}

TEST(ControllerCreate, ChargesGuestMemoryWithQemusOverheadAndTheWholeDisk) {
  CellHarness cell;
  cell.connect_host();
  cell.import_image();
  const Instance instance = cell.create(CellHarness::web());
  EXPECT_EQ(instance.memory, gibibytes(2));
  EXPECT_EQ(instance.claim.memory, memory_with_overhead(gibibytes(2), VcpuCount(1)));
  EXPECT_GT(instance.claim.memory, gibibytes(2));
  EXPECT_EQ(instance.claim.disk, instance.boot_disk);
}

TEST(ControllerCreate, CarriesTheFlavorsCpuClassIntoTheClaim) {
  CellHarness cell;
  cell.connect_host("host-1", gibibytes(64));
  cell.import_image();
  const std::map<std::string, CpuClass> classes = {{"SCS-1L-1", CpuClass::kLowPerformance},
                                                   {"SCS-1V-2", CpuClass::kShared},
                                                   {"SCS-1T-2", CpuClass::kDedicatedThread},
                                                   {"SCS-1C-2", CpuClass::kDedicatedCore}};
  char id = 'a';
  for (const auto& [flavor, cpu_class] : classes) {
    if (!cell.read(GetFlavor{flavor}).ok()) {
      ASSERT_TRUE(cell.run(CreateFlavor{.id = flavor}).ok()) << flavor;
    }
    CreateInstance request = CellHarness::web(std::string(1, id++));
    request.flavor = flavor;
    EXPECT_EQ(cell.create(request).claim.cpu_class, cpu_class) << flavor;
  }
}

TEST(ControllerCreate, OffersLocalSsdFlavorsOnlyWhereAHostHasSuchADisk) {
  CellHarness cell;
  cell.connect_host();
  EXPECT_FALSE(cell.read(GetFlavor{"SCS-2V-4-20s"}).ok());
  EXPECT_THAT(cell.state().flavors, SizeIs(13));
  cell.connect_host("host-2", gibibytes(16), DiskType::kSsd);
  EXPECT_TRUE(cell.read(GetFlavor{"SCS-2V-4-20s"}).ok());
  EXPECT_THAT(cell.state().flavors, SizeIs(15));
}

TEST(ControllerCreate, TakesANameOnceUntilItIsDeleted) {
  CellHarness cell;
  const HostUid host = cell.connect_host();
  cell.import_image();
  const Instance first = cell.create(CellHarness::web());
  EXPECT_EQ(reason_of(cell.run(CellHarness::web()).status()), "NAME_TAKEN");
  ASSERT_TRUE(cell.run(DeleteInstance{"default", "web-1"}).ok());
  EXPECT_EQ(reason_of(cell.run(CellHarness::web()).status()), "NAME_TAKEN");
  cell.report(host, {.instance = first.uid,
                     .observed = {.phase = Phase::kDeleted, .generation = Generation(2)}});
  const Instance second = cell.create(CellHarness::web());
  EXPECT_NE(second.uid, first.uid);
}

TEST(ControllerCreate, KeepsProjectsApart) {
  CellHarness cell;
  cell.connect_host();
  cell.import_image();
  ASSERT_TRUE(cell.run(CreateProject{.id = "town"}).ok());
  cell.create(CellHarness::web());
  EXPECT_EQ(cell.read(GetInstance{"town", "web-1"}).status().code(), absl::StatusCode::kNotFound);
  CreateInstance foreign = CellHarness::web();
  foreign.project = "town";
  EXPECT_THAT(fields_of(cell.run(foreign).status()), Contains("instance.image"))
      << "an image of another project was used";
  foreign.project = "nowhere";
  EXPECT_EQ(cell.run(foreign).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace stellwerk::controller

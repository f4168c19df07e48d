// Every field of every record survives being written and read, whatever its value.
#include <gtest/gtest.h>

#include "arbitrary_model.h"
#include "orchestrator/records/records.h"

namespace stellwerk::records {
namespace {

template <class T>
void expect_round_trip(const T& value, absl::StatusOr<T> (*decode)(std::string_view)) {
  const std::string bytes = encode(value);
  const absl::StatusOr<T> decoded = decode(bytes);
  RC_ASSERT(decoded.ok());
  RC_ASSERT(same(*decoded, value));
  RC_ASSERT(encode(*decoded) == bytes);
}

RC_GTEST_PROP(RoundTrip, KeepsCells, ()) {
  expect_round_trip(any_cell(), decode_cell);
}
RC_GTEST_PROP(RoundTrip, KeepsProjects, ()) {
  expect_round_trip(any_project(), decode_project);
}
RC_GTEST_PROP(RoundTrip, KeepsFlavors, ()) {
  expect_round_trip(any_flavor(), decode_flavor);
}
RC_GTEST_PROP(RoundTrip, KeepsImages, ()) {
  expect_round_trip(any_image(), decode_image);
}
RC_GTEST_PROP(RoundTrip, KeepsNetworks, ()) {
  expect_round_trip(any_network(), decode_network);
}
RC_GTEST_PROP(RoundTrip, KeepsHosts, ()) {
  expect_round_trip(any_host(), decode_host);
}
RC_GTEST_PROP(RoundTrip, KeepsInstances, ()) {
  expect_round_trip(any_instance(), decode_instance);
}
RC_GTEST_PROP(RoundTrip, KeepsSites, ()) {
  expect_round_trip(any_site(), decode_site);
}
RC_GTEST_PROP(RoundTrip, KeepsZones, ()) {
  expect_round_trip(any_zone(), decode_zone);
}
RC_GTEST_PROP(RoundTrip, KeepsRacks, ()) {
  expect_round_trip(any_rack(), decode_rack);
}
RC_GTEST_PROP(RoundTrip, KeepsFeeds, ()) {
  expect_round_trip(any_feed(), decode_feed);
}
RC_GTEST_PROP(RoundTrip, KeepsGroups, ()) {
  expect_round_trip(any_group(), decode_group);
}
RC_GTEST_PROP(RoundTrip, KeepsRequests, ()) {
  expect_round_trip(any_request(), decode_request);
}
RC_GTEST_PROP(RoundTrip, KeepsLogs, ()) {
  expect_round_trip(any_log(), decode_log);
}

TEST(RoundTrip, KeepsEveryEnumerator) {
  Instance instance;
  for (const CpuClass value : {CpuClass::kLowPerformance, CpuClass::kShared,
                               CpuClass::kDedicatedThread, CpuClass::kDedicatedCore}) {
    instance.claim.cpu_class = value;
    EXPECT_EQ(decode_instance(encode(instance))->claim.cpu_class, value);
  }
  RequestRecord request;
  for (int i = 0; i <= static_cast<int>(Phase::kUnknown); ++i) {
    request.observed.phase = static_cast<Phase>(i);
    EXPECT_EQ(decode_request(encode(request))->observed.phase, request.observed.phase);
  }
}

// What was written before there were racks, groups and devices reads as having none of them: these
// are such bytes, and a value without any of that is still written so.
TEST(RoundTrip, KeepsTheBytesOfHostsAndInstancesFromBeforeTheTopology) {
  const auto digest_of = [](const std::string& bytes) { return to_hex(sha256(bytes)); };
  Host host{.uid = HostUid(*Uuid::parse("0f8fad5b-d9cb-469f-a165-70867728950e")), .id = "h1"};
  host.facts.numa = {{.id = 1, .memory = gibibytes(4), .cores = {{{0, 1}}}}};
  EXPECT_EQ(digest_of(encode(host)),
            "e08328258088f025bcae64cb9800c52f"
            "adbf160abec899ce54844f70e6f9026f");
  Instance instance{.uid = InstanceUid(host.uid.value()), .id = "web-1"};
  instance.claim = {.host = host.uid, .vcpus = VcpuCount(2), .memory = gibibytes(4)};
  EXPECT_EQ(digest_of(encode(instance)),
            "bef9bb2a9a73397cc3485751d1dcc746"
            "bc9e89725468db9628296bcb9def85e5");
}

// The bytes are a promise to every later version: this is what lies in the field's databases.
TEST(RoundTrip, KeepsTheBytesOfVersionTwo) {
  Project project{.uid = ProjectUid(*Uuid::parse("0f8fad5b-d9cb-469f-a165-70867728950e")),
                  .id = "default",
                  .labels = {{"b", "2"}, {"a", "1"}},
                  .created_at = WallTime(std::chrono::seconds(1)),
                  .changed_at = Sequence(7)};
  std::string hex;
  for (const unsigned char byte : encode(project)) hex += fmt::format("{:02x}", byte);
  EXPECT_EQ(hex,
            "08021002191e91a249b0831ed222310a100f8fad5bd9cb469fa16570867728950e"
            "120764656661756c741a060a01611201311a060a016212013220c0843d2807");
}

}  // namespace
}  // namespace stellwerk::records

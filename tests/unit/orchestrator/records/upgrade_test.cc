#include "orchestrator/records/upgrade.h"

#include <gtest/gtest.h>

#include "core/digest.h"
#include "orchestrator/records/records.h"

namespace stellwerk::records {
namespace {

namespace wire = stellwerk::store::v1;

// A record as the first version wrote it.
std::string version_one(wire::Kind kind, const google::protobuf::MessageLite& content) {
  wire::Record record;
  record.set_version(1);
  record.set_kind(kind);
  record.set_content(content.SerializeAsString());
  const Sha256 digest = sha256(record.content());
  uint64_t checksum = 0;
  for (int i = 7; i >= 0; --i) checksum = checksum << 8 | digest[i];
  record.set_checksum(checksum);
  return record.SerializeAsString();
}

const std::string kUid(16, 'u');

wire::Instance old_instance() {
  wire::Instance instance;
  instance.set_uid(kUid);
  instance.set_project(kUid);
  instance.set_id("web-1");
  instance.set_desired(wire::DESIRED_STATE_RUNNING);
  instance.mutable_reboot()->set_count(3);
  instance.mutable_reboot()->set_old_hard(true);
  instance.set_restart_policy(wire::RESTART_POLICY_ON_FAILURE);
  instance.set_flavor(kUid);
  instance.set_image(kUid);
  instance.set_image_format(wire::IMAGE_FORMAT_QCOW2);
  instance.set_firmware(wire::FIRMWARE_BIOS);
  wire::Port* port = instance.add_ports();
  port->set_network(kUid);
  port->set_mac(42);
  port->set_old_address(0x0a400002);
  instance.mutable_claim()->set_host(kUid);
  instance.mutable_claim()->set_cpu_class(wire::CPU_CLASS_SHARED);
  return instance;
}

TEST(Upgrade, InstanceOfVersionOneKeepsAddressAndReboots) {
  const auto instance = decode_instance(version_one(wire::KIND_INSTANCE, old_instance()));
  ASSERT_TRUE(instance.ok()) << instance.status();
  ASSERT_EQ(instance->ports.size(), 1u);
  EXPECT_EQ(instance->ports[0].addresses, std::vector{IpAddress::v4(0x0a400002)});
  EXPECT_EQ(instance->ports[0].mac, 42u);
  EXPECT_EQ(instance->reboot, (RebootOrder{3, RebootKind::kReset}));
  EXPECT_TRUE(instance->ever_started);
  EXPECT_EQ(instance->run, instance->generation);
  EXPECT_EQ(decode_instance(encode(*instance))->ports, instance->ports);
}

TEST(Upgrade, NetworkOfVersionOneIsTheCellsOwn) {
  wire::Network old;
  old.set_uid(kUid);
  old.set_id("flat");
  old.set_bridge("stellwerk0");
  old.set_old_subnet(0x0a400000);
  old.set_old_prefix_length(24);
  old.set_old_gateway(0x0a400001);
  old.add_old_dns_servers(0x01010101);
  old.set_old_next_address(0x0a400009);
  old.set_next_mac(17);
  const auto network = decode_network(version_one(wire::KIND_NETWORK, old));
  ASSERT_TRUE(network.ok()) << network.status();
  EXPECT_TRUE(network->project.is_nil());
  EXPECT_TRUE(network->make_bridge);
  ASSERT_TRUE(network->v4.has_value());
  EXPECT_EQ(network->v4->range.to_string(), "10.64.0.0/24");
  EXPECT_EQ(network->v4->gateway, IpAddress::v4(0x0a400001));
  EXPECT_EQ(network->v4->next, IpAddress::v4(0x0a400009));
  EXPECT_EQ(network->dns_servers, std::vector{IpAddress::v4(0x01010101)});
  EXPECT_EQ(network->mtu, 1500);
  EXPECT_EQ(network->next_mac, 17u);
}

TEST(Upgrade, RequestOfVersionOneAnswersWithTheInstanceOfToday) {
  wire::Request old;
  old.set_scope(kUid);
  old.set_request_id(kUid);
  old.set_method("CreateInstance");
  old.set_body_sha256(std::string(32, 'x'));
  *old.mutable_instance() = old_instance();
  old.mutable_observed()->set_phase(wire::PHASE_PENDING);
  const auto request = decode_request(version_one(wire::KIND_REQUEST, old));
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(std::get<Instance>(request->resource).ports[0].addresses,
            std::vector{IpAddress::v4(0x0a400002)});
}

TEST(Upgrade, OldFieldsInANewRecordAreNotRead) {
  wire::Record record;
  ASSERT_TRUE(record.ParseFromString(version_one(wire::KIND_INSTANCE, old_instance())));
  record.set_version(2);
  EXPECT_EQ(decode_instance(record.SerializeAsString()).status().code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace stellwerk::records

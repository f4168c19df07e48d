// Whatever lies under a key, decoding answers DataLoss: it neither aborts nor guesses.
#include <gtest/gtest.h>

#include "arbitrary_model.h"
#include "orchestrator/records/records.h"
#include "stellwerk/store/v1/records.pb.h"

namespace stellwerk::records {
namespace {

namespace wire = stellwerk::store::v1;

bool is_data_loss(const absl::Status& status) {
  return status.code() == absl::StatusCode::kDataLoss;
}

// A well-formed record around any content.
std::string record_of(wire::Kind kind, const google::protobuf::Message& content) {
  wire::Record record;
  record.set_version(2);
  record.set_kind(kind);
  record.set_content(content.SerializeAsString());
  const Sha256 digest = sha256(record.content());
  uint64_t checksum = 0;
  for (int i = 7; i >= 0; --i) checksum = checksum << 8 | digest[i];
  record.set_checksum(checksum);
  return record.SerializeAsString();
}

template <class Message>
Message content_of(const std::string& bytes) {
  wire::Record record;
  record.ParseFromString(bytes);
  Message content;
  content.ParseFromString(record.content());
  return content;
}

wire::Instance wire_instance() {
  Instance instance;
  instance.ports.resize(1);
  return content_of<wire::Instance>(encode(instance));
}

RC_GTEST_PROP(Damage, OfAnyKindIsDataLoss, (const std::string& garbage)) {
  RC_ASSERT(is_data_loss(decode_cell(garbage).status()));
  RC_ASSERT(is_data_loss(decode_project(garbage).status()));
  RC_ASSERT(is_data_loss(decode_flavor(garbage).status()));
  RC_ASSERT(is_data_loss(decode_image(garbage).status()));
  RC_ASSERT(is_data_loss(decode_network(garbage).status()));
  RC_ASSERT(is_data_loss(decode_host(garbage).status()));
  RC_ASSERT(is_data_loss(decode_instance(garbage).status()));
  RC_ASSERT(is_data_loss(decode_site(garbage).status()));
  RC_ASSERT(is_data_loss(decode_zone(garbage).status()));
  RC_ASSERT(is_data_loss(decode_rack(garbage).status()));
  RC_ASSERT(is_data_loss(decode_feed(garbage).status()));
  RC_ASSERT(is_data_loss(decode_group(garbage).status()));
  RC_ASSERT(is_data_loss(decode_request(garbage).status()));
  RC_ASSERT(is_data_loss(decode_log(garbage).status()));
}

RC_GTEST_PROP(Damage, ByTruncationIsDataLoss, ()) {
  const std::string bytes = encode(any_instance());
  const size_t length = *rc::gen::inRange<size_t>(0, bytes.size());
  RC_ASSERT(is_data_loss(decode_instance(bytes.substr(0, length)).status()));
}

RC_GTEST_PROP(Damage, ByOneFlippedBitNeverChangesTheValueSilently, ()) {
  const Project project = any_project();
  std::string bytes = encode(project);
  const size_t at = *rc::gen::inRange<size_t>(0, bytes.size());
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << *rc::gen::inRange(0, 8)));
  const auto decoded = decode_project(bytes);
  if (!is_data_loss(decoded.status())) RC_ASSERT(same(decoded.value(), project));
}

TEST(Damage, IsDataLossWhenTheRecordIsOfAnotherKind) {
  const auto decoded = decode_instance(encode(Project()));
  ASSERT_TRUE(is_data_loss(decoded.status()));
  EXPECT_NE(message_of(decoded.status()).find("KIND_PROJECT"), std::string::npos);
}

TEST(NewerContent, OfALaterVersionIsDataLossAndNamesBothVersions) {
  wire::Record record;
  record.ParseFromString(encode(Project()));
  record.set_version(3);
  const auto decoded = decode_project(record.SerializeAsString());
  ASSERT_TRUE(is_data_loss(decoded.status()));
  EXPECT_NE(message_of(decoded.status()).find("version 3"), std::string::npos);
  EXPECT_NE(message_of(decoded.status()).find("up to 2"), std::string::npos);
}

TEST(NewerContent, WithAnUnknownFieldIsDataLoss) {
  wire::Instance instance = wire_instance();
  ASSERT_TRUE(decode_instance(record_of(wire::KIND_INSTANCE, instance)).ok());
  instance.GetReflection()->MutableUnknownFields(&instance)->AddVarint(1000, 1);
  EXPECT_TRUE(is_data_loss(decode_instance(record_of(wire::KIND_INSTANCE, instance)).status()));
}

TEST(NewerContent, WithAnUnknownFieldInsideAMessageIsDataLoss) {
  wire::Instance instance = wire_instance();
  wire::Port* port = instance.mutable_ports(0);
  port->GetReflection()->MutableUnknownFields(port)->AddVarint(1000, 1);
  EXPECT_TRUE(is_data_loss(decode_instance(record_of(wire::KIND_INSTANCE, instance)).status()));
}

TEST(NewerContent, WithAnUnknownEnumeratorIsDataLoss) {
  wire::Instance instance = wire_instance();
  instance.set_desired(static_cast<wire::DesiredState>(99));
  EXPECT_TRUE(is_data_loss(decode_instance(record_of(wire::KIND_INSTANCE, instance)).status()));
}

TEST(NewerContent, WithoutAResourceInARequestIsDataLoss) {
  wire::Request request;
  EXPECT_TRUE(is_data_loss(decode_request(record_of(wire::KIND_REQUEST, request)).status()));
}

TEST(WrongContent, WithAUidOfAnotherLengthIsDataLoss) {
  wire::Instance instance = wire_instance();
  instance.set_uid("short");
  EXPECT_TRUE(is_data_loss(decode_instance(record_of(wire::KIND_INSTANCE, instance)).status()));
}

TEST(WrongContent, WithAPrefixLengthOverAByteIsDataLoss) {
  Network with_subnet;
  with_subnet.v4 = Subnet();
  auto network = content_of<wire::Network>(encode(with_subnet));
  network.mutable_v4()->set_prefix_length(256 + 24);
  EXPECT_TRUE(is_data_loss(decode_network(record_of(wire::KIND_NETWORK, network)).status()));
}

TEST(WrongContent, WithPagesOfASizeThatNoProcessorHasIsDataLoss) {
  wire::Instance instance = wire_instance();
  instance.mutable_claim()->set_page_size_bytes(3 << 20);
  EXPECT_TRUE(is_data_loss(decode_instance(record_of(wire::KIND_INSTANCE, instance)).status()));
}

TEST(WrongContent, WithLabelsOutOfOrderIsDataLoss) {
  Project ordered;
  ordered.labels = {{"a", "1"}, {"b", "2"}};
  auto project = content_of<wire::Project>(encode(ordered));
  project.mutable_labels()->SwapElements(0, 1);
  EXPECT_TRUE(is_data_loss(decode_project(record_of(wire::KIND_PROJECT, project)).status()));
}

}  // namespace
}  // namespace stellwerk::records

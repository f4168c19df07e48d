#include "orchestrator/records/records.h"

#include "orchestrator/records/upgrade.h"
#include "orchestrator/records/wire.h"

namespace stellwerk::records {
namespace {

constexpr uint32_t kVersion = 2;

uint64_t checksum_of(std::string_view content) {
  const Sha256 digest = sha256(content);
  uint64_t checksum = 0;
  for (int i = 7; i >= 0; --i) checksum = checksum << 8 | digest[i];
  return checksum;
}

// The same message gives the same bytes: there are no maps in it, but unknown fields may be.
std::string serialise(const google::protobuf::MessageLite& message) {
  return message.SerializeAsString();
}

template <class Message, class Value>
std::string encode_as(wire::Kind kind, const Value& value) {
  Message content;
  to_wire(value, content);
  wire::Record record;
  record.set_version(kVersion);
  record.set_kind(kind);
  record.set_content(serialise(content));
  record.set_checksum(checksum_of(record.content()));
  return serialise(record);
}

absl::StatusOr<wire::Record> record_of(wire::Kind kind, std::string_view bytes) {
  wire::Record record;
  if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return data_loss("{} bytes that are no record", bytes.size());
  }
  if (record.version() > kVersion) {
    return data_loss("record of version {}; this program reads up to {}: use a newer stellwerkd",
                     record.version(), kVersion);
  }
  if (record.version() == 0 || record.checksum() != checksum_of(record.content())) {
    return data_loss("record of {} bytes is damaged: its checksum does not match", bytes.size());
  }
  if (record.kind() != kind) {
    return data_loss("record is a {}, not a {}", wire::Kind_Name(record.kind()),
                     wire::Kind_Name(kind));
  }
  return record;
}

template <class Value, class Message>
absl::StatusOr<Value> decode_as(wire::Kind kind, std::string_view bytes) {
  SW_ASSIGN_OR_RETURN(const wire::Record record, record_of(kind, bytes));
  Message message;
  if (!message.ParseFromString(record.content())) {
    return data_loss("content of {} is damaged", wire::Kind_Name(kind));
  }
  upgrade(record.version(), message);
  Value value = from_wire(message);
  // Whatever reading dropped is missing when the value is written again. Without this check a
  // field of a newer version would vanish with the next change of the record.
  Message again;
  to_wire(value, again);
  if (serialise(again) != serialise(message)) {
    return data_loss(
        "content of {} holds what this version cannot represent: use the stellwerkd "
        "that wrote it",
        wire::Kind_Name(kind));
  }
  return value;
}

}  // namespace

std::string encode(const Cell& cell) {
  return encode_as<wire::Cell>(wire::KIND_CELL, cell);
}
std::string encode(const Project& project) {
  return encode_as<wire::Project>(wire::KIND_PROJECT, project);
}
std::string encode(const Flavor& flavor) {
  return encode_as<wire::Flavor>(wire::KIND_FLAVOR, flavor);
}
std::string encode(const Image& image) {
  return encode_as<wire::Image>(wire::KIND_IMAGE, image);
}
std::string encode(const Network& network) {
  return encode_as<wire::Network>(wire::KIND_NETWORK, network);
}
std::string encode(const Host& host) {
  return encode_as<wire::Host>(wire::KIND_HOST, host);
}
std::string encode(const Instance& instance) {
  return encode_as<wire::Instance>(wire::KIND_INSTANCE, instance);
}
std::string encode(const Site& site) {
  return encode_as<wire::Site>(wire::KIND_SITE, site);
}
std::string encode(const Zone& zone) {
  return encode_as<wire::Zone>(wire::KIND_ZONE, zone);
}
std::string encode(const Rack& rack) {
  return encode_as<wire::Rack>(wire::KIND_RACK, rack);
}
std::string encode(const Feed& feed) {
  return encode_as<wire::Feed>(wire::KIND_FEED, feed);
}
std::string encode(const Group& group) {
  return encode_as<wire::Group>(wire::KIND_GROUP, group);
}
std::string encode(const RequestRecord& request) {
  return encode_as<wire::Request>(wire::KIND_REQUEST, request);
}
std::string encode(const LogRecord& log) {
  return encode_as<wire::Log>(wire::KIND_LOG, log);
}

absl::StatusOr<Cell> decode_cell(std::string_view bytes) {
  return decode_as<Cell, wire::Cell>(wire::KIND_CELL, bytes);
}
absl::StatusOr<Project> decode_project(std::string_view bytes) {
  return decode_as<Project, wire::Project>(wire::KIND_PROJECT, bytes);
}
absl::StatusOr<Flavor> decode_flavor(std::string_view bytes) {
  return decode_as<Flavor, wire::Flavor>(wire::KIND_FLAVOR, bytes);
}
absl::StatusOr<Image> decode_image(std::string_view bytes) {
  return decode_as<Image, wire::Image>(wire::KIND_IMAGE, bytes);
}
absl::StatusOr<Network> decode_network(std::string_view bytes) {
  return decode_as<Network, wire::Network>(wire::KIND_NETWORK, bytes);
}
absl::StatusOr<Host> decode_host(std::string_view bytes) {
  return decode_as<Host, wire::Host>(wire::KIND_HOST, bytes);
}
absl::StatusOr<Instance> decode_instance(std::string_view bytes) {
  return decode_as<Instance, wire::Instance>(wire::KIND_INSTANCE, bytes);
}
absl::StatusOr<Site> decode_site(std::string_view bytes) {
  return decode_as<Site, wire::Site>(wire::KIND_SITE, bytes);
}
absl::StatusOr<Zone> decode_zone(std::string_view bytes) {
  return decode_as<Zone, wire::Zone>(wire::KIND_ZONE, bytes);
}
absl::StatusOr<Rack> decode_rack(std::string_view bytes) {
  return decode_as<Rack, wire::Rack>(wire::KIND_RACK, bytes);
}
absl::StatusOr<Feed> decode_feed(std::string_view bytes) {
  return decode_as<Feed, wire::Feed>(wire::KIND_FEED, bytes);
}
absl::StatusOr<Group> decode_group(std::string_view bytes) {
  return decode_as<Group, wire::Group>(wire::KIND_GROUP, bytes);
}
absl::StatusOr<RequestRecord> decode_request(std::string_view bytes) {
  return decode_as<RequestRecord, wire::Request>(wire::KIND_REQUEST, bytes);
}
absl::StatusOr<LogRecord> decode_log(std::string_view bytes) {
  return decode_as<LogRecord, wire::Log>(wire::KIND_LOG, bytes);
}

}  // namespace stellwerk::records

// Between core's model and the persisted messages; private to this folder, the one header that
// sees protobuf. `to_wire` writes every field. `from_wire` reads what it can and never fails:
// what it cannot represent (an unknown enumerator, a uid of another length, a field of a newer
// version) shows as a difference when its result is written again, which records.cc checks.
#pragma once

#include "core/event.h"
#include "core/model.h"
#include "orchestrator/records/records.h"
#include "stellwerk/store/v1/records.pb.h"
#include "stellwerk/store/v1/resources.pb.h"

namespace stellwerk::records {

namespace wire = stellwerk::store::v1;

void to_wire(const Project& from, wire::Project& to);
void to_wire(const Flavor& from, wire::Flavor& to);
void to_wire(const Image& from, wire::Image& to);
void to_wire(const Network& from, wire::Network& to);
void to_wire(const Instance& from, wire::Instance& to);
void to_wire(const Observed& from, wire::Observed& to);
void to_wire(const Host& from, wire::Host& to);
void to_wire(const Site& from, wire::Site& to);
void to_wire(const Zone& from, wire::Zone& to);
void to_wire(const Rack& from, wire::Rack& to);
void to_wire(const Feed& from, wire::Feed& to);
void to_wire(const Group& from, wire::Group& to);
void to_wire(const Cell& from, wire::Cell& to);
void to_wire(const RequestRecord& from, wire::Request& to);
void to_wire(const LogRecord& from, wire::Log& to);

Project from_wire(const wire::Project& from);
Flavor from_wire(const wire::Flavor& from);
Image from_wire(const wire::Image& from);
Network from_wire(const wire::Network& from);
Instance from_wire(const wire::Instance& from);
Observed from_wire(const wire::Observed& from);
Host from_wire(const wire::Host& from);
Site from_wire(const wire::Site& from);
Zone from_wire(const wire::Zone& from);
Rack from_wire(const wire::Rack& from);
Feed from_wire(const wire::Feed& from);
Group from_wire(const wire::Group& from);
Cell from_wire(const wire::Cell& from);
RequestRecord from_wire(const wire::Request& from);
LogRecord from_wire(const wire::Log& from);

wire::CpuClass to_wire(CpuClass value);
wire::DiskType to_wire(DiskType value);
wire::ImageFormat to_wire(ImageFormat value);
wire::Firmware to_wire(Firmware value);
wire::ImageState to_wire(ImageState value);
wire::DesiredState to_wire(DesiredState value);
wire::RestartPolicy to_wire(RestartPolicy value);
wire::Phase to_wire(Phase value);
wire::NetworkState to_wire(NetworkState value);
wire::IpProtocol to_wire(IpProtocol value);
wire::RebootKind to_wire(RebootKind value);
wire::DomainLevel to_wire(DomainLevel value);
wire::GroupPolicy to_wire(GroupPolicy value);

// Our enumerators are numbered from zero without gaps and the switches of to_wire name each, so
// the search ends at the first value that is not one.
template <class Ours, class Wire>
Ours enum_from_wire(Wire value) {
  for (uint8_t i = 0; to_wire(static_cast<Ours>(i)) != Wire{}; ++i) {
    if (to_wire(static_cast<Ours>(i)) == value) return static_cast<Ours>(i);
  }
  return Ours{};
}

inline std::string uuid_to_wire(const Uuid& uuid) {
  return std::string(uuid.bytes().begin(), uuid.bytes().end());
}
template <size_t kSize>
std::array<uint8_t, kSize> array_from_wire(const std::string& bytes) {
  std::array<uint8_t, kSize> array{};
  if (bytes.size() == kSize) std::copy(bytes.begin(), bytes.end(), array.begin());
  return array;
}
inline Uuid uuid_from_wire(const std::string& bytes) {
  return Uuid(array_from_wire<16>(bytes));
}

template <class Uid>
Uid uid_from_wire(const std::string& bytes) {
  return Uid(uuid_from_wire(bytes));
}
// Nil is no bytes at all: records from before the field was there have none.
inline std::string optional_uuid_to_wire(const Uuid& uuid) {
  return uuid.is_nil() ? std::string() : uuid_to_wire(uuid);
}

void pairs_to_wire(const Labels& pairs, google::protobuf::RepeatedPtrField<wire::Label>& to);
Labels pairs_from_wire(const google::protobuf::RepeatedPtrField<wire::Label>& from);

inline std::string address_to_wire(const IpAddress& address) {
  const auto& bytes = address.bytes();
  return std::string(bytes.begin(), bytes.begin() + address.bits() / 8);
}
inline std::optional<IpAddress> address_from_wire(const std::string& bytes) {
  if (bytes.size() == 16) return IpAddress::v6(array_from_wire<16>(bytes));
  if (bytes.size() != 4) return std::nullopt;
  uint32_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  return IpAddress::v4(number);
}

inline int64_t time_to_wire(WallTime time) {
  return time.time_since_epoch().count();
}
inline WallTime time_from_wire(int64_t microseconds) {
  return WallTime(std::chrono::microseconds(microseconds));
}

}  // namespace stellwerk::records

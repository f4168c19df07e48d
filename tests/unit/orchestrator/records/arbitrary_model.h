// Random values of core's model for property tests, and views of every field for comparing them.
// `fields` uses structured bindings on purpose: a field added to the model does not compile here
// until the records' tests know it.
#pragma once

#include <rapidcheck/gtest.h>

#include <tuple>

#include "core/event.h"
#include "core/model.h"
#include "orchestrator/records/records.h"

namespace stellwerk::records {

template <class T>
T any() {
  return *rc::gen::arbitrary<T>();
}

inline Uuid any_uuid() {
  std::array<uint8_t, 16> bytes;
  for (uint8_t& byte : bytes) byte = any<uint8_t>();
  return Uuid(bytes);
}
template <class Uid>
Uid any_uid() {
  return Uid(any_uuid());
}
// Any bytes, hostile ones included.
inline std::string any_text() {
  return any<std::string>();
}
inline Bytes any_bytes() {
  return Bytes(any<int64_t>());
}
inline VcpuCount any_vcpus() {
  return VcpuCount(any<int64_t>());
}
inline WallTime any_time() {
  return WallTime(std::chrono::microseconds(any<int64_t>()));
}
inline Sequence any_sequence() {
  return Sequence(any<uint64_t>());
}
inline Sha256 any_sha256() {
  Sha256 digest;
  for (uint8_t& byte : digest) byte = any<uint8_t>();
  return digest;
}
inline Labels any_labels() {
  return any<std::map<std::string, std::string>>();
}
// `last` is the enum's last enumerator.
template <class Enum>
Enum any_enum(Enum last) {
  return static_cast<Enum>(*rc::gen::inRange<int>(0, static_cast<int>(last) + 1));
}
template <class Make>
auto any_list(Make make) {
  std::vector<decltype(make())> list(*rc::gen::inRange<size_t>(0, 4));
  for (auto& item : list) item = make();
  return list;
}

template <class Make>
auto any_optional(Make make) {
  return any<bool>() ? std::optional(make()) : std::nullopt;
}
inline IpAddress any_v4() {
  return IpAddress::v4(any<uint32_t>());
}
inline IpAddress any_address() {
  std::array<uint8_t, 16> bytes;
  for (uint8_t& byte : bytes) byte = any<uint8_t>();
  return any<bool>() ? IpAddress::v6(bytes) : any_v4();
}
inline IpPrefix any_prefix() {
  return {any_address(), any<uint8_t>()};
}

inline ProjectLimits any_limits() {
  ProjectLimits limits{any_optional(any<int64_t>),
                       {},
                       any_optional(any_bytes),
                       any_optional(any_bytes),
                       any_optional(any<int64_t>)};
  for (int i = 0; i <= static_cast<int>(CpuClass::kDedicatedCore); ++i) {
    if (any<bool>()) limits.vcpus.emplace(static_cast<CpuClass>(i), any_vcpus());
  }
  return limits;
}
inline Project any_project() {
  return {any_uid<ProjectUid>(), any_text(), any_labels(),
          any_limits(),          any_time(), any_sequence()};
}
inline FlavorDisks any_disks() {
  return {any<int64_t>(), any_bytes(), any_enum(DiskType::kNvme)};
}
inline Flavor any_flavor() {
  return {
      any_uid<FlavorUid>(), any_text(),  any_enum(CpuClass::kDedicatedCore),
      any_vcpus(),          any_bytes(), any<bool>() ? std::optional(any_disks()) : std::nullopt,
      any<bool>(),          any_time(),  any_sequence()};
}
inline Image any_image() {
  return {any_uid<ImageUid>(),
          any_uid<ProjectUid>(),
          any_text(),
          any_enum(ImageState::kFailed),
          any_enum(Firmware::kUefi),
          any_bytes(),
          any_bytes(),
          any_enum(ImageFormat::kQcow2),
          any_bytes(),
          any_bytes(),
          any_sha256(),
          any_labels(),
          any<bool>(),
          any_labels(),
          ImageSource{any_text(), any_optional(any_sha256)},
          any_text(),
          any_time(),
          any_sequence()};
}
inline Subnet any_subnet() {
  return {any_prefix(), any_optional(any_address), any_optional(any_address)};
}
inline Route any_route() {
  return {any_prefix(), any_address()};
}
inline Network any_network() {
  return {any_uid<NetworkUid>(),
          any_uid<ProjectUid>(),
          any_text(),
          any_enum(NetworkState::kDeleting),
          any_text(),
          any<bool>(),
          any_optional(any_subnet),
          any_optional(any_subnet),
          any_list(any_address),
          any_list(any_route),
          any<int64_t>(),
          any_labels(),
          any<uint64_t>(),
          any_time(),
          any_sequence()};
}
inline Port any_port() {
  return {any_uid<NetworkUid>(), any<uint64_t>(), any_list(any_address)};
}
inline IngressRule any_ingress() {
  return {any_enum(IpProtocol::kIcmp), PortRange{any<uint16_t>(), any<uint16_t>()}, any_prefix()};
}
inline Milliwatts any_power() {
  return Milliwatts(any<int64_t>());
}
inline DeviceCount any_devices() {
  return {any_text(), any<int64_t>()};
}
inline Claim any_claim() {
  return {any_uid<HostUid>(),
          any_enum(CpuClass::kDedicatedCore),
          any_vcpus(),
          any_bytes(),
          any_bytes(),
          any_list(any<int32_t>),
          any_list(any<int32_t>),
          any<bool>(),
          any_enum(PageSize::k1GiB),
          any<int64_t>(),
          MegabitsPerSecond(any<int64_t>()),
          any_list(any_devices),
          any_power()};
}
inline Backup any_backup() {
  return {any_uid<HostUid>(), any_list(any<int32_t>), any_power()};
}
inline LabelMatch any_match() {
  return {any_text(), any_optional(any_text)};
}
inline Wishes any_wishes() {
  return {any_text(),          any_uid<HostUid>(), any_list(any_match),
          any_list(any_match), any_text(),         any_text()};
}
inline Instance any_instance() {
  return {any_uid<InstanceUid>(),
          any_uid<ProjectUid>(),
          any_text(),
          Generation(any<uint64_t>()),
          any_enum(DesiredState::kDeleted),
          any<bool>(),
          RebootOrder{any<uint64_t>(), any_enum(RebootKind::kPowerCycle)},
          any_enum(RestartPolicy::kNever),
          any_uid<FlavorUid>(),
          any_text(),
          any_vcpus(),
          any_bytes(),
          any_uid<ImageUid>(),
          any_text(),
          any_enum(ImageFormat::kQcow2),
          any_enum(Firmware::kUefi),
          any_bytes(),
          any_list(any_port),
          any_list(any_text),
          any<bool>(),
          any_labels(),
          any_claim(),
          any_optional(any_uid<GroupUid>).value_or(GroupUid()),
          any_optional(any_wishes).value_or(Wishes()),
          any<bool>(),
          any_optional(any_backup),
          any_list(any_ingress),
          any<bool>(),
          any<bool>(),
          any<bool>(),
          any_time(),
          any_sequence(),
          Generation(any<uint64_t>())};
}
inline Observed any_observed() {
  return {any_enum(Phase::kUnknown), any_text(), any_text(), Generation(any<uint64_t>()),
          any_time()};
}
inline HostCore any_core() {
  return {any_list(any<int32_t>)};
}
inline NumaNode any_numa() {
  return {any<int32_t>(), any_bytes(), any_list(any_core), any<int64_t>(), any<int64_t>()};
}
inline HostFacts any_facts() {
  return {any<int64_t>(),
          any<int64_t>(),
          any_bytes(),
          any_bytes(),
          any_enum(DiskType::kNvme),
          any_text(),
          any_text(),
          any_text(),
          any_text(),
          any_list(any_numa),
          MegabitsPerSecond(any<int64_t>()),
          any_list(any_devices),
          any_list(any_text)};
}
inline HostPower any_host_power() {
  return {any_power(), any_power()};
}
inline Host any_host() {
  return {any_uid<HostUid>(),
          any_text(),
          any_facts(),
          HostReserve{any_bytes(), any_bytes()},
          any_optional(any_uid<RackUid>).value_or(RackUid()),
          any_labels(),
          any_optional(any_host_power).value_or(HostPower()),
          any<bool>(),
          any_time(),
          any_sequence()};
}
inline Site any_site() {
  return {any_uid<SiteUid>(), any_text(), any_time(), any_sequence()};
}
inline Zone any_zone() {
  return {any_uid<ZoneUid>(), any_uid<SiteUid>(), any_text(), any_time(), any_sequence()};
}
inline Feed any_feed() {
  return {any_uid<FeedUid>(), any_uid<SiteUid>(), any_text(),
          any_power(),        any_time(),         any_sequence()};
}
inline Rack any_rack() {
  return {any_uid<RackUid>(),      any_uid<ZoneUid>(), any_text(),    any_list(any_uid<FeedUid>),
          any_optional(any_power), any_time(),         any_sequence()};
}
inline GroupRule any_rule() {
  return {any_enum(GroupPolicy::kAntiAffinity), any_enum(DomainLevel::kSite), any<bool>(),
          any<int64_t>()};
}
inline Group any_group() {
  return {any_uid<GroupUid>(), any_uid<ProjectUid>(), any_text(), any_list(any_rule), any_labels(),
          any_time(),          any_sequence()};
}
inline records::Cell any_cell() {
  return {any_uid<CellUid>(), any_time(), any<uint64_t>()};
}
inline Event any_event() {
  return {any_time(), any_text(), any_text(), any_text(),
          any_uuid(), any_text(), any_text(), any_text()};
}
inline AuditEntry any_audit() {
  return {any_time(),           any_text(), any_text(), any_text(),
          any_uid<RequestId>(), any_text(), any_text()};
}
inline LogRecord any_log() {
  return {any_sequence(), any_list(any_event), any_list(any_audit)};
}
inline records::Booking::Booked any_booked() {
  return {any_uid<InstanceUid>(), any_text()};
}
inline records::Booking any_booking() {
  return {any_list(any_booked)};
}

inline Kept any_resource() {
  switch (*rc::gen::inRange(0, 12)) {
    case 0:
      return any_instance();
    case 1:
      return any_image();
    case 2:
      return any_flavor();
    case 3:
      return any_network();
    case 4:
      return any_host();
    case 5:
      return any_site();
    case 6:
      return any_zone();
    case 7:
      return any_rack();
    case 8:
      return any_feed();
    case 9:
      return any_group();
    case 10:
      return any_booking();
  }
  return any_project();
}
inline records::RequestRecord any_request() {
  return {any_uuid(), any_uid<RequestId>(), any_text(),    any_sha256(),
          any_time(), any_resource(),       any_observed()};
}

inline auto fields(const Project& value) {
  const auto& [uid, id, labels, limits, created, changed] = value;
  return std::tie(uid, id, labels, limits, created, changed);
}
inline auto fields(const Flavor& value) {
  const auto& [uid, id, cpu, vcpus, memory, disks, builtin, created, changed] = value;
  return std::tie(uid, id, cpu, vcpus, memory, disks, builtin, created, changed);
}
inline auto fields(const Image& value) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r] = value;
  return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r);
}
inline auto fields(const Network& value) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = value;
  return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
}
inline auto fields(const Instance& value) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab,
               ac, ad, ae, af, ag] = value;
  return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa,
                  ab, ac, ad, ae, af, ag);
}
inline auto fields(const Observed& value) {
  const auto& [a, b, c, d, e] = value;
  return std::tie(a, b, c, d, e);
}
inline auto fields(const Host& value) {
  const auto& [uid, id, facts, reserve, rack, labels, power, off, created, changed] = value;
  return std::tie(uid, id, facts, reserve, rack, labels, power, off, created, changed);
}
inline auto fields(const Site& value) {
  const auto& [uid, id, created, changed] = value;
  return std::tie(uid, id, created, changed);
}
inline auto fields(const Zone& value) {
  const auto& [uid, site, id, created, changed] = value;
  return std::tie(uid, site, id, created, changed);
}
inline auto fields(const Feed& value) {
  const auto& [uid, site, id, budget, created, changed] = value;
  return std::tie(uid, site, id, budget, created, changed);
}
inline auto fields(const Rack& value) {
  const auto& [uid, zone, id, feeds, limit, created, changed] = value;
  return std::tie(uid, zone, id, feeds, limit, created, changed);
}
inline auto fields(const Group& value) {
  const auto& [uid, project, id, rules, labels, created, changed] = value;
  return std::tie(uid, project, id, rules, labels, created, changed);
}
inline auto fields(const records::Cell& value) {
  const auto& [uid, created, next_mac] = value;
  return std::tie(uid, created, next_mac);
}
inline auto fields(const records::Booking& value) {
  return std::tie(value.instances);
}
inline auto fields(const LogRecord& value) {
  const auto& [sequence, events, audit] = value;
  return std::tie(sequence, events, audit);
}

template <class T>
bool same(const T& a, const T& b) {
  return fields(a) == fields(b);
}
inline bool same(const records::RequestRecord& a, const records::RequestRecord& b) {
  const auto& [scope, id, method, body, answered, resource, observed] = a;
  const auto both = [&](const auto& mine) {
    const auto* theirs = std::get_if<std::decay_t<decltype(mine)>>(&b.resource);
    return theirs != nullptr && same(mine, *theirs);
  };
  return std::tie(scope, id, method, body, answered) ==
             std::tie(b.scope, b.request_id, b.method, b.body, b.answered_at) &&
         std::visit(both, resource) && same(observed, b.observed);
}

}  // namespace stellwerk::records

#include "orchestrator/records/keys.h"

#include <fmt/format.h>

#include "core/parse_number.h"

namespace stellwerk::records {
namespace {

// As many digits as the largest sequence has, so that byte order is numeric order.
constexpr size_t kSequenceDigits = 20;

std::string join(std::string_view prefix, std::string_view identity) {
  return fmt::format("{}{}", prefix, identity);
}

}  // namespace

std::string project_key(const ProjectUid& uid) {
  return join(kProjectPrefix, uid.to_string());
}
std::string flavor_key(const FlavorUid& uid) {
  return join(kFlavorPrefix, uid.to_string());
}
std::string image_key(const ImageUid& uid) {
  return join(kImagePrefix, uid.to_string());
}
std::string network_key(const NetworkUid& uid) {
  return join(kNetworkPrefix, uid.to_string());
}
std::string host_key(const HostUid& uid) {
  return join(kHostPrefix, uid.to_string());
}
std::string site_key(const SiteUid& uid) {
  return join(kSitePrefix, uid.to_string());
}
std::string zone_key(const ZoneUid& uid) {
  return join(kZonePrefix, uid.to_string());
}
std::string rack_key(const RackUid& uid) {
  return join(kRackPrefix, uid.to_string());
}
std::string feed_key(const FeedUid& uid) {
  return join(kFeedPrefix, uid.to_string());
}
std::string group_key(const GroupUid& uid) {
  return join(kGroupPrefix, uid.to_string());
}
std::string instance_key(const InstanceUid& uid) {
  return join(kInstancePrefix, uid.to_string());
}

std::string request_key(const Uuid& scope, const RequestId& request) {
  return fmt::format("{}{}/{}", kRequestPrefix, scope.to_string(), request.to_string());
}

std::string user_data_key(const InstanceUid& uid) {
  return join(kUserDataPrefix, uid.to_string());
}

std::string log_key(Sequence sequence) {
  return fmt::format("{}{:0{}}", kLogPrefix, sequence.value(), kSequenceDigits);
}

std::optional<Sequence> parse_log_key(std::string_view key) {
  if (!key.starts_with(kLogPrefix)) return std::nullopt;
  const std::string_view digits = key.substr(kLogPrefix.size());
  if (digits.size() != kSequenceDigits) return std::nullopt;
  const std::optional<uint64_t> value = parse_number<uint64_t>(digits);
  return value ? std::optional(Sequence(*value)) : std::nullopt;
}

std::string prefix_end(std::string_view prefix) {
  std::string end(prefix);
  // Keys are printable ASCII, so the last byte always has a successor.
  end.back() = static_cast<char>(end.back() + 1);
  return end;
}

}  // namespace stellwerk::records

// Keys of the store's table: "<kind>/<identity>". Log keys sort by sequence.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/ids.h"

namespace stellwerk::records {

inline constexpr std::string_view kCellKey = "cell";
inline constexpr std::string_view kProjectPrefix = "project/";
inline constexpr std::string_view kFlavorPrefix = "flavor/";
inline constexpr std::string_view kImagePrefix = "image/";
inline constexpr std::string_view kNetworkPrefix = "network/";
inline constexpr std::string_view kHostPrefix = "host/";
inline constexpr std::string_view kSitePrefix = "site/";
inline constexpr std::string_view kZonePrefix = "zone/";
inline constexpr std::string_view kRackPrefix = "rack/";
inline constexpr std::string_view kFeedPrefix = "feed/";
inline constexpr std::string_view kGroupPrefix = "group/";
inline constexpr std::string_view kInstancePrefix = "instance/";
inline constexpr std::string_view kRequestPrefix = "request/";
inline constexpr std::string_view kUserDataPrefix = "userdata/";  // never loaded into memory
inline constexpr std::string_view kLogPrefix = "log/";            // read by range only

std::string project_key(const ProjectUid& uid);
std::string flavor_key(const FlavorUid& uid);
std::string image_key(const ImageUid& uid);
std::string network_key(const NetworkUid& uid);
std::string host_key(const HostUid& uid);
std::string site_key(const SiteUid& uid);
std::string zone_key(const ZoneUid& uid);
std::string rack_key(const RackUid& uid);
std::string feed_key(const FeedUid& uid);
std::string group_key(const GroupUid& uid);
std::string instance_key(const InstanceUid& uid);
std::string request_key(const Uuid& scope, const RequestId& request);
std::string user_data_key(const InstanceUid& uid);
std::string log_key(Sequence sequence);
std::optional<Sequence> parse_log_key(std::string_view key);

// The first key after every key that begins with `prefix`: the end of a scan over it.
std::string prefix_end(std::string_view prefix);

}  // namespace stellwerk::records

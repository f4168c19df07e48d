// What callers may ask of sites, zones, racks, feeds, hosts and groups, and what they get; a part
// of requests.h. Values only.
//
// `id` of what is there already is its path ("dc1/a/r07"); of what is to be created its own label.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/group.h"
#include "core/model.h"
#include "core/topology.h"

namespace stellwerk::controller {

// Lists are ordered by project id and id; a page token is the name after which to go on.
struct PageRequest {
  int64_t size = 100;  // 1 to 1,000
  std::string token;
};

struct CreateSite {
  std::string id;
};
struct DeleteSite {
  std::string id;
};
struct CreateZone {
  std::string site;
  std::string id;
};
struct DeleteZone {
  std::string id;
};
struct CreateFeed {
  std::string site;
  std::string id;
  Milliwatts budget;
};
struct UpdateFeed {
  std::string id;
  std::optional<Milliwatts> budget;
};
struct DeleteFeed {
  std::string id;
};
struct CreateRack {
  std::string zone;
  std::string id;
  std::vector<std::string> feeds;
  std::optional<Milliwatts> power_limit;
};
// What is absent stays as it is.
struct UpdateRack {
  std::string id;
  std::optional<std::vector<std::string>> feeds;
  std::optional<std::optional<Milliwatts>> power_limit;  // of no value: lifted
};
struct DeleteRack {
  std::string id;
};
// What is absent stays as it is.
struct UpdateHost {
  std::string id;
  std::optional<Labels> labels;
  std::optional<std::string> rack;  // empty: in none
  std::optional<Milliwatts> idle;
  std::optional<Milliwatts> peak;
  std::optional<bool> maintenance;
};
struct CreateGroup {
  std::string project;
  std::string id;
  std::vector<GroupRule> rules;
  Labels labels;
};
struct DeleteGroup {
  std::string project;
  std::string id;
};

struct GetSite {
  std::string id;
};
struct ListSites {
  PageRequest page;
};
struct GetZone {
  std::string id;
};
struct ListZones {
  std::string within;  // a site; empty: all
  PageRequest page;
};
struct GetFeed {
  std::string id;
};
struct ListFeeds {
  std::string within;  // a site; empty: all
  PageRequest page;
};
struct GetRack {
  std::string id;
};
struct ListRacks {
  std::string within;  // a site or a zone; empty: all
  PageRequest page;
};
struct GetGroup {
  std::string project;
  std::string id;
};
struct ListGroups {
  std::string project;  // "-": of all projects
  PageRequest page;
};

struct SiteView {
  Site site;
  int64_t zones = 0;
  int64_t racks = 0;
  int64_t hosts = 0;
  int64_t feeds = 0;
};
struct ZoneView {
  Zone zone;
  int64_t racks = 0;
  int64_t hosts = 0;
};
struct FeedView {
  Feed feed;
  int64_t racks = 0;
};
struct RackView {
  Rack rack;
  std::vector<std::string> feeds;  // their paths
  int64_t hosts = 0;
};
struct GroupMember {
  std::string instance_id;
  std::string host_id;
  friend bool operator==(const GroupMember&, const GroupMember&) = default;
};
struct GroupView {
  Group group;
  std::string project_id;
  int64_t count = 0;                 // of members
  std::vector<GroupMember> members;  // by id; empty but in the answer to GetGroup
};

}  // namespace stellwerk::controller

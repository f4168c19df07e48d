#include "api/server/topology_services.h"

namespace stellwerk::server {

using controller::Page;

Reactor* TopologyService::CreateSite(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::CreateSiteRequest, controller::SiteView>({context, request, response});
}

Reactor* TopologyService::GetSite(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::GetSiteRequest, controller::SiteView>({context, request, response});
}

Reactor* TopologyService::ListSites(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::ListSitesRequest, Page<controller::SiteView>>(
      {context, request, response});
}

Reactor* TopologyService::DeleteSite(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::DeleteSiteRequest, controller::SiteView>({context, request, response});
}

Reactor* TopologyService::CreateZone(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::CreateZoneRequest, controller::ZoneView>({context, request, response});
}

Reactor* TopologyService::GetZone(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::GetZoneRequest, controller::ZoneView>({context, request, response});
}

Reactor* TopologyService::ListZones(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::ListZonesRequest, Page<controller::ZoneView>>(
      {context, request, response});
}

Reactor* TopologyService::DeleteZone(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::DeleteZoneRequest, controller::ZoneView>({context, request, response});
}

Reactor* TopologyService::CreateFeed(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::CreateFeedRequest, controller::FeedView>({context, request, response});
}

Reactor* TopologyService::GetFeed(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::GetFeedRequest, controller::FeedView>({context, request, response});
}

Reactor* TopologyService::ListFeeds(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::ListFeedsRequest, Page<controller::FeedView>>(
      {context, request, response});
}

Reactor* TopologyService::UpdateFeed(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::UpdateFeedRequest, controller::FeedView>({context, request, response});
}

Reactor* TopologyService::DeleteFeed(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::DeleteFeedRequest, controller::FeedView>({context, request, response});
}

Reactor* TopologyService::CreateRack(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::CreateRackRequest, controller::RackView>({context, request, response});
}

Reactor* TopologyService::GetRack(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::GetRackRequest, controller::RackView>({context, request, response});
}

Reactor* TopologyService::ListRacks(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::ListRacksRequest, Page<controller::RackView>>(
      {context, request, response});
}

Reactor* TopologyService::UpdateRack(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::UpdateRackRequest, controller::RackView>({context, request, response});
}

Reactor* TopologyService::DeleteRack(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::DeleteRackRequest, controller::RackView>({context, request, response});
}

Reactor* GroupsService::CreateGroup(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::CreateGroupRequest, controller::GroupView>({context, request, response});
}

Reactor* GroupsService::GetGroup(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::GetGroupRequest, controller::GroupView>({context, request, response});
}

Reactor* GroupsService::ListGroups(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::ListGroupsRequest, Page<controller::GroupView>>(
      {context, request, response});
}

Reactor* GroupsService::DeleteGroup(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::DeleteGroupRequest, controller::GroupView>({context, request, response});
}

}  // namespace stellwerk::server

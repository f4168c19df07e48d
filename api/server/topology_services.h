// The services of where hosts stand and of groups; their methods are all unary.
#pragma once

#include "api/server/services.h"
#include "stellwerk/v1/groups.grpc.pb.h"
#include "stellwerk/v1/topology.grpc.pb.h"

namespace stellwerk::server {

template <class Base>
using RawSites = v1::Topology::WithRawCallbackMethod_CreateSite<
    v1::Topology::WithRawCallbackMethod_GetSite<v1::Topology::WithRawCallbackMethod_ListSites<
        v1::Topology::WithRawCallbackMethod_DeleteSite<Base>>>>;
template <class Base>
using RawZones = v1::Topology::WithRawCallbackMethod_CreateZone<
    v1::Topology::WithRawCallbackMethod_GetZone<v1::Topology::WithRawCallbackMethod_ListZones<
        v1::Topology::WithRawCallbackMethod_DeleteZone<Base>>>>;
template <class Base>
using RawFeeds = v1::Topology::WithRawCallbackMethod_CreateFeed<
    v1::Topology::WithRawCallbackMethod_GetFeed<v1::Topology::WithRawCallbackMethod_ListFeeds<
        v1::Topology::WithRawCallbackMethod_UpdateFeed<
            v1::Topology::WithRawCallbackMethod_DeleteFeed<Base>>>>>;
template <class Base>
using RawRacks = v1::Topology::WithRawCallbackMethod_CreateRack<
    v1::Topology::WithRawCallbackMethod_GetRack<v1::Topology::WithRawCallbackMethod_ListRacks<
        v1::Topology::WithRawCallbackMethod_UpdateRack<
            v1::Topology::WithRawCallbackMethod_DeleteRack<Base>>>>>;
using RawTopology = RawSites<RawZones<RawFeeds<RawRacks<v1::Topology::Service>>>>;

class TopologyService final : public RawTopology {
 public:
  explicit TopologyService(UnaryCalls& calls) : calls_(calls) {}
  Reactor* CreateSite(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* GetSite(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* ListSites(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* DeleteSite(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* CreateZone(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* GetZone(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* ListZones(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* DeleteZone(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* CreateFeed(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* GetFeed(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* ListFeeds(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* UpdateFeed(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* DeleteFeed(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* CreateRack(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* GetRack(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* ListRacks(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* UpdateRack(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* DeleteRack(Context* context, const Buffer* request, Buffer* response) override;

 private:
  UnaryCalls& calls_;
};

using RawGroups = v1::Groups::WithRawCallbackMethod_CreateGroup<
    v1::Groups::WithRawCallbackMethod_GetGroup<v1::Groups::WithRawCallbackMethod_ListGroups<
        v1::Groups::WithRawCallbackMethod_DeleteGroup<v1::Groups::Service>>>>;

class GroupsService final : public RawGroups {
 public:
  explicit GroupsService(UnaryCalls& calls) : calls_(calls) {}
  Reactor* CreateGroup(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* GetGroup(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* ListGroups(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* DeleteGroup(Context* context, const Buffer* request, Buffer* response) override;

 private:
  UnaryCalls& calls_;
};

}  // namespace stellwerk::server

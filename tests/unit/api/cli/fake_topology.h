// The services of sites, zones, racks, feeds and groups, as the fake daemon has them.
#pragma once

#include "fake_answers.h"

namespace stellwerk::test {

struct FakeTopology final : v1::Topology::Service {
  explicit FakeTopology(Script& s) : script(s) {}
  Script& script;

  Status CreateSite(ServerContext*, const v1::CreateSiteRequest* request,
                    v1::Site* response) override {
    if (Status begun = begin(script, "CreateSite", *request); !begun.ok()) return begun;
    *response = request->site();
    response->set_name("sites/" + request->site_id());
    return Status::OK;
  }
  Status GetSite(ServerContext*, const v1::GetSiteRequest* request, v1::Site* response) override {
    if (Status begun = begin(script, "GetSite", *request); !begun.ok()) return begun;
    return find(script, script.sites, request->name(), response);
  }
  Status ListSites(ServerContext*, const v1::ListSitesRequest* request,
                   v1::ListSitesResponse* response) override {
    if (Status begun = begin(script, "ListSites", *request); !begun.ok()) return begun;
    return list(script, *request, script.sites, response->mutable_next_page_token(),
                [&] { return response->add_sites(); });
  }
  Status DeleteSite(ServerContext*, const v1::DeleteSiteRequest* request,
                    v1::Site* response) override {
    if (Status begun = begin(script, "DeleteSite", *request); !begun.ok()) return begun;
    return find(script, script.sites, request->name(), response);
  }
  Status CreateZone(ServerContext*, const v1::CreateZoneRequest* request,
                    v1::Zone* response) override {
    if (Status begun = begin(script, "CreateZone", *request); !begun.ok()) return begun;
    *response = request->zone();
    response->set_name(request->parent() + "/zones/" + request->zone_id());
    return Status::OK;
  }
  Status GetZone(ServerContext*, const v1::GetZoneRequest* request, v1::Zone* response) override {
    if (Status begun = begin(script, "GetZone", *request); !begun.ok()) return begun;
    return find(script, script.zones, request->name(), response);
  }
  Status ListZones(ServerContext*, const v1::ListZonesRequest* request,
                   v1::ListZonesResponse* response) override {
    if (Status begun = begin(script, "ListZones", *request); !begun.ok()) return begun;
    return list(script, *request, script.zones, response->mutable_next_page_token(),
                [&] { return response->add_zones(); });
  }
  Status DeleteZone(ServerContext*, const v1::DeleteZoneRequest* request,
                    v1::Zone* response) override {
    if (Status begun = begin(script, "DeleteZone", *request); !begun.ok()) return begun;
    return find(script, script.zones, request->name(), response);
  }
  Status CreateFeed(ServerContext*, const v1::CreateFeedRequest* request,
                    v1::Feed* response) override {
    if (Status begun = begin(script, "CreateFeed", *request); !begun.ok()) return begun;
    *response = request->feed();
    response->set_name(request->parent() + "/feeds/" + request->feed_id());
    return Status::OK;
  }
  Status GetFeed(ServerContext*, const v1::GetFeedRequest* request, v1::Feed* response) override {
    if (Status begun = begin(script, "GetFeed", *request); !begun.ok()) return begun;
    return find(script, script.feeds, request->name(), response);
  }
  Status ListFeeds(ServerContext*, const v1::ListFeedsRequest* request,
                   v1::ListFeedsResponse* response) override {
    if (Status begun = begin(script, "ListFeeds", *request); !begun.ok()) return begun;
    return list(script, *request, script.feeds, response->mutable_next_page_token(),
                [&] { return response->add_feeds(); });
  }
  Status DeleteFeed(ServerContext*, const v1::DeleteFeedRequest* request,
                    v1::Feed* response) override {
    if (Status begun = begin(script, "DeleteFeed", *request); !begun.ok()) return begun;
    return find(script, script.feeds, request->name(), response);
  }
  Status UpdateFeed(ServerContext*, const v1::UpdateFeedRequest* request,
                    v1::Feed* response) override {
    if (Status begun = begin(script, "UpdateFeed", *request); !begun.ok()) return begun;
    return find(script, script.feeds, request->feed().name(), response);
  }
  Status CreateRack(ServerContext*, const v1::CreateRackRequest* request,
                    v1::Rack* response) override {
    if (Status begun = begin(script, "CreateRack", *request); !begun.ok()) return begun;
    *response = request->rack();
    response->set_name(request->parent() + "/racks/" + request->rack_id());
    return Status::OK;
  }
  Status GetRack(ServerContext*, const v1::GetRackRequest* request, v1::Rack* response) override {
    if (Status begun = begin(script, "GetRack", *request); !begun.ok()) return begun;
    return find(script, script.racks, request->name(), response);
  }
  Status ListRacks(ServerContext*, const v1::ListRacksRequest* request,
                   v1::ListRacksResponse* response) override {
    if (Status begun = begin(script, "ListRacks", *request); !begun.ok()) return begun;
    return list(script, *request, script.racks, response->mutable_next_page_token(),
                [&] { return response->add_racks(); });
  }
  Status DeleteRack(ServerContext*, const v1::DeleteRackRequest* request,
                    v1::Rack* response) override {
    if (Status begun = begin(script, "DeleteRack", *request); !begun.ok()) return begun;
    return find(script, script.racks, request->name(), response);
  }
  Status UpdateRack(ServerContext*, const v1::UpdateRackRequest* request,
                    v1::Rack* response) override {
    if (Status begun = begin(script, "UpdateRack", *request); !begun.ok()) return begun;
    return find(script, script.racks, request->rack().name(), response);
  }
};

struct FakeGroups final : v1::Groups::Service {
  explicit FakeGroups(Script& s) : script(s) {}
  Script& script;

  Status CreateGroup(ServerContext*, const v1::CreateGroupRequest* request,
                     v1::Group* response) override {
    if (Status begun = begin(script, "CreateGroup", *request); !begun.ok()) return begun;
    *response = request->group();
    response->set_name(request->parent() + "/groups/" + request->group_id());
    return Status::OK;
  }
  Status GetGroup(ServerContext*, const v1::GetGroupRequest* request,
                  v1::Group* response) override {
    if (Status begun = begin(script, "GetGroup", *request); !begun.ok()) return begun;
    return find(script, script.groups, request->name(), response);
  }
  Status ListGroups(ServerContext*, const v1::ListGroupsRequest* request,
                    v1::ListGroupsResponse* response) override {
    if (Status begun = begin(script, "ListGroups", *request); !begun.ok()) return begun;
    return list(script, *request, script.groups, response->mutable_next_page_token(),
                [&] { return response->add_groups(); });
  }
  Status DeleteGroup(ServerContext*, const v1::DeleteGroupRequest* request,
                     v1::Group* response) override {
    if (Status begun = begin(script, "DeleteGroup", *request); !begun.ok()) return begun;
    return find(script, script.groups, request->name(), response);
  }
};

}  // namespace stellwerk::test

// The services Topology and Groups, and updates of hosts: every call reaches the controller, and
// every answer the caller.
#include <gmock/gmock.h>

#include "stellwerk/v1/groups.grpc.pb.h"
#include "stellwerk/v1/hosts.grpc.pb.h"
#include "stellwerk/v1/topology.grpc.pb.h"
#include "test_server.h"

namespace stellwerk::server {
namespace {

using ::testing::UnorderedElementsAre;

class TopologyCalls : public ServerTest {
 protected:
  TopologyCalls() { start(); }
  // The name that comes back for an answer with `view`.
  template <class Service, class Response, class Method, class Request>
  std::string name_of(controller::Answer view, Method method, const Request& request) {
    gateway_.answer_with([&view](const controller::Request&) { return view; });
    Call call;
    Response response;
    const auto service = stub<Service>();
    const grpc::Status status = (service.get()->*method)(&call, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    if constexpr (requires { response.name(); }) {
      return response.name();
    } else {
      return response.next_page_token();
    }
  }
};

using Stub = v1::Topology::Stub;

TEST_F(TopologyCalls, OfRacks) {
  controller::RackView view;
  view.rack.id = "dc1/a/r07";
  const std::string name = "sites/dc1/zones/a/racks/r07";
  v1::CreateRackRequest create;
  create.set_parent("sites/dc1/zones/a");
  create.set_rack_id("r07");
  EXPECT_EQ((name_of<v1::Topology, v1::Rack>(view, &Stub::CreateRack, create)), name);
  EXPECT_EQ(gateway_.mutations<controller::CreateRack>().size(), 1u);
  v1::UpdateRackRequest update;
  update.mutable_rack()->set_name(name);
  update.mutable_rack()->set_power_limit_watts(8'000);
  EXPECT_EQ((name_of<v1::Topology, v1::Rack>(view, &Stub::UpdateRack, update)), name);
  EXPECT_EQ(gateway_.mutations<controller::UpdateRack>().size(), 1u);
  v1::GetRackRequest get;
  get.set_name(name);
  EXPECT_EQ((name_of<v1::Topology, v1::Rack>(view, &Stub::GetRack, get)), name);
  v1::DeleteRackRequest deletion;
  deletion.set_name(name);
  EXPECT_EQ((name_of<v1::Topology, v1::Rack>(view, &Stub::DeleteRack, deletion)), name);
  EXPECT_EQ(gateway_.mutations<controller::DeleteRack>().size(), 1u);
  v1::ListRacksRequest list;
  list.set_parent("sites/-/zones/-");
  const controller::Page<controller::RackView> page{.items = {view}, .next_token = "t"};
  EXPECT_EQ((name_of<v1::Topology, v1::ListRacksResponse>(page, &Stub::ListRacks, list)), "t");
}

TEST_F(TopologyCalls, OfSitesZonesAndFeeds) {
  controller::SiteView site;
  site.site.id = "dc1";
  v1::CreateSiteRequest make_site;
  make_site.set_site_id("dc1");
  EXPECT_EQ((name_of<v1::Topology, v1::Site>(site, &Stub::CreateSite, make_site)), "sites/dc1");
  controller::ZoneView zone;
  zone.zone.id = "dc1/a";
  v1::CreateZoneRequest make_zone;
  make_zone.set_parent("sites/dc1");
  make_zone.set_zone_id("a");
  EXPECT_EQ((name_of<v1::Topology, v1::Zone>(zone, &Stub::CreateZone, make_zone)),
            "sites/dc1/zones/a");
  controller::FeedView feed;
  feed.feed.id = "dc1/f1";
  v1::UpdateFeedRequest update;
  update.mutable_feed()->set_name("sites/dc1/feeds/f1");
  update.mutable_feed()->set_budget_watts(1);
  EXPECT_EQ((name_of<v1::Topology, v1::Feed>(feed, &Stub::UpdateFeed, update)),
            "sites/dc1/feeds/f1");
  v1::DeleteSiteRequest deletion;
  deletion.set_name("sites/dc1");
  EXPECT_EQ((name_of<v1::Topology, v1::Site>(site, &Stub::DeleteSite, deletion)), "sites/dc1");
}

TEST_F(TopologyCalls, TellEveryMistakeWithItsField) {
  Call call;
  v1::Rack response;
  v1::CreateRackRequest request;
  request.mutable_rack()->add_feeds("elsewhere");
  const grpc::Status status = stub<v1::Topology>()->CreateRack(&call, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(fields_of(status), UnorderedElementsAre("parent", "rack_id", "rack.feeds[0]"));
}

TEST_F(TopologyCalls, OfHostsAndGroups) {
  controller::HostView host;
  host.host.id = "node1";
  v1::UpdateHostRequest update;
  update.mutable_host()->set_name("hosts/node1");
  update.mutable_host()->set_maintenance(true);
  EXPECT_EQ((name_of<v1::Hosts, v1::Host>(host, &v1::Hosts::Stub::UpdateHost, update)),
            "hosts/node1");
  EXPECT_EQ(gateway_.mutations<controller::UpdateHost>().size(), 1u);
  controller::GroupView group{.group = {.id = "web"}, .project_id = "p", .count = 0, .members = {}};
  v1::CreateGroupRequest create;
  create.set_parent("projects/p");
  create.set_group_id("web");
  const std::string name = "projects/p/groups/web";
  using GroupsStub = v1::Groups::Stub;
  EXPECT_EQ((name_of<v1::Groups, v1::Group>(group, &GroupsStub::CreateGroup, create)), name);
  v1::GetGroupRequest get;
  get.set_name(name);
  EXPECT_EQ((name_of<v1::Groups, v1::Group>(group, &GroupsStub::GetGroup, get)), name);
  v1::DeleteGroupRequest deletion;
  deletion.set_name(name);
  EXPECT_EQ((name_of<v1::Groups, v1::Group>(group, &GroupsStub::DeleteGroup, deletion)), name);
  v1::ListGroupsRequest list;
  list.set_parent("projects/p");
  const controller::Page<controller::GroupView> page{.items = {group}, .next_token = "t"};
  EXPECT_EQ((name_of<v1::Groups, v1::ListGroupsResponse>(page, &GroupsStub::ListGroups, list)),
            "t");
}

}  // namespace
}  // namespace stellwerk::server

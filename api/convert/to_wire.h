// The controller's answers -> the API's messages. Pure functions.
#pragma once

#include "core/event.h"
#include "orchestrator/controller/requests.h"
#include "stellwerk/v1/events.pb.h"
#include "stellwerk/v1/flavors.pb.h"
#include "stellwerk/v1/groups.pb.h"
#include "stellwerk/v1/hosts.pb.h"
#include "stellwerk/v1/images.pb.h"
#include "stellwerk/v1/instances.pb.h"
#include "stellwerk/v1/networks.pb.h"
#include "stellwerk/v1/projects.pb.h"
#include "stellwerk/v1/topology.pb.h"

namespace stellwerk::convert {

v1::Instance to_wire(const controller::InstanceView& view);
v1::CreateInstancesResponse to_wire(const controller::InstancesView& view);
v1::ExplainPlacementResponse to_wire(const controller::PlacementView& view);
v1::Image to_wire(const controller::ImageView& view);
v1::Flavor to_wire(const Flavor& flavor);
v1::Host to_wire(const controller::HostView& view);
v1::Network to_wire(const controller::NetworkView& view);
v1::Project to_wire(const controller::ProjectView& view);
v1::Site to_wire(const controller::SiteView& view);
v1::Zone to_wire(const controller::ZoneView& view);
v1::Feed to_wire(const controller::FeedView& view);
v1::Rack to_wire(const controller::RackView& view);
v1::Group to_wire(const controller::GroupView& view);
v1::Event to_wire(const Event& event, Sequence sequence);

v1::ListInstancesResponse to_wire(const controller::Page<controller::InstanceView>& page);
v1::ListImagesResponse to_wire(const controller::Page<controller::ImageView>& page);
v1::ListFlavorsResponse to_wire(const controller::Page<Flavor>& page);
v1::ListHostsResponse to_wire(const controller::Page<controller::HostView>& page);
v1::ListNetworksResponse to_wire(const controller::Page<controller::NetworkView>& page);
v1::ListProjectsResponse to_wire(const controller::Page<controller::ProjectView>& page);
v1::ListSitesResponse to_wire(const controller::Page<controller::SiteView>& page);
v1::ListZonesResponse to_wire(const controller::Page<controller::ZoneView>& page);
v1::ListFeedsResponse to_wire(const controller::Page<controller::FeedView>& page);
v1::ListRacksResponse to_wire(const controller::Page<controller::RackView>& page);
v1::ListGroupsResponse to_wire(const controller::Page<controller::GroupView>& page);

}  // namespace stellwerk::convert

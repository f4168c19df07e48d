// The API's messages -> the controller's vocabulary. Pure functions.
//
// A mutation always comes out: its mistakes ride in the context, so that admission can add its own
// and report all at once; what could not be read is left empty. Fields that are output only are
// ignored, however they are set. A query with mistakes is refused here.
//
// An etag is what core's etag_of makes of a resource: digits and at most a dash.
#pragma once

#include <optional>
#include <string>

#include "api/convert/tokens.h"
#include "core/event.h"
#include "core/status.h"
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

struct Origin {
  std::string caller;  // for the audit log: "root", "uid 1000"
  RequestId fresh;     // taken if the caller gives no request_id
};

controller::Mutation to_mutation(const v1::CreateInstanceRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::CreateInstancesRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::StartInstanceRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::StopInstanceRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::RebootInstanceRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::ResetInstanceRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::UpdateInstanceRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::RenameInstanceRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::ResizeInstanceRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::DeleteInstanceRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::ImportImageFromUrlRequest& request,
                                 const Origin& origin);
controller::Mutation to_mutation(const v1::UpdateImageRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::DeleteImageRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::CreateFlavorRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::DeleteFlavorRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::CreateNetworkRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::DeleteNetworkRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::CreateProjectRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::UpdateProjectRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::DeleteProjectRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::CreateSiteRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::DeleteSiteRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::CreateZoneRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::DeleteZoneRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::CreateFeedRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::UpdateFeedRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::DeleteFeedRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::CreateRackRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::UpdateRackRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::DeleteRackRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::UpdateHostRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::CreateGroupRequest& request, const Origin& origin);
controller::Mutation to_mutation(const v1::DeleteGroupRequest& request, const Origin& origin);

struct Import {
  controller::Mutation begin;
  std::optional<Sha256> sha256;
  std::optional<Bytes> size;  // that will be sent
};
// Fields are named from within the spec ("image_id"): see nest_fields.
Import to_import(const v1::ImportImageRequest::Spec& spec, const Origin& origin);

absl::StatusOr<controller::Query> to_query(const v1::GetInstanceRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::ListInstancesRequest& request);
// Its mistakes ride along, as those of the booking itself would.
absl::StatusOr<controller::Query> to_query(const v1::ExplainPlacementRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::GetImageRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::ListImagesRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::GetFlavorRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::ListFlavorsRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::GetHostRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::ListHostsRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::GetNetworkRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::ListNetworksRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::GetProjectRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::ListProjectsRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::GetSiteRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::ListSitesRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::GetZoneRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::ListZonesRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::GetFeedRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::ListFeedsRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::GetRackRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::ListRacksRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::GetGroupRequest& request);
absl::StatusOr<controller::Query> to_query(const v1::ListGroupsRequest& request);

struct EventFilter {
  std::string project;   // empty: of all projects, and of what belongs to none
  std::string resource;  // full name; empty: of all
  bool matches(const Event& event) const;
};
struct EventListing {
  EventFilter filter;
  EventPlace place;  // zero: from the oldest record kept
  int64_t size = 0;
};
struct EventWatch {
  EventFilter filter;
  std::optional<Sequence> after;  // none: from now on
};
absl::StatusOr<EventListing> to_listing(const v1::ListEventsRequest& request, const CellUid& cell);
absl::StatusOr<EventWatch> to_watch(const v1::WatchEventsRequest& request, const CellUid& cell);

}  // namespace stellwerk::convert

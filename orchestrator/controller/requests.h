// The controller's vocabulary: what callers may ask and what they get. api/convert translates it
// to and from the wire. Values only.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/host_messages.h"
#include "core/model.h"
#include "core/status.h"
#include "orchestrator/controller/quota.h"
#include "orchestrator/controller/timeline.h"
#include "orchestrator/controller/topology_requests.h"
#include "placement/explain.h"

namespace stellwerk::controller {

// Who asks and how often: common to all mutations.
struct MutationContext {
  std::string caller;    // for the audit log
  RequestId request_id;  // made by the API server when the caller gave none
  Sha256 body{};         // of the request without its request_id
  std::string etag;      // empty: any
  // Mistakes found while reading the wire; admission adds its own and reports all at once.
  std::vector<FieldViolation> violations;
};

struct PortRequest {
  std::string network;               // an id, of the project's own or of the cell's
  std::vector<IpAddress> addresses;  // chosen ones; the rest is allocated
};
// Where it is to run, in the caller's names; see core's Wishes.
struct WishesRequest {
  std::string within;
  std::string host;
  std::vector<LabelMatch> required_labels;
  std::vector<LabelMatch> forbidden_labels;
  std::string cpu_baseline;
  std::string preferred_site;
};
struct CreateInstance {
  std::string project;
  std::string id;
  std::string flavor;
  std::string image;          // id of an image
  std::string image_project;  // whose image, if it is another's: a public one; empty: the same
  std::optional<Bytes> boot_disk;
  std::vector<PortRequest> ports;
  std::vector<std::string> ssh_keys;
  std::string user_data;
  Labels labels;
  std::vector<IngressRule> ingress;
  RestartPolicy restart_policy = RestartPolicy::kOnFailure;
  DesiredState desired = DesiredState::kRunning;  // or kStopped: only reserve
  bool delete_protection = false;
  std::string group;  // id of one of the project's; empty: none
  WishesRequest wishes;
  bool failover = false;
};
inline constexpr int64_t kMostBooked = 100;  // by one request
// As many of that, placed together, called by the id and a number: all of them or none.
struct CreateInstances : CreateInstance {
  int64_t count = 1;
};
struct StartInstance {
  std::string project;
  std::string id;
};
struct StopInstance {
  std::string project;
  std::string id;
  bool hard = false;  // without asking the guest
};
struct RebootInstance {
  std::string project;
  std::string id;
  bool hard = false;  // a power cycle
};
// Presses the button of a running guest; of one that has failed, forgets that and tries at once.
struct ResetInstance {
  std::string project;
  std::string id;
};
// What is absent stays as it is.
struct UpdateInstance {
  std::string project;
  std::string id;
  std::optional<Labels> labels;
  std::optional<RestartPolicy> restart_policy;
  std::optional<DesiredState> desired;  // running or stopped
  std::optional<std::string> user_data;
  std::optional<bool> delete_protection;
  std::optional<std::vector<IngressRule>> ingress;
};
struct RenameInstance {
  std::string project;
  std::string id;
  std::string new_id;
};
struct ResizeInstance {
  std::string project;
  std::string id;
  std::string flavor;
  std::optional<Bytes> boot_disk;  // none: as the flavor says, or as it is
};
struct DeleteInstance {
  std::string project;
  std::string id;
};

// An import is two mutations: the first takes the name and answers with the uid under which the
// bytes are stored; the second, with the same context, makes the image active or gives it up.
struct BeginImageImport {
  std::string project;
  std::string id;
  Firmware firmware = Firmware::kBios;
  Bytes minimum_disk;
  Bytes minimum_memory;
  Labels labels;
  bool is_public = false;
  Labels properties;
};
// The daemon fetches the bytes itself: answers at once with an image that is importing.
struct ImportImageFromUrl {
  BeginImageImport image;
  ImageSource source;
};
// What is absent stays as it is.
struct UpdateImage {
  std::string project;
  std::string id;
  std::optional<Labels> labels;
  std::optional<Labels> properties;
  std::optional<bool> is_public;
  std::optional<Bytes> minimum_disk;
  std::optional<Bytes> minimum_memory;
};
struct ImportedContent {
  ImageFormat format = ImageFormat::kRaw;
  Bytes file_size;
  Bytes virtual_size;
  Sha256 sha256{};
};
struct FinishImageImport {
  ImageUid image;
  absl::StatusOr<ImportedContent> content;  // an error gives the import up
  bool files_gone = false;                  // with an error: nothing of the image is stored
};
struct DeleteImage {
  std::string project;
  std::string id;
};

struct CreateFlavor {
  std::string id;
  // Taken from the name when it begins with "SCS-"; a contradiction is a mistake.
  std::optional<CpuClass> cpu_class;
  std::optional<VcpuCount> vcpus;
  std::optional<Bytes> memory;
  std::optional<FlavorDisks> disks;
};
struct DeleteFlavor {
  std::string id;
};
// A network of a project: at least one of the subnets.
struct CreateNetwork {
  std::string project;
  std::string id;
  std::string bridge;  // an existing one on the host, used as it is; empty: one of its own
  std::optional<IpPrefix> v4;
  std::optional<IpPrefix> v6;
  // The host's address in each subnet, through which guests leave; isolated networks have none.
  std::vector<IpAddress> gateways;
  bool isolated = false;
  std::vector<IpAddress> dns_servers;
  std::vector<Route> routes;
  int64_t mtu = kEthernetMtu;
  Labels labels;
};
struct DeleteNetwork {
  std::string project;
  std::string id;
};
struct CreateProject {
  std::string id;
  Labels labels;
  ProjectLimits limits;
};
struct UpdateProject {
  std::string id;
  std::optional<Labels> labels;
  // The limits that are meant; those of them that `values` does not have are lifted.
  std::set<Limit> limits;
  ProjectLimits values;
};
struct DeleteProject {
  std::string id;
};

using MutationBody =
    std::variant<CreateInstance, CreateInstances, StartInstance, StopInstance, RebootInstance,
                 ResetInstance, UpdateInstance, RenameInstance, ResizeInstance, DeleteInstance,
                 BeginImageImport, FinishImageImport, DeleteImage, ImportImageFromUrl, UpdateImage,
                 CreateFlavor, DeleteFlavor, CreateNetwork, DeleteNetwork, CreateProject,
                 UpdateProject, DeleteProject, CreateSite, DeleteSite, CreateZone, DeleteZone,
                 CreateFeed, UpdateFeed, DeleteFeed, CreateRack, UpdateRack, DeleteRack, UpdateHost,
                 CreateGroup, DeleteGroup>;
struct Mutation {
  MutationContext context;
  MutationBody body;
};

// Reads.
struct GetInstance {
  std::string project;
  std::string id;
  std::optional<InstanceUid> uid = std::nullopt;  // this one, whatever it is called by now
};
struct ListInstances {
  std::string project;  // "-": of all projects
  PageRequest page;
  Labels labels;  // only those that have all of these
};
struct GetImage {
  std::string project;
  std::string id;
};
struct ListImages {
  std::string project;
  PageRequest page;
  bool public_too = false;  // the public images of other projects, too
};
struct GetNetwork {
  std::string project;
  std::string id;
};
struct ListNetworks {
  std::string project;
  PageRequest page;
};
struct GetFlavor {
  std::string id;
};
struct ListFlavors {
  PageRequest page;
};
struct GetHost {
  std::string id;
};
struct ListHosts {
  PageRequest page;
};
struct GetProject {
  std::string id;
};
struct ListProjects {
  PageRequest page;
};
// What a booking would meet now. Of a placement alone: names may be taken.
struct ExplainPlacement {
  CreateInstances booking;
  std::vector<FieldViolation> violations;  // found while reading the wire
  bool to_operator = false;                // who may know of hosts
};
// Of the whole cell, for whoever watches over it.
struct SummarizeCell {};
using Query =
    std::variant<GetInstance, ListInstances, GetImage, ListImages, GetNetwork, ListNetworks,
                 GetFlavor, ListFlavors, GetHost, ListHosts, GetProject, ListProjects, GetSite,
                 ListSites, GetZone, ListZones, GetFeed, ListFeeds, GetRack, ListRacks, GetGroup,
                 ListGroups, ExplainPlacement, SummarizeCell>;

using Request = std::variant<Mutation, Query>;

// Answers.
struct PortView {
  std::string network_id;
  uint64_t mac = 0;
  std::vector<IpAddress> addresses;
};
struct InstanceView {
  Instance instance;
  std::string project_id;
  std::string host_id;
  std::vector<PortView> ports;
  Observed observed;
  std::string image_project_id;
  std::vector<TimelineEntry> timeline;  // oldest first; empty but in the answer to GetInstance
  std::string group_id;
  std::string wished_host_id;
  std::string backup_host_id;
};
// In the order of their numbers.
struct InstancesView {
  std::vector<InstanceView> instances;
};
// Where hosts are nobody's to know, all that names or counts them is empty.
struct PlacementView {
  placement::Explanation explanation;
};
struct ProjectView {
  Project project;
  ProjectUse use;
};
// How far an import is; soft state.
struct ImportProgress {
  Bytes received;
  std::optional<Bytes> expected;
  friend bool operator==(const ImportProgress&, const ImportProgress&) = default;
};
using ImportsProgress = std::map<ImageUid, ImportProgress>;
struct ImageView {
  Image image;
  std::string project_id;
  ImportProgress progress;
};
struct NetworkView {
  Network network;
  std::string project_id;  // of the caller who sees it, where it is the cell's own
  int64_t ports = 0;
};
struct HostView {
  Host host;
  std::string rack_id;     // its path; empty: not known
  bool connected = false;  // its agent is heard and has told what runs there: it takes guests
  Bytes memory_used;       // sums over claims
  Bytes disk_used;
  std::map<CpuClass, VcpuCount> vcpus_used;
  int64_t instances = 0;
  ForeignUse foreign;
  std::vector<OrphanReport> orphans;
  Bytes disk_available;  // as the host last measured it
  // Hardware threads, ascending; none where the topology is not known.
  std::vector<int32_t> dedicated_cpus;
  std::vector<int32_t> shared_cpus;
  VcpuCount unpinned;  // of dedicated classes, by claims that name no threads
};

struct CellSummary {
  std::map<Phase, int64_t> instances;  // as observed; phases without any may be missing
  std::vector<HostView> hosts;         // ordered by id
  int64_t projects = 0;
  int64_t images = 0;
  int64_t log_records = 0;
  int64_t unreadable_records = 0;
};

template <class Item>
struct Page {
  std::vector<Item> items;
  std::string next_token;  // empty: that was all
};

// Mutations answer with the resource as it is then; a deletion with its last state.
using Answer =
    std::variant<InstanceView, InstancesView, PlacementView, ImageView, NetworkView, Flavor,
                 HostView, ProjectView, SiteView, ZoneView, FeedView, RackView, GroupView,
                 Page<SiteView>, Page<ZoneView>, Page<FeedView>, Page<RackView>, Page<GroupView>,
                 Page<InstanceView>, Page<ImageView>, Page<NetworkView>, Page<Flavor>,
                 Page<HostView>, Page<ProjectView>, CellSummary>;

}  // namespace stellwerk::controller

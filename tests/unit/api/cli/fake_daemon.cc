#include "fake_daemon.h"

#include "fake_topology.h"

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>

namespace stellwerk::test {
struct FakeInstances final : v1::Instances::Service {
  explicit FakeInstances(Script& s) : script(s) {}
  Script& script;

  Status answer(v1::Instance* response) {
    const std::lock_guard lock(script.mutex);
    *response = script.mutation_answer;
    return Status::OK;
  }
  Status CreateInstance(ServerContext*, const v1::CreateInstanceRequest* request,
                        v1::Instance* response) override {
    if (Status begun = begin(script, "CreateInstance", *request); !begun.ok()) return begun;
    return answer(response);
  }
  Status CreateInstances(ServerContext*, const v1::CreateInstancesRequest* request,
                         v1::CreateInstancesResponse* response) override {
    if (Status begun = begin(script, "CreateInstances", *request); !begun.ok()) return begun;
    const std::lock_guard lock(script.mutex);
    for (const v1::Instance& instance : script.instances) *response->add_instances() = instance;
    return Status::OK;
  }
  Status ExplainPlacement(ServerContext*, const v1::ExplainPlacementRequest* request,
                          v1::ExplainPlacementResponse* response) override {
    if (Status begun = begin(script, "ExplainPlacement", *request); !begun.ok()) return begun;
    const std::lock_guard lock(script.mutex);
    *response = script.explanation;
    return Status::OK;
  }
  Status StartInstance(ServerContext*, const v1::StartInstanceRequest* request,
                       v1::Instance* response) override {
    if (Status begun = begin(script, "StartInstance", *request); !begun.ok()) return begun;
    return answer(response);
  }
  Status StopInstance(ServerContext*, const v1::StopInstanceRequest* request,
                      v1::Instance* response) override {
    if (Status begun = begin(script, "StopInstance", *request); !begun.ok()) return begun;
    return answer(response);
  }
  Status RebootInstance(ServerContext*, const v1::RebootInstanceRequest* request,
                        v1::Instance* response) override {
    if (Status begun = begin(script, "RebootInstance", *request); !begun.ok()) return begun;
    return answer(response);
  }
  Status ResetInstance(ServerContext*, const v1::ResetInstanceRequest* request,
                       v1::Instance* response) override {
    if (Status begun = begin(script, "ResetInstance", *request); !begun.ok()) return begun;
    return answer(response);
  }
  Status UpdateInstance(ServerContext*, const v1::UpdateInstanceRequest* request,
                        v1::Instance* response) override {
    if (Status begun = begin(script, "UpdateInstance", *request); !begun.ok()) return begun;
    return answer(response);
  }
  Status RenameInstance(ServerContext*, const v1::RenameInstanceRequest* request,
                        v1::Instance* response) override {
    if (Status begun = begin(script, "RenameInstance", *request); !begun.ok()) return begun;
    return answer(response);
  }
  Status ResizeInstance(ServerContext*, const v1::ResizeInstanceRequest* request,
                        v1::Instance* response) override {
    if (Status begun = begin(script, "ResizeInstance", *request); !begun.ok()) return begun;
    return answer(response);
  }
  Status DeleteInstance(ServerContext*, const v1::DeleteInstanceRequest* request,
                        v1::Instance* response) override {
    if (Status begun = begin(script, "DeleteInstance", *request); !begun.ok()) return begun;
    return answer(response);
  }
  Status GetInstance(ServerContext*, const v1::GetInstanceRequest* request,
                     v1::Instance* response) override {
    if (Status begun = begin(script, "GetInstance", *request); !begun.ok()) return begun;
    const std::lock_guard lock(script.mutex);
    if (script.get_answers.empty()) {
      return failure(grpc::StatusCode::NOT_FOUND, request->name() + " does not exist", "NOT_FOUND");
    }
    *response = script.get_answers.front();
    if (script.get_answers.size() > 1) script.get_answers.pop_front();
    // An instance without a name stands for its deletion.
    if (response->name().empty()) {
      return failure(grpc::StatusCode::NOT_FOUND, request->name() + " does not exist", "NOT_FOUND");
    }
    return Status::OK;
  }
  Status ListInstances(ServerContext*, const v1::ListInstancesRequest* request,
                       v1::ListInstancesResponse* response) override {
    if (Status begun = begin(script, "ListInstances", *request); !begun.ok()) return begun;
    return list(script, *request, script.instances, response->mutable_next_page_token(),
                [&] { return response->add_instances(); });
  }
};

struct FakeImages final : v1::Images::Service {
  explicit FakeImages(Script& s) : script(s) {}
  Script& script;

  Status ImportImage(ServerContext* context, grpc::ServerReader<v1::ImportImageRequest>* reader,
                     v1::Image* response) override {
    v1::ImportImageRequest part;
    if (!reader->Read(&part)) return Status(grpc::StatusCode::INVALID_ARGUMENT, "no spec");
    if (const Status begun = begin(script, "ImportImage", part.spec()); !begun.ok()) return begun;
    std::string bytes;
    size_t largest = 0;
    while (reader->Read(&part)) {
      bytes += part.chunk();
      largest = std::max(largest, part.chunk().size());
    }
    const std::lock_guard lock(script.mutex);
    script.imported = std::move(bytes);
    script.largest_chunk = largest;
    script.import_cancelled = context->IsCancelled();
    script.changed.notify_all();
    *response = script.images.empty() ? v1::Image() : script.images.front();
    return Status::OK;
  }
  // The last one stays.
  bool next_answer(v1::Image* response) {
    const std::lock_guard lock(script.mutex);
    if (script.image_answers.empty()) return false;
    *response = script.image_answers.front();
    if (script.image_answers.size() > 1) script.image_answers.pop_front();
    return true;
  }
  Status ImportImageFromUrl(ServerContext*, const v1::ImportImageFromUrlRequest* request,
                            v1::Image* response) override {
    if (Status begun = begin(script, "ImportImageFromUrl", *request); !begun.ok()) return begun;
    next_answer(response);
    return Status::OK;
  }
  Status UpdateImage(ServerContext*, const v1::UpdateImageRequest* request,
                     v1::Image* response) override {
    if (Status begun = begin(script, "UpdateImage", *request); !begun.ok()) return begun;
    return find(script, script.images, request->image().name(), response);
  }
  Status GetImage(ServerContext*, const v1::GetImageRequest* request,
                  v1::Image* response) override {
    if (Status begun = begin(script, "GetImage", *request); !begun.ok()) return begun;
    if (next_answer(response)) return Status::OK;
    return find(script, script.images, request->name(), response);
  }
  Status ListImages(ServerContext*, const v1::ListImagesRequest* request,
                    v1::ListImagesResponse* response) override {
    if (Status begun = begin(script, "ListImages", *request); !begun.ok()) return begun;
    return list(script, *request, script.images, response->mutable_next_page_token(),
                [&] { return response->add_images(); });
  }
  Status DeleteImage(ServerContext*, const v1::DeleteImageRequest* request,
                     v1::Image* response) override {
    if (Status begun = begin(script, "DeleteImage", *request); !begun.ok()) return begun;
    return find(script, script.images, request->name(), response);
  }
};

struct FakeFlavors final : v1::Flavors::Service {
  explicit FakeFlavors(Script& s) : script(s) {}
  Script& script;

  Status CreateFlavor(ServerContext*, const v1::CreateFlavorRequest* request,
                      v1::Flavor* response) override {
    if (Status begun = begin(script, "CreateFlavor", *request); !begun.ok()) return begun;
    *response = request->flavor();
    response->set_name("flavors/" + request->flavor_id());
    return Status::OK;
  }
  Status GetFlavor(ServerContext*, const v1::GetFlavorRequest* request,
                   v1::Flavor* response) override {
    if (Status begun = begin(script, "GetFlavor", *request); !begun.ok()) return begun;
    return find(script, script.flavors, request->name(), response);
  }
  Status ListFlavors(ServerContext*, const v1::ListFlavorsRequest* request,
                     v1::ListFlavorsResponse* response) override {
    if (Status begun = begin(script, "ListFlavors", *request); !begun.ok()) return begun;
    return list(script, *request, script.flavors, response->mutable_next_page_token(),
                [&] { return response->add_flavors(); });
  }
  Status DeleteFlavor(ServerContext*, const v1::DeleteFlavorRequest* request,
                      v1::Flavor* response) override {
    if (Status begun = begin(script, "DeleteFlavor", *request); !begun.ok()) return begun;
    return find(script, script.flavors, request->name(), response);
  }
};

struct FakeHosts final : v1::Hosts::Service {
  explicit FakeHosts(Script& s) : script(s) {}
  Script& script;

  Status GetHost(ServerContext*, const v1::GetHostRequest* request, v1::Host* response) override {
    if (Status begun = begin(script, "GetHost", *request); !begun.ok()) return begun;
    return find(script, script.hosts, request->name(), response);
  }
  Status ListHosts(ServerContext*, const v1::ListHostsRequest* request,
                   v1::ListHostsResponse* response) override {
    if (Status begun = begin(script, "ListHosts", *request); !begun.ok()) return begun;
    return list(script, *request, script.hosts, response->mutable_next_page_token(),
                [&] { return response->add_hosts(); });
  }
  Status UpdateHost(ServerContext*, const v1::UpdateHostRequest* request,
                    v1::Host* response) override {
    if (Status begun = begin(script, "UpdateHost", *request); !begun.ok()) return begun;
    return find(script, script.hosts, request->host().name(), response);
  }
};

struct FakeNetworks final : v1::Networks::Service {
  explicit FakeNetworks(Script& s) : script(s) {}
  Script& script;

  Status CreateNetwork(ServerContext*, const v1::CreateNetworkRequest* request,
                       v1::Network* response) override {
    if (Status begun = begin(script, "CreateNetwork", *request); !begun.ok()) return begun;
    *response = request->network();
    response->set_name(request->parent() + "/networks/" + request->network_id());
    return Status::OK;
  }
  Status GetNetwork(ServerContext*, const v1::GetNetworkRequest* request,
                    v1::Network* response) override {
    if (Status begun = begin(script, "GetNetwork", *request); !begun.ok()) return begun;
    return find(script, script.networks, request->name(), response);
  }
  Status ListNetworks(ServerContext*, const v1::ListNetworksRequest* request,
                      v1::ListNetworksResponse* response) override {
    if (Status begun = begin(script, "ListNetworks", *request); !begun.ok()) return begun;
    return list(script, *request, script.networks, response->mutable_next_page_token(),
                [&] { return response->add_networks(); });
  }
  Status DeleteNetwork(ServerContext*, const v1::DeleteNetworkRequest* request,
                       v1::Network* response) override {
    if (Status begun = begin(script, "DeleteNetwork", *request); !begun.ok()) return begun;
    return find(script, script.networks, request->name(), response);
  }
};

struct FakeProjects final : v1::Projects::Service {
  explicit FakeProjects(Script& s) : script(s) {}
  Script& script;

  Status CreateProject(ServerContext*, const v1::CreateProjectRequest* request,
                       v1::Project* response) override {
    if (Status begun = begin(script, "CreateProject", *request); !begun.ok()) return begun;
    *response = request->project();
    response->set_name("projects/" + request->project_id());
    return Status::OK;
  }
  Status UpdateProject(ServerContext*, const v1::UpdateProjectRequest* request,
                       v1::Project* response) override {
    if (Status begun = begin(script, "UpdateProject", *request); !begun.ok()) return begun;
    return find(script, script.projects, request->project().name(), response);
  }
  Status GetProject(ServerContext*, const v1::GetProjectRequest* request,
                    v1::Project* response) override {
    if (Status begun = begin(script, "GetProject", *request); !begun.ok()) return begun;
    return find(script, script.projects, request->name(), response);
  }
  Status ListProjects(ServerContext*, const v1::ListProjectsRequest* request,
                      v1::ListProjectsResponse* response) override {
    if (Status begun = begin(script, "ListProjects", *request); !begun.ok()) return begun;
    return list(script, *request, script.projects, response->mutable_next_page_token(),
                [&] { return response->add_projects(); });
  }
  Status DeleteProject(ServerContext*, const v1::DeleteProjectRequest* request,
                       v1::Project* response) override {
    if (Status begun = begin(script, "DeleteProject", *request); !begun.ok()) return begun;
    return find(script, script.projects, request->name(), response);
  }
};

struct FakeEvents final : v1::Events::Service {
  explicit FakeEvents(Script& s) : script(s) {}
  Script& script;
  std::atomic<bool> stopping = false;

  Status ListEvents(ServerContext*, const v1::ListEventsRequest* request,
                    v1::ListEventsResponse* response) override {
    if (Status begun = begin(script, "ListEvents", *request); !begun.ok()) return begun;
    return list(script, *request, script.events, response->mutable_next_page_token(),
                [&] { return response->add_events(); });
  }
  Status WatchEvents(ServerContext* context, const v1::WatchEventsRequest* request,
                     grpc::ServerWriter<v1::WatchEventsResponse>* writer) override {
    if (Status begun = begin(script, "WatchEvents", *request); !begun.ok()) return begun;
    std::unique_lock lock(script.mutex);
    if (!script.watch_refusal.ok()) return script.watch_refusal;
    if (!script.watch_end.ok()) return std::exchange(script.watch_end, Status::OK);
    while (!context->IsCancelled() && !stopping) {
      if (script.watch.empty()) {
        script.changed.wait_for(lock, std::chrono::milliseconds(20));
        continue;
      }
      writer->Write(script.watch.front());
      script.watch.pop_front();
      script.changed.notify_all();
    }
    return Status(grpc::StatusCode::UNAVAILABLE, "the daemon stops");
  }
};

struct FakeDaemon::Services {
  explicit Services(Script& script)
      : instances(script),
        images(script),
        flavors(script),
        hosts(script),
        networks(script),
        projects(script),
        events(script),
        topology(script),
        groups(script) {}
  FakeInstances instances;
  FakeImages images;
  FakeFlavors flavors;
  FakeHosts hosts;
  FakeNetworks networks;
  FakeProjects projects;
  FakeEvents events;
  FakeTopology topology;
  FakeGroups groups;
};

FakeDaemon::FakeDaemon() {
  std::string path = (std::filesystem::temp_directory_path() / "stellwerk-cli-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) std::abort();
  directory_ = path;
  start();
}

FakeDaemon::~FakeDaemon() {
  stop();
  std::filesystem::remove_all(directory_);
}

void FakeDaemon::start() {
  services_ = std::make_unique<Services>(script_);
  grpc::ServerBuilder builder;
  // A URI: the path's odd characters are percent-encoded.
  builder.AddListeningPort("unix://" + (directory_ / "a%25b%20d.sock").string(),
                           grpc::InsecureServerCredentials());
  builder.RegisterService(&services_->instances);
  builder.RegisterService(&services_->images);
  builder.RegisterService(&services_->flavors);
  builder.RegisterService(&services_->hosts);
  builder.RegisterService(&services_->networks);
  builder.RegisterService(&services_->projects);
  builder.RegisterService(&services_->events);
  builder.RegisterService(&services_->topology);
  builder.RegisterService(&services_->groups);
  server_ = builder.BuildAndStart();
  if (!server_) std::abort();
}

void FakeDaemon::stop() {
  if (!server_) return;
  services_->events.stopping = true;
  server_->Shutdown(std::chrono::system_clock::time_point());
  server_.reset();
  services_.reset();
}

std::vector<Call> FakeDaemon::calls() {
  const std::lock_guard lock(script_.mutex);
  std::vector<Call> calls;
  for (const Call& call : script_.calls) {
    if (call.method != "WatchEvents") calls.push_back(call);
  }
  return calls;
}

bool FakeDaemon::wait_until(const std::function<bool(Script&)>& condition) {
  std::unique_lock lock(script_.mutex);
  return script_.changed.wait_for(lock, std::chrono::seconds(10),
                                  [&] { return condition(script_); });
}

grpc::Status failure(grpc::StatusCode code, const std::string& message, const std::string& reason,
                     const std::vector<Violation>& violations) {
  google::rpc::Status rich;
  rich.set_code(code);
  rich.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("stellwerk");
  rich.add_details()->PackFrom(info);
  if (!violations.empty()) {
    google::rpc::BadRequest bad_request;
    for (const Violation& violation : violations) {
      auto* added = bad_request.add_field_violations();
      added->set_field(violation.field);
      added->set_description(violation.description);
    }
    rich.add_details()->PackFrom(bad_request);
  }
  return grpc::Status(code, message, rich.SerializeAsString());
}

}  // namespace stellwerk::test

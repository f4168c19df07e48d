#include "api/server/services.h"

namespace stellwerk::server {

using controller::HostView;
using controller::InstanceView;
using controller::NetworkView;
using controller::Page;
using controller::ProjectView;

Reactor* InstancesService::CreateInstance(Context* context, const Buffer* request,
                                          Buffer* response) {
  return calls_.mutate<v1::CreateInstanceRequest, InstanceView>({context, request, response});
}

Reactor* InstancesService::CreateInstances(Context* context, const Buffer* request,
                                           Buffer* response) {
  return calls_.mutate<v1::CreateInstancesRequest, controller::InstancesView>(
      {context, request, response});
}

Reactor* InstancesService::ExplainPlacement(Context* context, const Buffer* request,
                                            Buffer* response) {
  return calls_.query<v1::ExplainPlacementRequest, controller::PlacementView>(
      {context, request, response});
}

Reactor* InstancesService::GetInstance(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::GetInstanceRequest, InstanceView>({context, request, response});
}

Reactor* InstancesService::ListInstances(Context* context, const Buffer* request,
                                         Buffer* response) {
  return calls_.query<v1::ListInstancesRequest, Page<InstanceView>>({context, request, response});
}

Reactor* InstancesService::StartInstance(Context* context, const Buffer* request,
                                         Buffer* response) {
  return calls_.mutate<v1::StartInstanceRequest, InstanceView>({context, request, response});
}

Reactor* InstancesService::StopInstance(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::StopInstanceRequest, InstanceView>({context, request, response});
}

Reactor* InstancesService::RebootInstance(Context* context, const Buffer* request,
                                          Buffer* response) {
  return calls_.mutate<v1::RebootInstanceRequest, InstanceView>({context, request, response});
}

Reactor* InstancesService::ResetInstance(Context* context, const Buffer* request,
                                         Buffer* response) {
  return calls_.mutate<v1::ResetInstanceRequest, InstanceView>({context, request, response});
}

Reactor* InstancesService::UpdateInstance(Context* context, const Buffer* request,
                                          Buffer* response) {
  return calls_.mutate<v1::UpdateInstanceRequest, InstanceView>({context, request, response});
}

Reactor* InstancesService::RenameInstance(Context* context, const Buffer* request,
                                          Buffer* response) {
  return calls_.mutate<v1::RenameInstanceRequest, InstanceView>({context, request, response});
}

Reactor* InstancesService::ResizeInstance(Context* context, const Buffer* request,
                                          Buffer* response) {
  return calls_.mutate<v1::ResizeInstanceRequest, InstanceView>({context, request, response});
}

Reactor* InstancesService::DeleteInstance(Context* context, const Buffer* request,
                                          Buffer* response) {
  return calls_.mutate<v1::DeleteInstanceRequest, InstanceView>({context, request, response});
}

Reactor* FlavorsService::CreateFlavor(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::CreateFlavorRequest, Flavor>({context, request, response});
}

Reactor* FlavorsService::GetFlavor(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::GetFlavorRequest, Flavor>({context, request, response});
}

Reactor* FlavorsService::ListFlavors(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::ListFlavorsRequest, Page<Flavor>>({context, request, response});
}

Reactor* FlavorsService::DeleteFlavor(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::DeleteFlavorRequest, Flavor>({context, request, response});
}

Reactor* NetworksService::CreateNetwork(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::CreateNetworkRequest, NetworkView>({context, request, response});
}

Reactor* NetworksService::GetNetwork(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::GetNetworkRequest, NetworkView>({context, request, response});
}

Reactor* NetworksService::ListNetworks(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::ListNetworksRequest, Page<NetworkView>>({context, request, response});
}

Reactor* NetworksService::DeleteNetwork(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::DeleteNetworkRequest, NetworkView>({context, request, response});
}

Reactor* HostsService::GetHost(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::GetHostRequest, HostView>({context, request, response});
}

Reactor* HostsService::ListHosts(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::ListHostsRequest, Page<HostView>>({context, request, response});
}

Reactor* HostsService::UpdateHost(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::UpdateHostRequest, HostView>({context, request, response});
}

Reactor* ProjectsService::CreateProject(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::CreateProjectRequest, ProjectView>({context, request, response});
}

Reactor* ProjectsService::GetProject(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::GetProjectRequest, ProjectView>({context, request, response});
}

Reactor* ProjectsService::ListProjects(Context* context, const Buffer* request, Buffer* response) {
  return calls_.query<v1::ListProjectsRequest, Page<ProjectView>>({context, request, response});
}

Reactor* ProjectsService::UpdateProject(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::UpdateProjectRequest, ProjectView>({context, request, response});
}

Reactor* ProjectsService::DeleteProject(Context* context, const Buffer* request, Buffer* response) {
  return calls_.mutate<v1::DeleteProjectRequest, ProjectView>({context, request, response});
}

}  // namespace stellwerk::server

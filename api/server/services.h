// The services whose methods are all unary: instances, networks, flavors, hosts, projects.
#pragma once

#include "api/server/unary.h"
#include "stellwerk/v1/flavors.grpc.pb.h"
#include "stellwerk/v1/hosts.grpc.pb.h"
#include "stellwerk/v1/instances.grpc.pb.h"
#include "stellwerk/v1/networks.grpc.pb.h"
#include "stellwerk/v1/projects.grpc.pb.h"

namespace stellwerk::server {

using Reactor = grpc::ServerUnaryReactor;
using Context = grpc::CallbackServerContext;
using Buffer = grpc::ByteBuffer;

using RawBookings = v1::Instances::WithRawCallbackMethod_CreateInstances<
    v1::Instances::WithRawCallbackMethod_ExplainPlacement<v1::Instances::Service>>;
using RawInstances = v1::Instances::WithRawCallbackMethod_CreateInstance<
    v1::Instances::WithRawCallbackMethod_GetInstance<
        v1::Instances::WithRawCallbackMethod_ListInstances<
            v1::Instances::WithRawCallbackMethod_StartInstance<
                v1::Instances::WithRawCallbackMethod_StopInstance<
                    v1::Instances::WithRawCallbackMethod_RebootInstance<
                        v1::Instances::WithRawCallbackMethod_ResetInstance<
                            v1::Instances::WithRawCallbackMethod_UpdateInstance<
                                v1::Instances::WithRawCallbackMethod_RenameInstance<
                                    v1::Instances::WithRawCallbackMethod_ResizeInstance<
                                        v1::Instances::WithRawCallbackMethod_DeleteInstance<
                                            RawBookings>>>>>>>>>>>;

class InstancesService final : public RawInstances {
 public:
  explicit InstancesService(UnaryCalls& calls) : calls_(calls) {}
  Reactor* CreateInstance(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* CreateInstances(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* ExplainPlacement(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* GetInstance(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* ListInstances(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* StartInstance(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* StopInstance(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* RebootInstance(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* ResetInstance(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* UpdateInstance(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* RenameInstance(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* ResizeInstance(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* DeleteInstance(Context* context, const Buffer* request, Buffer* response) override;

 private:
  UnaryCalls& calls_;
};

using RawFlavors = v1::Flavors::WithRawCallbackMethod_CreateFlavor<
    v1::Flavors::WithRawCallbackMethod_GetFlavor<v1::Flavors::WithRawCallbackMethod_ListFlavors<
        v1::Flavors::WithRawCallbackMethod_DeleteFlavor<v1::Flavors::Service>>>>;

class FlavorsService final : public RawFlavors {
 public:
  explicit FlavorsService(UnaryCalls& calls) : calls_(calls) {}
  Reactor* CreateFlavor(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* GetFlavor(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* ListFlavors(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* DeleteFlavor(Context* context, const Buffer* request, Buffer* response) override;

 private:
  UnaryCalls& calls_;
};

using RawNetworks = v1::Networks::WithRawCallbackMethod_CreateNetwork<
    v1::Networks::WithRawCallbackMethod_GetNetwork<v1::Networks::WithRawCallbackMethod_ListNetworks<
        v1::Networks::WithRawCallbackMethod_DeleteNetwork<v1::Networks::Service>>>>;

class NetworksService final : public RawNetworks {
 public:
  explicit NetworksService(UnaryCalls& calls) : calls_(calls) {}
  Reactor* CreateNetwork(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* GetNetwork(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* ListNetworks(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* DeleteNetwork(Context* context, const Buffer* request, Buffer* response) override;

 private:
  UnaryCalls& calls_;
};

using RawHosts =
    v1::Hosts::WithRawCallbackMethod_GetHost<v1::Hosts::WithRawCallbackMethod_ListHosts<
        v1::Hosts::WithRawCallbackMethod_UpdateHost<v1::Hosts::Service>>>;

class HostsService final : public RawHosts {
 public:
  explicit HostsService(UnaryCalls& calls) : calls_(calls) {}
  Reactor* GetHost(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* ListHosts(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* UpdateHost(Context* context, const Buffer* request, Buffer* response) override;

 private:
  UnaryCalls& calls_;
};

using RawProjects = v1::Projects::WithRawCallbackMethod_CreateProject<
    v1::Projects::WithRawCallbackMethod_GetProject<v1::Projects::WithRawCallbackMethod_ListProjects<
        v1::Projects::WithRawCallbackMethod_UpdateProject<
            v1::Projects::WithRawCallbackMethod_DeleteProject<v1::Projects::Service>>>>>;

class ProjectsService final : public RawProjects {
 public:
  explicit ProjectsService(UnaryCalls& calls) : calls_(calls) {}
  Reactor* CreateProject(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* GetProject(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* ListProjects(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* UpdateProject(Context* context, const Buffer* request, Buffer* response) override;
  Reactor* DeleteProject(Context* context, const Buffer* request, Buffer* response) override;

 private:
  UnaryCalls& calls_;
};

}  // namespace stellwerk::server

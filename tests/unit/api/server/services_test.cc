#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <grpcpp/support/client_callback.h>

#include <atomic>

#include "stellwerk/v1/flavors.grpc.pb.h"
#include "stellwerk/v1/hosts.grpc.pb.h"
#include "stellwerk/v1/images.grpc.pb.h"
#include "stellwerk/v1/instances.grpc.pb.h"
#include "stellwerk/v1/projects.grpc.pb.h"
#include "test_server.h"

namespace stellwerk::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class Services : public ServerTest {};

controller::InstanceView instance_view() {
  controller::InstanceView view;
  view.project_id = "p";
  view.instance.id = "web-1";
  return view;
}

v1::CreateInstanceRequest good_instance() {
  v1::CreateInstanceRequest request;
  request.set_parent("projects/p");
  request.set_instance_id("web-1");
  request.mutable_instance()->set_flavor("flavors/SCS-2V-8");
  request.mutable_instance()->set_image("projects/p/images/i");
  return request;
}

TEST_F(Services, CreateAnInstance) {
  start();
  gateway_.answer_with([](const controller::Request&) { return instance_view(); });
  Call call;
  v1::Instance response;
  const grpc::Status status =
      stub<v1::Instances>()->CreateInstance(&call, good_instance(), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.name(), "projects/p/instances/web-1");
  const auto requests = gateway_.requests();
  const auto& mutation = std::get<controller::Mutation>(requests.at(0));
  EXPECT_EQ(mutation.context.caller, "root");
  EXPECT_FALSE(mutation.context.request_id.is_nil());
  EXPECT_EQ(std::get<controller::CreateInstance>(mutation.body).flavor, "SCS-2V-8");
}

template <class Body, class Request, class Response, class Method, class Stub>
void expect_mutation(FakeGateway& gateway, Stub& stub, Method method, const Request& request) {
  Call call;
  Response response;
  const grpc::Status status = (stub.*method)(&call, request, &response);
  EXPECT_TRUE(status.ok()) << Request::descriptor()->name() << ": " << status.error_message();
  EXPECT_EQ(gateway.mutations<Body>().size(), 1u) << Request::descriptor()->name();
}

template <class Request>
Request of_instance() {
  Request request;
  request.set_name("projects/p/instances/i");
  return request;
}

TEST_F(Services, PassOnEveryMutationOfInstances) {
  start();
  gateway_.answer_with([](const controller::Request&) { return instance_view(); });
  const auto instances = stub<v1::Instances>();
  using Stub = v1::Instances::Stub;
  expect_mutation<controller::StartInstance, v1::StartInstanceRequest, v1::Instance>(
      gateway_, *instances, &Stub::StartInstance, of_instance<v1::StartInstanceRequest>());
  expect_mutation<controller::StopInstance, v1::StopInstanceRequest, v1::Instance>(
      gateway_, *instances, &Stub::StopInstance, of_instance<v1::StopInstanceRequest>());
  expect_mutation<controller::RebootInstance, v1::RebootInstanceRequest, v1::Instance>(
      gateway_, *instances, &Stub::RebootInstance, of_instance<v1::RebootInstanceRequest>());
  expect_mutation<controller::ResetInstance, v1::ResetInstanceRequest, v1::Instance>(
      gateway_, *instances, &Stub::ResetInstance, of_instance<v1::ResetInstanceRequest>());
  v1::UpdateInstanceRequest update;
  update.mutable_instance()->set_name("projects/p/instances/i");
  update.mutable_update_mask()->add_paths("labels");
  expect_mutation<controller::UpdateInstance, v1::UpdateInstanceRequest, v1::Instance>(
      gateway_, *instances, &Stub::UpdateInstance, update);
  v1::RenameInstanceRequest rename;
  rename.set_name("projects/p/instances/i");
  rename.set_new_instance_id("j");
  expect_mutation<controller::RenameInstance, v1::RenameInstanceRequest, v1::Instance>(
      gateway_, *instances, &Stub::RenameInstance, rename);
  v1::ResizeInstanceRequest resize;
  resize.set_name("projects/p/instances/i");
  resize.set_flavor("flavors/f");
  expect_mutation<controller::ResizeInstance, v1::ResizeInstanceRequest, v1::Instance>(
      gateway_, *instances, &Stub::ResizeInstance, resize);
  expect_mutation<controller::DeleteInstance, v1::DeleteInstanceRequest, v1::Instance>(
      gateway_, *instances, &Stub::DeleteInstance, of_instance<v1::DeleteInstanceRequest>());
}

TEST_F(Services, PassOnEveryMutationOfTheOthers) {
  start();
  gateway_.answer_with([](const controller::Request&) { return Flavor(); });
  v1::CreateFlavorRequest flavor;
  flavor.set_flavor_id("tiny");
  expect_mutation<controller::CreateFlavor, v1::CreateFlavorRequest, v1::Flavor>(
      gateway_, *stub<v1::Flavors>(), &v1::Flavors::Stub::CreateFlavor, flavor);
  v1::DeleteFlavorRequest no_flavor;
  no_flavor.set_name("flavors/tiny");
  expect_mutation<controller::DeleteFlavor, v1::DeleteFlavorRequest, v1::Flavor>(
      gateway_, *stub<v1::Flavors>(), &v1::Flavors::Stub::DeleteFlavor, no_flavor);

  gateway_.answer_with([](const controller::Request&) { return controller::ProjectView(); });
  v1::CreateProjectRequest project;
  project.set_project_id("p");
  expect_mutation<controller::CreateProject, v1::CreateProjectRequest, v1::Project>(
      gateway_, *stub<v1::Projects>(), &v1::Projects::Stub::CreateProject, project);
  v1::UpdateProjectRequest other_project;
  other_project.mutable_project()->set_name("projects/p");
  (*other_project.mutable_project()->mutable_labels())["a"] = "b";
  expect_mutation<controller::UpdateProject, v1::UpdateProjectRequest, v1::Project>(
      gateway_, *stub<v1::Projects>(), &v1::Projects::Stub::UpdateProject, other_project);
  v1::DeleteProjectRequest no_project;
  no_project.set_name("projects/p");
  expect_mutation<controller::DeleteProject, v1::DeleteProjectRequest, v1::Project>(
      gateway_, *stub<v1::Projects>(), &v1::Projects::Stub::DeleteProject, no_project);

  gateway_.answer_with([](const controller::Request&) { return controller::ImageView(); });
  v1::DeleteImageRequest image;
  image.set_name("projects/p/images/i");
  expect_mutation<controller::DeleteImage, v1::DeleteImageRequest, v1::Image>(
      gateway_, *stub<v1::Images>(), &v1::Images::Stub::DeleteImage, image);
}

template <class Response, class Request, class Method, class Stub>
Response read(Stub& stub, Method method, const Request& request) {
  Call call;
  Response response;
  const grpc::Status status = (stub.*method)(&call, request, &response);
  EXPECT_TRUE(status.ok()) << Request::descriptor()->name() << ": " << status.error_message();
  return response;
}

template <class Request>
Request named(const char* name) {
  Request request;
  request.set_name(name);
  return request;
}

TEST_F(Services, AnswerEveryGet) {
  start();
  gateway_.answer_with(
      [](const controller::Request& request) -> absl::StatusOr<controller::Answer> {
        const auto& query = std::get<controller::Query>(request);
        if (std::holds_alternative<controller::GetInstance>(query)) return instance_view();
        if (std::holds_alternative<controller::GetImage>(query)) return controller::ImageView();
        if (std::holds_alternative<controller::GetFlavor>(query)) return Flavor();
        if (std::holds_alternative<controller::GetHost>(query)) return controller::HostView();
        return controller::ProjectView();
      });
  EXPECT_EQ(read<v1::Instance>(*stub<v1::Instances>(), &v1::Instances::Stub::GetInstance,
                               named<v1::GetInstanceRequest>("projects/p/instances/web-1"))
                .name(),
            "projects/p/instances/web-1");
  read<v1::Image>(*stub<v1::Images>(), &v1::Images::Stub::GetImage,
                  named<v1::GetImageRequest>("projects/p/images/i"));
  read<v1::Flavor>(*stub<v1::Flavors>(), &v1::Flavors::Stub::GetFlavor,
                   named<v1::GetFlavorRequest>("flavors/f"));
  read<v1::Host>(*stub<v1::Hosts>(), &v1::Hosts::Stub::GetHost,
                 named<v1::GetHostRequest>("hosts/h"));
  read<v1::Project>(*stub<v1::Projects>(), &v1::Projects::Stub::GetProject,
                    named<v1::GetProjectRequest>("projects/p"));
}

TEST_F(Services, AnswerEveryList) {
  start();
  gateway_.answer_with(
      [](const controller::Request& request) -> absl::StatusOr<controller::Answer> {
        const auto& query = std::get<controller::Query>(request);
        using controller::Page;
        if (std::holds_alternative<controller::ListInstances>(query)) {
          return Page<controller::InstanceView>{.items = {instance_view()}, .next_token = "t"};
        }
        if (std::holds_alternative<controller::ListImages>(query)) {
          return Page<controller::ImageView>{.items = {{}}, .next_token = "t"};
        }
        if (std::holds_alternative<controller::ListFlavors>(query)) {
          return Page<Flavor>{.items = {{}}, .next_token = "t"};
        }
        if (std::holds_alternative<controller::ListHosts>(query)) {
          return Page<controller::HostView>{.items = {{}}, .next_token = "t"};
        }
        return Page<controller::ProjectView>{.items = {{}}, .next_token = "t"};
      });
  v1::ListInstancesRequest instances;
  instances.set_parent("projects/-");
  EXPECT_EQ(read<v1::ListInstancesResponse>(*stub<v1::Instances>(),
                                            &v1::Instances::Stub::ListInstances, instances)
                .instances_size(),
            1);
  v1::ListImagesRequest images;
  images.set_parent("projects/p");
  EXPECT_EQ(read<v1::ListImagesResponse>(*stub<v1::Images>(), &v1::Images::Stub::ListImages, images)
                .next_page_token(),
            "t");
  EXPECT_EQ(read<v1::ListFlavorsResponse>(*stub<v1::Flavors>(), &v1::Flavors::Stub::ListFlavors,
                                          v1::ListFlavorsRequest())
                .flavors_size(),
            1);
  EXPECT_EQ(read<v1::ListHostsResponse>(*stub<v1::Hosts>(), &v1::Hosts::Stub::ListHosts,
                                        v1::ListHostsRequest())
                .hosts_size(),
            1);
  EXPECT_EQ(read<v1::ListProjectsResponse>(*stub<v1::Projects>(), &v1::Projects::Stub::ListProjects,
                                           v1::ListProjectsRequest())
                .projects_size(),
            1);
}

TEST_F(Services, TellEveryMistakeWithItsField) {
  start();
  Call call;
  v1::Instance response;
  const grpc::Status status =
      stub<v1::Instances>()->CreateInstance(&call, v1::CreateInstanceRequest(), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(reason_of(status), "INVALID_FIELDS");
  EXPECT_THAT(fields_of(status),
              UnorderedElementsAre("parent", "instance_id", "instance.flavor", "instance.image"));
}

TEST_F(Services, TellAsManyMistakesAsAClientCanReceive) {
  start();
  v1::CreateInstanceRequest request = good_instance();
  for (int i = 0; i < 32; ++i) {
    request.mutable_instance()->add_ssh_keys(std::string(1000, '\x01'));
  }
  Call call;
  v1::Instance response;
  const grpc::Status status = stub<v1::Instances>()->CreateInstance(&call, request, &response);
  ASSERT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  EXPECT_THAT(fields_of(status), Contains("instance.ssh_keys[31]"));
}

TEST_F(Services, NameTheFieldThatIsNotUtf8) {
  start();
  const google::protobuf::LogSilencer quiet;
  v1::CreateInstanceRequest request = good_instance();
  request.set_instance_id("caf\xe9");
  Call call;
  v1::Instance response;
  const grpc::Status status = stub<v1::Instances>()->CreateInstance(&call, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(fields_of(status), ElementsAre("instance_id"));
  EXPECT_TRUE(gateway_.requests().empty());
}

TEST_F(Services, NameTheFieldThatHoldsAMebibyte) {
  start();
  v1::CreateInstanceRequest request = good_instance();
  request.set_instance_id(std::string(1 << 20, 'x'));
  Call call;
  v1::Instance response;
  const grpc::Status status = stub<v1::Instances>()->CreateInstance(&call, request, &response);
  EXPECT_THAT(fields_of(status), ElementsAre("instance_id"));
  EXPECT_LT(status.error_message().size(), 500u);
}

TEST_F(Services, RefuseAMessageThatIsTooLarge) {
  start();
  v1::CreateInstanceRequest request = good_instance();
  request.mutable_instance()->set_user_data(std::string(2 << 20, 'x'));
  Call call;
  v1::Instance response;
  EXPECT_EQ(stub<v1::Instances>()->CreateInstance(&call, request, &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(Services, RefuseAMessageThatIsLargeOnlyWhenDecompressed) {
  start();
  gateway_.answer_with([](const controller::Request&) { return instance_view(); });
  const auto instances = stub<v1::Instances>();
  v1::CreateInstanceRequest request = good_instance();
  request.mutable_instance()->set_user_data(std::string(64 << 20, 'x'));
  v1::Instance response;
  for (const auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    Call call;
    call.set_compression_algorithm(algorithm);
    const grpc::Status status = instances->CreateInstance(&call, request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr("ompression"));
  }
  EXPECT_TRUE(gateway_.requests().empty());
  Call call;
  EXPECT_TRUE(instances->CreateInstance(&call, good_instance(), &response).ok());
}

controller::Answer instances_of_256_kilobytes(size_t count) {
  controller::Page<controller::InstanceView> page;
  page.items.resize(count);
  for (auto& view : page.items) view.instance.ssh_keys.assign(32, std::string(8000, 'k'));
  return page;
}

TEST_F(Services, SendAnAnswerThatTheDefaultLimitsOfAClientAllow) {
  start();
  gateway_.answer_with([](const controller::Request&) { return instances_of_256_kilobytes(16); });
  v1::ListInstancesRequest request;
  request.set_parent("projects/p");
  Call call;
  v1::ListInstancesResponse response;
  const grpc::Status status = stub<v1::Instances>()->ListInstances(&call, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.instances_size(), 16);
}

TEST_F(Services, SayWhenAnAnswerIsTooLargeToReceive) {
  start();
  gateway_.answer_with([](const controller::Request&) { return instances_of_256_kilobytes(20); });
  v1::ListInstancesRequest request;
  request.set_parent("projects/p");
  Call call;
  v1::ListInstancesResponse response;
  const grpc::Status status = stub<v1::Instances>()->ListInstances(&call, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(reason_of(status), "ANSWER_TOO_LARGE");
  EXPECT_THAT(status.error_message(), HasSubstr("smaller page_size"));
}

TEST_F(Services, PassOnTheControllersError) {
  start();
  gateway_.answer_with([](const controller::Request&) {
    return with_reason(aborted("it has changed"), "ETAG_STALE");
  });
  Call call;
  v1::Instance response;
  const grpc::Status status = stub<v1::Instances>()->StartInstance(
      &call, named<v1::StartInstanceRequest>("projects/p/instances/i"), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(reason_of(status), "ETAG_STALE");
}

TEST_F(Services, AnswerWhenTheRuntimeDropsARequest) {
  start();
  gateway_.drop_requests();
  Call call;
  v1::Instance response;
  const grpc::Status status =
      stub<v1::Instances>()->CreateInstance(&call, good_instance(), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(Services, SurviveAStormOfCancelledCalls) {
  start();
  gateway_.answer_with([](const controller::Request&) { return instance_view(); });
  const auto instances = stub<v1::Instances>();
  for (int round = 0; round < 20; ++round) {
    gateway_.hold();
    constexpr int kCalls = 50;
    std::vector<grpc::ClientContext> contexts(kCalls);
    std::vector<v1::Instance> responses(kCalls);
    std::atomic<int> done = 0;
    const v1::CreateInstanceRequest request = good_instance();
    for (int i = 0; i < kCalls; ++i) {
      instances->async()->CreateInstance(&contexts[i], &request, &responses[i],
                                         [&](const grpc::Status&) { ++done; });
    }
    for (int i = 0; i < kCalls; i += 2) contexts[i].TryCancel();
    gateway_.release();
    for (int i = 1; i < kCalls; i += 4) contexts[i].TryCancel();
    ASSERT_TRUE(testing::eventually([&] { return done == kCalls; }));
  }
  Call call;
  v1::Instance response;
  EXPECT_TRUE(instances->CreateInstance(&call, good_instance(), &response).ok());
}

TEST_F(Services, KeepDeadlinesOfCallsThatWait) {
  start();
  gateway_.hold();
  grpc::ClientContext call;
  call.set_deadline(deadline_in(std::chrono::milliseconds(50)));
  v1::Instance response;
  EXPECT_EQ(stub<v1::Instances>()->CreateInstance(&call, good_instance(), &response).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
}

// Reflection and health, spoken raw: their messages are not among this machine's C++ packages.
// Field numbers are those of grpc.reflection.v1alpha and grpc.health.v1.
grpc::Status raw_unary(grpc::Channel& channel, const std::string& method,
                       const std::string& request, std::string* response) {
  Call call;
  grpc::Slice slice(request);
  const grpc::ByteBuffer out(&slice, 1);
  grpc::ByteBuffer in;
  grpc::CompletionQueue queue;
  const grpc::internal::RpcMethod rpc(method.c_str(), grpc::internal::RpcMethod::NORMAL_RPC);
  std::mutex mutex;
  std::condition_variable wake;
  std::optional<grpc::Status> result;
  grpc::internal::CallbackUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer, grpc::ByteBuffer,
                                    grpc::ByteBuffer>(&channel, rpc, &call, &out, &in,
                                                      [&](grpc::Status status) {
                                                        const std::lock_guard lock(mutex);
                                                        result = std::move(status);
                                                        wake.notify_one();
                                                      });
  std::unique_lock lock(mutex);
  wake.wait(lock, [&] { return result.has_value(); });
  std::vector<grpc::Slice> slices;
  if (result->ok() && in.Dump(&slices).ok()) {
    for (const grpc::Slice& part : slices) {
      response->append(reinterpret_cast<const char*>(part.begin()), part.size());
    }
  }
  return *result;
}

TEST_F(Services, AreServingInTheHealthService) {
  start();
  const auto channel = connect();
  for (const std::string service :
       {"", "stellwerk.v1.Instances", "stellwerk.v1.Images", "stellwerk.v1.Flavors",
        "stellwerk.v1.Hosts", "stellwerk.v1.Networks", "stellwerk.v1.Projects",
        "stellwerk.v1.Events"}) {
    std::string request;
    if (!service.empty()) request = "\x0a" + std::string(1, char(service.size())) + service;
    std::string response;
    const grpc::Status status =
        raw_unary(*channel, "/grpc.health.v1.Health/Check", request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response, std::string("\x08\x01")) << service;  // status: SERVING
  }
  std::string response;
  EXPECT_EQ(
      raw_unary(*channel, "/grpc.health.v1.Health/Check", "\x0a\x01x", &response).error_code(),
      grpc::StatusCode::NOT_FOUND);
}

TEST_F(Services, AreListedByReflection) {
  start();
  const auto channel = connect();
  const grpc::internal::RpcMethod rpc(
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
      grpc::internal::RpcMethod::BIDI_STREAMING);
  Call call;
  const std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream(
      grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>::Create(
          channel.get(), rpc, &call));
  grpc::Slice list_services("\x3a\x00", 2);  // list_services: ""
  ASSERT_TRUE(stream->Write(grpc::ByteBuffer(&list_services, 1)));
  grpc::ByteBuffer answer;
  ASSERT_TRUE(stream->Read(&answer));
  grpc::Slice slice;
  ASSERT_TRUE(answer.DumpToSingleSlice(&slice).ok());
  const std::string text(reinterpret_cast<const char*>(slice.begin()), slice.size());
  for (const char* service : {"stellwerk.v1.Instances", "stellwerk.v1.Images",
                              "stellwerk.v1.Flavors", "stellwerk.v1.Hosts", "stellwerk.v1.Networks",
                              "stellwerk.v1.Projects", "stellwerk.v1.Events"}) {
    EXPECT_THAT(text, HasSubstr(service));
  }
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(Services, EndWithTheServerAndLeaveNoSocket) {
  start();
  const auto projects = stub<v1::Projects>();
  server_->shutdown(std::chrono::seconds(5));
  EXPECT_FALSE(std::filesystem::exists(socket_));
  Call call;
  v1::ListProjectsResponse response;
  EXPECT_EQ(projects->ListProjects(&call, {}, &response).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(Services, AreGivenTimeToAnswerWhenTheServerEnds) {
  start();
  gateway_.answer_with([](const controller::Request&) { return instance_view(); });
  gateway_.hold();
  std::thread caller([&] {
    Call call;
    v1::Instance response;
    EXPECT_TRUE(stub<v1::Instances>()->CreateInstance(&call, good_instance(), &response).ok());
  });
  ASSERT_TRUE(testing::eventually([&] { return gateway_.requests().size() == 1; }));
  std::thread end([&] { server_->shutdown(std::chrono::seconds(10)); });
  EXPECT_TRUE(testing::eventually([&] { return !std::filesystem::exists(socket_); }));
  gateway_.release();
  caller.join();
  end.join();
}

}  // namespace
}  // namespace stellwerk::server

// The Networks service: every call reaches the controller, and every answer the caller.
#include <gmock/gmock.h>

#include "stellwerk/v1/networks.grpc.pb.h"
#include "test_server.h"

namespace stellwerk::server {
namespace {

using ::testing::UnorderedElementsAre;

class NetworksCalls : public ServerTest {
 protected:
  NetworksCalls() {
    start();
    view_.project_id = "p";
    view_.network.id = "back";
  }
  void answer() {
    gateway_.answer_with([this](const controller::Request&) { return view_; });
  }
  template <class Response, class Method, class Request>
  Response call(Method method, const Request& request) {
    Call call;
    Response response;
    const auto networks = stub<v1::Networks>();
    const grpc::Status status = (networks.get()->*method)(&call, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  controller::NetworkView view_;
};

v1::CreateNetworkRequest good_network() {
  v1::CreateNetworkRequest request;
  request.set_parent("projects/p");
  request.set_network_id("back");
  request.mutable_network()->set_ipv4_subnet("10.8.0.0/24");
  return request;
}

TEST_F(NetworksCalls, Create) {
  answer();
  EXPECT_EQ(call<v1::Network>(&v1::Networks::Stub::CreateNetwork, good_network()).name(),
            "projects/p/networks/back");
  const auto asked = gateway_.mutations<controller::CreateNetwork>();
  ASSERT_EQ(asked.size(), 1u);
}

TEST_F(NetworksCalls, TellsEveryMistakeWithItsField) {
  Call call;
  v1::Network response;
  v1::CreateNetworkRequest request;
  request.mutable_network()->set_ipv4_subnet("elsewhere");
  const grpc::Status status = stub<v1::Networks>()->CreateNetwork(&call, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(fields_of(status),
              UnorderedElementsAre("parent", "network_id", "network.ipv4_subnet"));
}

TEST_F(NetworksCalls, Get) {
  answer();
  v1::GetNetworkRequest request;
  request.set_name("projects/p/networks/back");
  EXPECT_EQ(call<v1::Network>(&v1::Networks::Stub::GetNetwork, request).name(),
            "projects/p/networks/back");
}

TEST_F(NetworksCalls, List) {
  gateway_.answer_with([this](const controller::Request&) {
    return controller::Page<controller::NetworkView>{.items = {view_}, .next_token = "t"};
  });
  v1::ListNetworksRequest request;
  request.set_parent("projects/p");
  const auto page = call<v1::ListNetworksResponse>(&v1::Networks::Stub::ListNetworks, request);
  ASSERT_EQ(page.networks_size(), 1);
  EXPECT_EQ(page.networks(0).name(), "projects/p/networks/back");
  EXPECT_EQ(page.next_page_token(), "t");
}

TEST_F(NetworksCalls, Delete) {
  view_.network.state = NetworkState::kDeleting;
  answer();
  v1::DeleteNetworkRequest request;
  request.set_name("projects/p/networks/back");
  request.set_etag("7");
  EXPECT_EQ(call<v1::Network>(&v1::Networks::Stub::DeleteNetwork, request).state(),
            v1::Network::DELETING);
  EXPECT_EQ(gateway_.mutations<controller::DeleteNetwork>().size(), 1u);
}

}  // namespace
}  // namespace stellwerk::server

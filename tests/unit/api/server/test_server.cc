#include "test_server.h"

#include <spdlog/spdlog.h>

#include <cstdlib>
#include <thread>

#include "google/rpc/status.pb.h"

namespace stellwerk::server {
namespace {

template <class Detail>
Detail detail_of(const grpc::Status& status) {
  google::rpc::Status rich;
  Detail detail;
  EXPECT_TRUE(rich.ParseFromString(status.error_details()));
  for (const auto& any : rich.details()) {
    if (any.UnpackTo(&detail)) break;
  }
  return detail;
}

}  // namespace

std::string reason_of(const grpc::Status& status) {
  return detail_of<google::rpc::ErrorInfo>(status).reason();
}

std::vector<std::string> fields_of(const grpc::Status& status) {
  std::vector<std::string> fields;
  const auto bad_request = detail_of<google::rpc::BadRequest>(status);
  for (const auto& violation : bad_request.field_violations()) {
    fields.push_back(violation.field());
  }
  return fields;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "stellwerk-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) std::abort();
  folder_ = name;
  std::filesystem::permissions(folder_, std::filesystem::perms(0755));
}

TemporaryFolder::~TemporaryFolder() {
  std::filesystem::remove_all(folder_);
}

// Refusals are logged, and refused are many here.
ServerTest::ServerTest() {
  spdlog::set_level(spdlog::level::err);
}

ServerTest::~ServerTest() {
  gateway_.release();
  server_.reset();
}

void ServerTest::start(ServerConfig config) {
  config.socket = socket_;
  auto server = Server::start(std::move(config), gateway_, consoles_);
  ASSERT_TRUE(server.ok()) << describe(server.status());
  server_ = *std::move(server);
}

std::shared_ptr<grpc::Channel> ServerTest::connect() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
  return grpc::CreateCustomChannel("unix:" + socket_, grpc::InsecureChannelCredentials(),
                                   arguments);
}

}  // namespace stellwerk::server

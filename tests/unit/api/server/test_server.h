// A server on a socket in a folder of its own, a client, and what tests look at.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "../../../support/eventually.h"
#include "api/server/server.h"
#include "core/time.h"
#include "fake_consoles.h"
#include "fake_gateway.h"
#include "google/rpc/error_details.pb.h"

namespace stellwerk::server {

std::string reason_of(const grpc::Status& status);
std::vector<std::string> fields_of(const grpc::Status& status);

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string path(const std::string& name) const { return folder_ / name; }

 private:
  std::filesystem::path folder_;
};

class ServerTest : public ::testing::Test {
 protected:
  ServerTest();
  ~ServerTest() override;

  void start() { start(ServerConfig()); }
  void start(ServerConfig config);
  std::shared_ptr<grpc::Channel> connect() const;
  template <class Service>
  std::unique_ptr<typename Service::Stub> stub() const {
    return Service::NewStub(connect());
  }

  TemporaryFolder folder_;
  const std::string socket_ = folder_.path("daemon.sock");
  FakeGateway gateway_;
  FakeConsoles consoles_;
  std::unique_ptr<Server> server_;
};

inline std::chrono::system_clock::time_point deadline_in(Duration time) {
  return SystemClock().now().wall + time;
}

// A context that gives up in time for the test to say what was wrong.
class Call : public grpc::ClientContext {
 public:
  Call() { set_deadline(deadline_in(std::chrono::seconds(20))); }
};

}  // namespace stellwerk::server

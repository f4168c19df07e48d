#include "api/client/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "api/client/error.h"
#include "api/client/request_id.h"
#include "core/ids.h"

namespace stellwerk::client {
namespace {

using ::testing::HasSubstr;

TEST(Endpoint, IsAUnixSocketWithAnAbsolutePath) {
  const auto endpoint = parse_endpoint(kDefaultEndpoint);
  ASSERT_TRUE(endpoint.ok());
  EXPECT_EQ(endpoint->socket_path, "/run/stellwerk/stellwerkd.sock");
}

TEST(Endpoint, RefusesEverythingThatIsNoUnixSocket) {
  for (const char* text : {"", "localhost:443", "dns:///host:443", "https://host",
                           "unix://relative", "/run/stellwerkd.sock", "tcp://10.0.0.1:1"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_FALSE(endpoint.ok()) << text;
    EXPECT_THAT(std::string(message_of(endpoint.status())),
                HasSubstr("is not a Unix socket; give unix:///path/to/socket"));
  }
}

TEST(Endpoint, RefusesAPathThatTheKernelCannotTake) {
  const auto endpoint = parse_endpoint("unix:///" + std::string(200, 'a'));
  ASSERT_FALSE(endpoint.ok());
  EXPECT_THAT(std::string(message_of(endpoint.status())), HasSubstr("at most 107 bytes"));
}

TEST(Endpoint, EncodesOddPathsForGrpc) {
  EXPECT_EQ(Endpoint{"/tmp/a b%c?d"}.grpc_target(), "unix:///tmp/a%20b%25c%3Fd");
}

class SocketProblem : public ::testing::Test {
 protected:
  SocketProblem() {
    std::string path = (std::filesystem::temp_directory_path() / "stellwerk-cli-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) std::abort();
    directory = path;
  }
  ~SocketProblem() override { std::filesystem::remove_all(directory); }
  std::filesystem::path directory;
};

TEST_F(SocketProblem, NamesThePathThatIsMissing) {
  const Endpoint endpoint{directory / "none.sock"};
  const auto problem = socket_file_problem(endpoint);
  ASSERT_TRUE(problem);
  EXPECT_EQ(reason_of(*problem), kSocketMissing);
  EXPECT_THAT(std::string(message_of(*problem)), HasSubstr(endpoint.socket_path));
}

TEST_F(SocketProblem, SeesAFileThatIsNoSocket) {
  const std::string path = directory / "file";
  std::ofstream(path) << "x";
  const auto problem = socket_problem(Endpoint{path});
  ASSERT_TRUE(problem);
  EXPECT_EQ(reason_of(*problem), kNotASocket);
}

TEST(Error, KeepsCodeMessageReasonAndEscapes) {
  const absl::Status status =
      from_grpc(grpc::Status(grpc::StatusCode::NOT_FOUND, "no \x1b[2J such", "garbage"));
  EXPECT_EQ(describe(status), "NOT_FOUND: no \\x1b[2J such");
  EXPECT_FALSE(reason_of(status));
}

TEST(RequestId, IsARandomUuidOfVersion4) {
  const std::string id = fresh_request_id();
  ASSERT_TRUE(Uuid::parse(id));
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(id, fresh_request_id());
}

}  // namespace
}  // namespace stellwerk::client

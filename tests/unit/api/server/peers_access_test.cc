// Who may use the daemon. Credentials belong to threads in Linux, so a thread can connect as
// somebody else and this process keeps its own.
#include <dirent.h>
#include <gmock/gmock.h>
#include <grpcpp/create_channel_posix.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/server/peers.h"
#include "stellwerk/v1/events.grpc.pb.h"
#include "stellwerk/v1/projects.grpc.pb.h"
#include "test_server.h"

namespace stellwerk::server {
namespace {

using ::testing::HasSubstr;

constexpr uid_t kNobody = 65534;
constexpr gid_t kDaemonGroup = 1;  // "daemon", on every Debian

struct Credentials {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> supplementary;
};

// The raw calls change the calling thread alone; the C library's would change all.
int connect_as(const Credentials& who, const std::string& path) {
  int result = -1;
  std::thread([&] {
    if (syscall(SYS_setgroups, who.supplementary.size(), who.supplementary.data()) != 0 ||
        syscall(SYS_setresgid, who.gid, who.gid, who.gid) != 0 ||
        syscall(SYS_setresuid, who.uid, who.uid, who.uid) != 0) {
      return;
    }
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      result = descriptor;
    } else {
      close(descriptor);
    }
  }).join();
  return result;
}

class Access : public ServerTest {
 protected:
  grpc::Status list_projects_as(const Credentials& who) {
    const int descriptor = connect_as(who, socket_);
    EXPECT_GE(descriptor, 0) << "could not connect; these tests need root";
    const auto projects =
        v1::Projects::NewStub(grpc::CreateInsecureChannelFromFd("test", descriptor));
    Call call;
    v1::ListProjectsResponse response;
    return projects->ListProjects(&call, {}, &response);
  }

  // So that the server's own check is what refuses.
  void open_to_all() { ASSERT_EQ(chmod(socket_.c_str(), 0777), 0); }

  void SetUp() override {
    gateway_.answer_with(
        [](const controller::Request&) { return controller::Page<controller::ProjectView>(); });
  }
};

TEST_F(Access, IsGivenToRoot) {
  start();
  EXPECT_TRUE(list_projects_as({}).ok());
}

TEST_F(Access, IsRefusedToOthersWithWhatWouldHelp) {
  start({.socket = {}, .operator_group = "daemon", .limits = {}});
  open_to_all();
  const grpc::Status status = list_projects_as({kNobody, kNobody, {}});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(reason_of(status), "NOT_AN_OPERATOR");
  EXPECT_THAT(status.error_message(), HasSubstr("uid 65534 may not use this daemon"));
  EXPECT_THAT(status.error_message(), HasSubstr("usermod -aG daemon"));
  EXPECT_TRUE(gateway_.requests().empty());
}

TEST_F(Access, IsGivenToTheOperatorGroup) {
  start({.socket = {}, .operator_group = "daemon", .limits = {}});
  // Through the socket's own mode: nothing was opened.
  EXPECT_TRUE(list_projects_as({kNobody, kDaemonGroup, {}}).ok());
  EXPECT_TRUE(list_projects_as({kNobody, kNobody, {2, kDaemonGroup}}).ok());
  EXPECT_EQ(connect_as({kNobody, kNobody, {}}, socket_), -1);
}

TEST_F(Access, IsRootsAloneWithoutAGroup) {
  for (const char* group : {"", "no-such-group-here"}) {
    start({.socket = {}, .operator_group = group, .limits = {}});
    open_to_all();
    const grpc::Status status = list_projects_as({kNobody, kDaemonGroup, {}});
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED) << group;
    EXPECT_THAT(status.error_message(), HasSubstr("only root may"));
    EXPECT_TRUE(list_projects_as({}).ok());
    server_.reset();
  }
}

TEST_F(Access, OfManyCallersAtOnceIsNeverMixedUp) {
  start({.socket = {}, .operator_group = "daemon", .limits = {}});
  open_to_all();
  gateway_.answer_with([](const controller::Request& request) {
    Project project;
    project.id =
        std::get<controller::CreateProject>(std::get<controller::Mutation>(request).body).id;
    project.labels["caller"] = std::get<controller::Mutation>(request).context.caller;
    return controller::Answer(controller::ProjectView{.project = project, .use = {}});
  });
  std::vector<std::thread> clients;
  for (int client = 0; client < 6; ++client) {
    clients.emplace_back([&, client] {
      const uid_t uid = client % 3 == 0 ? 0 : kNobody;
      const gid_t gid = client % 3 == 1 ? kDaemonGroup : kNobody;
      for (int i = 0; i < 30; ++i) {
        const auto projects = v1::Projects::NewStub(
            grpc::CreateInsecureChannelFromFd("test", connect_as({uid, gid, {}}, socket_)));
        Call call;
        v1::CreateProjectRequest request;
        request.set_project_id("p");
        v1::Project response;
        const grpc::Status status = projects->CreateProject(&call, request, &response);
        if (client % 3 == 2) {
          EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
        } else {
          EXPECT_EQ(response.labels().at("caller"), uid == 0 ? "root" : "uid 65534");
        }
      }
    });
  }
  for (std::thread& client : clients) client.join();
}

size_t open_sockets() {
  size_t count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(folder)) {
    struct stat status {};
    const std::string path = std::string("/proc/self/fd/") + entry->d_name;
    count += stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
  }
  closedir(folder);
  return count;
}

// What PeerTable relies on: a descriptor's number stays taken while a call of its connection lives.
TEST_F(Access, KeepsADescriptorWhileACallOfItLives) {
  start();
  const size_t before = open_sockets();
  gateway_.hold();
  {
    const auto projects = v1::Projects::NewStub(connect());
    Call call;
    v1::ListProjectsResponse response;
    std::thread caller([&] { projects->ListProjects(&call, {}, &response); });
    ASSERT_TRUE(testing::eventually([&] { return gateway_.requests().size() == 1; }));
    call.TryCancel();
    caller.join();
  }
  // The client's end is closed, the server's waits for the call's answer.
  EXPECT_TRUE(testing::eventually([&] { return open_sockets() == before + 1; }));
  gateway_.release();
  EXPECT_TRUE(testing::eventually([&] { return open_sockets() == before; }));
}

TEST(PeerTable, RefusesMoreConnectionsThanItsLimitUntilSomeClose) {
  PeerTable table;
  int pairs[3][2];
  for (auto& pair : pairs) ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  EXPECT_TRUE(table.add(pairs[0][0], {.uid = 1, .groups = {}}, 2).ok());
  EXPECT_TRUE(table.add(pairs[1][0], {.uid = 2, .groups = {}}, 2).ok());
  EXPECT_EQ(table.add(pairs[2][0], {.uid = 3, .groups = {}}, 2).code(),
            absl::StatusCode::kResourceExhausted);
  close(pairs[0][0]);
  EXPECT_TRUE(table.add(pairs[2][0], {.uid = 3, .groups = {}}, 2).ok());
  EXPECT_EQ(table.find(fmt::format("fd:{}", pairs[2][0]))->uid, 3u);
  EXPECT_EQ(table.find(fmt::format("fd:{}", pairs[0][0])), std::nullopt);
  EXPECT_EQ(table.find("unix:"), std::nullopt);
  for (const int open : {pairs[0][1], pairs[1][0], pairs[1][1], pairs[2][0], pairs[2][1]}) {
    close(open);
  }
}

}  // namespace
}  // namespace stellwerk::server

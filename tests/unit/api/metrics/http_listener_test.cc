// The listener on real sockets: what it answers, what it refuses, what it does not wait for.
#include "api/metrics/http_listener.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>

#include "../../../support/eventually.h"
#include "../../../support/status_assertions.h"
#include "../../../support/temporary_directory.h"

namespace stellwerk::metrics {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kGet[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

class Client {
 public:
  explicit Client(const std::string& path) : descriptor_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    connected_ = ::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  explicit Client(uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { ::close(descriptor_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  void send(const std::string& bytes) {
    (void)::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // Until the other side closes, at most ten seconds.
  std::string rest() {
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string all;
    char buffer[4096];
    ssize_t got = 0;
    while ((got = ::recv(descriptor_, buffer, sizeof buffer, 0)) > 0) {
      all.append(buffer, static_cast<size_t>(got));
    }
    EXPECT_FALSE(got < 0 && errno == EAGAIN) << "the other side does not close";
    return all;
  }

 private:
  int descriptor_;
  bool connected_ = false;
};

class Http : public ::testing::Test {
 protected:
  void open(HttpLimits limits = {}) {
    auto opened = HttpListener::open({.unix_path = path_}, page(), limits);
    ASSERT_OK(opened);
    listener_ = *std::move(opened);
  }
  HttpListener::Page page() {
    return [this] {
      ++pages_;
      return std::string("up 1\n");
    };
  }
  std::string answer_to(const std::string& request) {
    Client client(path_);
    EXPECT_TRUE(client.connected());
    client.send(request);
    return client.rest();
  }

  testing::TemporaryDirectory folder_;
  const std::string path_ = folder_ / "metrics.sock";
  std::atomic<int> pages_ = 0;
  std::unique_ptr<HttpListener> listener_;
};

TEST_F(Http, AnswersWithThePageAndCloses) {
  open();
  EXPECT_THAT(answer_to(kGet),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                    HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"),
                    HasSubstr("Content-Length: 5\r\n"), EndsWith("\r\n\r\nup 1\n")));
  EXPECT_THAT(answer_to("HEAD /metrics HTTP/1.1\r\n\r\n"), EndsWith("\r\n\r\n"));
  EXPECT_THAT(answer_to("GET /metrics?x=1 HTTP/1.0\r\n\r\n"), EndsWith("up 1\n"));
}

TEST_F(Http, AnswersNothingElse) {
  open();
  EXPECT_THAT(answer_to("GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(answer_to("GET /metrics/../etc HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(answer_to("DELETE /metrics HTTP/1.1\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("Allow: GET, HEAD")));
  EXPECT_THAT(answer_to("rubbish\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(answer_to("POST /metrics HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd"),
              StartsWith("HTTP/1.1 4"));
  EXPECT_THAT(answer_to("GET /metrics HTTP/1.1\r\nA: " + std::string(20'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
  EXPECT_EQ(pages_, 0);
}

TEST_F(Http, DoesNotWaitForSlowClients) {
  open({.patience = std::chrono::milliseconds(100)});
  Client slow(path_);
  slow.send("GET /met");
  EXPECT_EQ(slow.rest(), "");
  EXPECT_THAT(answer_to(kGet), EndsWith("up 1\n"));
}

TEST_F(Http, ClosesWhatIsBeyondItsConnections) {
  open({.connections = 2});
  {
    Client first(path_);
    Client second(path_);
    first.send("GET ");
    second.send("GET ");
    Client third(path_);
    third.send(kGet);
    EXPECT_EQ(third.rest(), "");
  }
  EXPECT_TRUE(testing::eventually([&] { return answer_to(kGet).ends_with("up 1\n"); }));
}

TEST_F(Http, SocketIsForOwnerAndGroupAndGoesAtTheEnd) {
  open();
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660u);
  listener_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(Http, RefusesAPlaceThatIsTakenOrNotOfThisHost) {
  open();
  const auto again = HttpListener::open({.unix_path = path_}, page());
  EXPECT_THAT(std::string(message_of(again.status())),
              AllOf(StartsWith("metrics.listen"), HasSubstr("listens on")));
  const auto outside = HttpListener::open({.address = "0.0.0.0", .port = 9464}, page());
  EXPECT_THAT(std::string(message_of(outside.status())), HasSubstr("no loopback address"));
}

TEST_F(Http, AnswersOnLoopbackAndRefusesAPortThatIsTaken) {
  // Any port that is free now.
  const int taken = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(taken, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(taken, 1), 0);
  ASSERT_EQ(::getsockname(taken, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const Place place{.address = "127.0.0.1", .port = ntohs(address.sin_port)};
  const auto refused = HttpListener::open(place, page());
  EXPECT_THAT(std::string(message_of(refused.status())), HasSubstr("Address already in use"));
  ::close(taken);
  auto opened = HttpListener::open(place, page());
  ASSERT_OK(opened);
  Client client(place.port);
  client.send(kGet);
  EXPECT_THAT(client.rest(), EndsWith("up 1\n"));
}

}  // namespace
}  // namespace stellwerk::metrics

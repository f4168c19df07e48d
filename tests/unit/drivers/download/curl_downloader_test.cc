#include "drivers/download/curl/curl_downloader.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include "../../../support/eventually.h"
#include "../../../support/http_server.h"
#include "../../../support/status_assertions.h"

namespace stellwerk::download {
namespace {

using ::testing::HasSubstr;
using testing::http_head;
using testing::HttpServer;
using ::testing::Not;
using ::testing::SizeIs;

// Keeps what comes.
class Basket final : public Sink {
 public:
  absl::Status begin(const Announcement& what) override {
    announced = what;
    ++begun;
    return refuse_begin;
  }
  absl::Status write(std::string_view bytes) override {
    content += bytes;
    if (content.size() > most) return invalid_argument("too much");
    return absl::OkStatus();
  }

  Announcement announced;
  int begun = 0;
  std::string content;
  absl::Status refuse_begin;
  size_t most = 1 << 30;
};

class CurlDownloaderTest : public ::testing::Test {
 protected:
  static CurlDownloader::Options options() {
    CurlDownloader::Options options;
    options.addresses = AddressPolicy({IpPrefix::parse("127.0.0.1/32").value()});
    options.slow_for = std::chrono::seconds(1);
    return options;
  }

  absl::Status fetch(const std::string& url) { return fetch({.url = url}, options()); }
  absl::Status fetch(Request request, CurlDownloader::Options options) {
    if (request.longest == Duration::zero()) request.longest = std::chrono::seconds(20);
    return CurlDownloader(std::move(options)).fetch(request, basket_, cancelled_);
  }

  Basket basket_;
  std::atomic<bool> cancelled_ = false;
};

HttpServer::Script always(std::string answer) {
  return [answer](const std::string&, const HttpServer::Send& send) { send(answer); };
}

std::string redirect_to(const std::string& url, std::string_view status = "302 Found") {
  return http_head(status, {"Location: " + url, "Content-Length: 0"});
}

TEST_F(CurlDownloaderTest, HandsOnWhatTheServerHas) {
  const HttpServer server(
      always(http_head("200 OK", {"Content-Length: 5", "ETag: \"v1\""}) + "hello"));
  EXPECT_OK(fetch(server.url()));
  EXPECT_EQ(basket_.content, "hello");
  EXPECT_EQ(basket_.announced.total, Bytes(5));
  EXPECT_EQ(basket_.announced.from, Bytes(0));
  EXPECT_EQ(basket_.announced.validator, "\"v1\"");
  EXPECT_THAT(server.requests().at(0), HasSubstr("Accept-Encoding: identity"));
  EXPECT_THAT(server.requests().at(0), Not(HasSubstr("Range:")));
}

TEST_F(CurlDownloaderTest, RefusesLoopbackUnlessItIsAllowed) {
  const HttpServer server(always(http_head("200 OK", {"Content-Length: 0"})));
  CurlDownloader::Options strict;
  for (const std::string& url : {server.url(), fmt::format("http://localhost:{}/", server.port()),
                                 fmt::format("http://127.1:{}/", server.port()),
                                 fmt::format("http://2130706433:{}/", server.port()),
                                 fmt::format("http://[::ffff:127.0.0.1]:{}/", server.port())}) {
    const absl::Status status = fetch({.url = url}, strict);
    EXPECT_TRUE(absl::IsPermissionDenied(status)) << url << ": " << describe(status);
    EXPECT_EQ(reason_of(status), "ADDRESS_REFUSED") << url;
    EXPECT_THAT(message_of(status), HasSubstr("a loopback address")) << url;
  }
  EXPECT_THAT(server.requests(), SizeIs(0)) << "not one byte may reach it";
}

TEST_F(CurlDownloaderTest, JudgesTheAddressOfEveryRedirectAnew) {
  const HttpServer inner(always(http_head("200 OK", {"Content-Length: 6"}) + "secret"));
  const HttpServer outer(always(redirect_to(fmt::format("http://127.0.0.2:{}/", inner.port()))));
  const absl::Status status = fetch(outer.url());
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << describe(status);
  EXPECT_THAT(message_of(status), HasSubstr("127.0.0.2, a loopback address"));
  EXPECT_THAT(inner.requests(), SizeIs(0));
}

TEST_F(CurlDownloaderTest, FollowsRedirectsWithoutReadingTheirText) {
  const HttpServer server([](const std::string& request, const HttpServer::Send& send) {
    if (request.starts_with("GET /final ")) {
      send(http_head("200 OK", {"Content-Length: 3"}) + "yes");
      return;
    }
    send(http_head("301 Moved", {"Location: /final"}));
    while (send(std::string(1000, 'x'))) {
    }
  });
  EXPECT_OK(fetch(server.url("/first")));
  EXPECT_EQ(basket_.content, "yes");
}

TEST_F(CurlDownloaderTest, RefusesRedirectsToAnythingButTheWeb) {
  for (const char* target : {"file:///etc/passwd", "ftp://example.org/", "gopher://127.0.0.1/",
                             "dict://127.0.0.1/", "http://user:pass@127.0.0.1/"}) {
    const HttpServer server(always(redirect_to(target)));
    const absl::Status status = fetch(server.url());
    EXPECT_TRUE(absl::IsPermissionDenied(status)) << target << ": " << describe(status);
    EXPECT_THAT(message_of(status), HasSubstr("redirects to a URL that is refused")) << target;
    EXPECT_EQ(basket_.content, "");
  }
}

TEST_F(CurlDownloaderTest, RefusesRedirectsThatLeadNowhere) {
  for (const std::string& header : {std::string("X: y"), std::string("Location: http://"),
                                    std::string("Location: http://a b/")}) {
    const HttpServer server(always(http_head("302 Found", {header, "Content-Length: 0"})));
    EXPECT_TRUE(absl::IsPermissionDenied(fetch(server.url()))) << header;
  }
}

TEST_F(CurlDownloaderTest, EndsRedirectsInACircleAndOnesWithoutAnEnd) {
  const HttpServer circle([](const std::string& request, const HttpServer::Send& send) {
    send(redirect_to(request.starts_with("GET /a ") ? "/b" : "/a"));
  });
  const absl::Status round = fetch(circle.url("/a"));
  EXPECT_TRUE(absl::IsPermissionDenied(round));
  EXPECT_THAT(message_of(round), HasSubstr("redirects in a circle"));
  EXPECT_THAT(circle.requests(), SizeIs(2));

  int count = 0;
  const HttpServer endless([&count](const std::string&, const HttpServer::Send& send) {
    send(redirect_to(fmt::format("/{}", ++count)));
  });
  const absl::Status long_way = fetch(endless.url("/0"));
  EXPECT_TRUE(absl::IsPermissionDenied(long_way));
  EXPECT_THAT(message_of(long_way), HasSubstr("redirects more than 5 times"));
  EXPECT_THAT(endless.requests(), SizeIs(6));
}

TEST_F(CurlDownloaderTest, SaysWhatTheServerAnswered) {
  const std::tuple<const char*, absl::StatusCode, const char*> kAnswers[] = {
      {"404 Not Found", absl::StatusCode::kNotFound, "is not there (HTTP 404)"},
      {"410 Gone", absl::StatusCode::kNotFound, "is not there (HTTP 410)"},
      {"401 Unauthorized", absl::StatusCode::kPermissionDenied, "not open to everybody"},
      {"403 Forbidden", absl::StatusCode::kPermissionDenied, "not open to everybody"},
      {"418 Teapot", absl::StatusCode::kFailedPrecondition, "HTTP 418"},
      {"204 No Content", absl::StatusCode::kFailedPrecondition, "HTTP 204"},
      {"304 Not Modified", absl::StatusCode::kFailedPrecondition, "HTTP 304"},
      {"429 Too Many", absl::StatusCode::kUnavailable, "HTTP 429"},
      {"500 Oops", absl::StatusCode::kUnavailable, "HTTP 500"},
      {"503 Later", absl::StatusCode::kUnavailable, "HTTP 503"},
  };
  for (const auto& [status, code, text] : kAnswers) {
    const HttpServer server(always(http_head(status, {"Content-Length: 0"})));
    const absl::Status result = fetch(server.url("/image?token=secret"));
    EXPECT_EQ(result.code(), code) << status << ": " << describe(result);
    EXPECT_THAT(message_of(result), HasSubstr(text)) << status;
    EXPECT_THAT(message_of(result), Not(HasSubstr("secret"))) << status;
    EXPECT_EQ(basket_.begun, 0) << status;
  }
}

TEST_F(CurlDownloaderTest, AsksForTheRestAndOnlyOfTheSameFile) {
  const HttpServer server(
      always(http_head("206 Partial Content",
                       {"Content-Range: bytes 5-10/11", "Content-Length: 6", "ETag: \"v1\""}) +
             " world"));
  EXPECT_OK(fetch({.url = server.url(), .from = Bytes(5), .validator = "\"v1\""}, options()));
  EXPECT_EQ(basket_.content, " world");
  EXPECT_EQ(basket_.announced.from, Bytes(5));
  EXPECT_EQ(basket_.announced.total, Bytes(11));
  EXPECT_THAT(server.requests().at(0), HasSubstr("Range: bytes=5-\r\n"));
  EXPECT_THAT(server.requests().at(0), HasSubstr("If-Range: \"v1\"\r\n"));
}

TEST_F(CurlDownloaderTest, BeginsAnewWhereTheServerKnowsNoRanges) {
  const HttpServer server(always(http_head("200 OK", {"Content-Length: 5"}) + "hello"));
  EXPECT_OK(fetch({.url = server.url(), .from = Bytes(3), .validator = "\"v1\""}, options()));
  EXPECT_EQ(basket_.announced.from, Bytes(0));
  EXPECT_EQ(basket_.content, "hello");
}

TEST_F(CurlDownloaderTest, RefusesAnotherPartThanWasAskedFor) {
  for (const char* range : {"bytes 4-10/11", "bytes 6-10/11", "bytes */11", "lines 5-10/11", ""}) {
    const HttpServer server(
        always(http_head("206 Partial Content",
                         {std::string("Content-Range: ") + range, "Content-Length: 3"}) +
               "abc"));
    const absl::Status status =
        fetch({.url = server.url(), .from = Bytes(5), .validator = "\"v1\""}, options());
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << range << ": " << describe(status);
    EXPECT_EQ(basket_.content, "");
  }
}

TEST_F(CurlDownloaderTest, TellsAFileThatHasBecomeShorter) {
  const HttpServer server(always(http_head("416 Range Not Satisfiable", {"Content-Length: 0"})));
  EXPECT_TRUE(absl::IsOutOfRange(
      fetch({.url = server.url(), .from = Bytes(5), .validator = "\"v1\""}, options())));
}

TEST_F(CurlDownloaderTest, TakesNoWeakOrYoungValidatorForAStrongOne) {
  const auto validator = [this](const std::vector<std::string>& headers) {
    std::vector<std::string> all = {"Content-Length: 1"};
    all.insert(all.end(), headers.begin(), headers.end());
    const HttpServer server(always(http_head("200 OK", all) + "x"));
    EXPECT_OK(fetch(server.url()));
    return basket_.announced.validator;
  };
  const std::string modified = "Last-Modified: Mon, 23 Nov 2026 10:00:00 GMT";
  EXPECT_EQ(validator({}), "");
  EXPECT_EQ(validator({"ETag: W/\"v1\""}), "");
  EXPECT_EQ(validator({modified}), "") << "without a Date nobody knows how old it is";
  EXPECT_EQ(validator({modified, "Date: Mon, 23 Nov 2026 10:00:00 GMT"}), "");
  EXPECT_EQ(validator({modified, "Date: Mon, 23 Nov 2026 10:05:00 GMT"}),
            "Mon, 23 Nov 2026 10:00:00 GMT");
  EXPECT_EQ(validator({modified, "Date: Mon, 23 Nov 2026 10:05:00 GMT", "ETag: \"v2\""}), "\"v2\"");
}

TEST_F(CurlDownloaderTest, AConnectionThatBreaksIsWorthAnotherAttempt) {
  const HttpServer server(
      always(http_head("200 OK", {"Content-Length: 1000"}) + std::string(400, 'x')));
  const absl::Status status = fetch(server.url());
  EXPECT_TRUE(absl::IsUnavailable(status)) << describe(status);
  EXPECT_THAT(basket_.content, SizeIs(400));
}

TEST_F(CurlDownloaderTest, NoServerIsWorthAnotherAttempt) {
  std::string url;
  {
    const HttpServer server(always(""));
    url = server.url();
  }
  EXPECT_TRUE(absl::IsUnavailable(fetch(url)));
}

TEST_F(CurlDownloaderTest, GivesUpOnAServerThatIsTooSlow) {
  for (const bool head_first : {false, true}) {
    const HttpServer server([head_first](const std::string&, const HttpServer::Send& send) {
      if (head_first) send(http_head("200 OK", {"Content-Length: 1000000"}));
      const SystemClock clock;
      const MonotonicTime until = clock.now().monotonic + std::chrono::seconds(15);
      while (clock.now().monotonic < until && send(head_first ? "x" : "")) {
        ::poll(nullptr, 0, 50);
      }
    });
    const absl::Status status = fetch(server.url());
    EXPECT_TRUE(absl::IsUnavailable(status)) << describe(status);
    EXPECT_THAT(message_of(status), HasSubstr("too slow"));
  }
}

TEST_F(CurlDownloaderTest, ATotalTimeEndsWhatIsNotEvenSlow) {
  const HttpServer server([](const std::string&, const HttpServer::Send& send) {
    send(http_head("200 OK", {}));
    while (send(std::string(4096, 'x'))) ::poll(nullptr, 0, 1);
  });
  const absl::Status status =
      fetch({.url = server.url(), .longest = std::chrono::milliseconds(1500)}, options());
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << describe(status);
  EXPECT_GT(basket_.content.size(), 100'000u);
}

TEST_F(CurlDownloaderTest, TheSinkEndsADownloadWithoutAnEnd) {
  const HttpServer server([](const std::string&, const HttpServer::Send& send) {
    send(http_head("200 OK", {}));
    while (send(std::string(65536, 'x'))) {
    }
  });
  basket_.most = 1'000'000;
  const absl::Status status = fetch(server.url());
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << describe(status);
  EXPECT_EQ(message_of(status), "too much");
}

TEST_F(CurlDownloaderTest, TheSinkMayRefuseWhatIsAnnounced) {
  const HttpServer server(
      always(http_head("200 OK", {"Content-Length: 9223372036854775807"}) + "x"));
  basket_.refuse_begin = invalid_argument("too large");
  EXPECT_EQ(message_of(fetch(server.url())), "too large");
  EXPECT_EQ(basket_.announced.total, Bytes(INT64_MAX));
  EXPECT_EQ(basket_.content, "");
}

TEST_F(CurlDownloaderTest, EndsAHeaderWithoutAnEnd) {
  const HttpServer server([](const std::string&, const HttpServer::Send& send) {
    send("HTTP/1.1 200 OK\r\n");
    while (send("X-Filler: " + std::string(1000, 'x') + "\r\n")) {
    }
  });
  const absl::Status status = fetch(server.url());
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << describe(status);
  EXPECT_THAT(message_of(status), HasSubstr("an endless header"));
}

TEST_F(CurlDownloaderTest, RefusesEncodedContent) {
  for (const char* coding : {"gzip", "br", "deflate, gzip"}) {
    const HttpServer server(always(
        http_head("200 OK", {std::string("Content-Encoding: ") + coding, "Content-Length: 4"}) +
        "\x1f\x8b\x08\x01"));
    const absl::Status status = fetch(server.url());
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << describe(status);
    EXPECT_THAT(message_of(status), HasSubstr("encoded"));
    EXPECT_EQ(basket_.begun, 0);
  }
}

TEST_F(CurlDownloaderTest, TakesNothingButHttpForHttp) {
  for (const char* answer : {"SSH-2.0-OpenSSH_9.2\r\n", "hello", "HTTP/0.9\r\n\r\nx", ""}) {
    const HttpServer server(always(answer));
    EXPECT_FALSE(fetch(server.url()).ok()) << answer;
    EXPECT_EQ(basket_.begun, 0) << answer;
  }
}

TEST_F(CurlDownloaderTest, KnowsChunksAndTheirEnd) {
  const std::string head = http_head("200 OK", {"Transfer-Encoding: chunked"});
  const HttpServer whole(always(head + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
  EXPECT_OK(fetch(whole.url()));
  EXPECT_EQ(basket_.content, "abcde");
  EXPECT_EQ(basket_.announced.total, std::nullopt);

  const HttpServer cut(always(head + "3\r\nabc\r\n"));
  EXPECT_TRUE(absl::IsUnavailable(fetch(cut.url())));
}

TEST_F(CurlDownloaderTest, AnEmptyFileIsAFile) {
  const HttpServer server(always(http_head("200 OK", {"Content-Length: 0"})));
  EXPECT_OK(fetch(server.url()));
  EXPECT_EQ(basket_.begun, 1);
}

TEST_F(CurlDownloaderTest, HeedsNoProxyAndNoPasswordsOfTheEnvironment) {
  const HttpServer proxy(always(http_head("200 OK", {"Content-Length: 5"}) + "proxy"));
  const HttpServer server(always(http_head("200 OK", {"Content-Length: 4"}) + "real"));
  ::setenv("http_proxy", proxy.url("").c_str(), 1);
  ::setenv("all_proxy", proxy.url("").c_str(), 1);
  EXPECT_OK(fetch(server.url()));
  ::unsetenv("http_proxy");
  ::unsetenv("all_proxy");
  EXPECT_EQ(basket_.content, "real");
  EXPECT_THAT(proxy.requests(), SizeIs(0));
  EXPECT_THAT(server.requests().at(0), Not(HasSubstr("Authorization")));
}

TEST_F(CurlDownloaderTest, CanBeBrokenOff) {
  const HttpServer server([this](const std::string&, const HttpServer::Send& send) {
    send(http_head("200 OK", {"Content-Length: 100000000"}) + "x");
    cancelled_ = true;
    while (send("")) ::poll(nullptr, 0, 10);
  });
  EXPECT_EQ(fetch(server.url()).code(), absl::StatusCode::kCancelled);
}

TEST_F(CurlDownloaderTest, RefusesUrlsBeforeItTouchesTheNetwork) {
  for (const char* url : {"", "file:///etc/passwd", "ftp://example.org/x", "http://",
                          "http://u:p@127.0.0.1/", "http://127.0.0.1/\r\nX: y", "127.0.0.1/x"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(fetch(url))) << url;
  }
}

}  // namespace
}  // namespace stellwerk::download

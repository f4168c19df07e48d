#include "core/image_url.h"

#include <gmock/gmock.h>

namespace stellwerk {
namespace {

using ::testing::HasSubstr;

TEST(ImageUrl, TakesHttpAndHttps) {
  for (const char* url :
       {"http://example.org", "https://example.org/a/b.qcow2", "HTTPS://Example.org/x",
        "http://10.0.0.1:8080/x?y=%20&z=1", "https://[2001:db8::1]/x", "https://[::1]:8443/",
        "http://host_name/x", "https://example.org?x=1"}) {
    EXPECT_EQ(check_image_url(url), std::nullopt) << url;
  }
}

TEST(ImageUrl, RefusesEverythingElseAndSaysWhy) {
  const std::pair<std::string, const char*> kBad[] = {
      {"", "is missing"},
      {"file:///etc/passwd", "neither http:// nor https://"},
      {"ftp://example.org/", "neither http:// nor https://"},
      {"example.org/disk", "neither http:// nor https://"},
      {"//example.org/disk", "neither http:// nor https://"},
      {"javascript:alert(1)", "neither http:// nor https://"},
      {"http:/example.org", "neither http:// nor https://"},
      {"http://", "names no host"},
      {"http:///path", "names no host"},
      {"http://:80/", "names no host"},
      {"https://user@example.org/", "leave user and password out"},
      {"https://user:secret@example.org/", "leave user and password out"},
      {"http://example.org:0/", "is no port"},
      {"http://example.org:65536/", "is no port"},
      {"http://example.org:80x/", "is no port"},
      {"http://exa%6dple.org/", "is no host"},
      {"http://a,b/", "is no host"},
      {"http://example.org/#part", "has a fragment"},
      {"http://example.org/a b", "holds a character"},
      {"http://example.org/\r\nX: y", "holds a character"},
      {"http://example.org\\@evil.org/", "holds a character"},
      {"http://ex\xc3\xa4mple.org/", "holds a character"},
      {std::string("http://example.org/\0x", 21), "holds a character"},
      {"http://example.org/" + std::string(3000, 'x'), "give at most 2048"},
  };
  for (const auto& [url, why] : kBad) {
    const Problem problem = check_image_url(url);
    ASSERT_TRUE(problem.has_value()) << url;
    EXPECT_THAT(*problem, HasSubstr(why)) << url;
  }
}

TEST(ImageUrl, TheTextOfAPasswordIsNotRepeated) {
  EXPECT_THAT(*check_image_url("https://user:secret@example.org/"),
              ::testing::Not(HasSubstr("secret")));
}

TEST(ImageUrl, IsShownWithoutItsQuery) {
  EXPECT_EQ(url_without_query("https://a/b?token=x"), "https://a/b?…");
  EXPECT_EQ(url_without_query("https://a/b"), "https://a/b");
}

}  // namespace
}  // namespace stellwerk

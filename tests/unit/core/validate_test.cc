#include "core/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace stellwerk {
namespace {

using testing::HasSubstr;
using testing::Optional;

constexpr size_t kMebibyte = 1 << 20;

// What every field of a request may be sent.
std::vector<std::string> hostile_texts() {
  return {"../../etc/passwd",
          std::string("a\0b", 3),
          "\"quoted\"",
          "it's",
          "<xml>&amp;</xml>",
          "-leading-dash",
          "$(reboot)",
          "a b",
          "a\nb",
          "UPPER",
          "ümlaut",
          "\xff\xfe",
          "",
          "a/b",
          "a.b",
          std::string(kMebibyte, 'a')};
}

bool printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

TEST(DnsLabel, AcceptsTheWholeAlphabetAndBothLengths) {
  for (const std::string& text : {std::string("a"), std::string("7"), std::string("web-1"),
                                  std::string("0a--b9"), std::string(63, 'z')}) {
    EXPECT_EQ(check_dns_label(text), std::nullopt) << text;
  }
}

TEST(DnsLabel, RefusesHostileTextsAndSaysWhatWouldDo) {
  for (const std::string& text : hostile_texts()) {
    EXPECT_THAT(check_dns_label(text), Optional(HasSubstr("1 to 63 of a-z, 0-9 and '-'")))
        << quoted(text);
  }
  EXPECT_TRUE(check_dns_label(std::string(64, 'a')));
  EXPECT_TRUE(check_dns_label("web-"));
}

RC_GTEST_PROP(DnsLabel, ShowsNothingRawWhateverComes, (const std::string& text)) {
  const Problem problem = check_dns_label(text);
  RC_PRE(problem.has_value());
  const size_t ellipsis = problem->find("…");
  std::string shown = *problem;
  if (ellipsis != std::string::npos) shown.erase(ellipsis, std::string_view("…").size());
  RC_ASSERT(printable_ascii(shown));
}

TEST(Quoted, EscapesAndShortens) {
  EXPECT_EQ(quoted("web-1"), "\"web-1\"");
  EXPECT_EQ(quoted(std::string_view("a\0\n", 3)), "\"a\\x00\\x0a\"");
  EXPECT_EQ(quoted("\"\\"), "\"\\x22\\x5c\"");
  EXPECT_EQ(quoted("\xc3\xbc"), "\"\\xc3\\xbc\"");
  EXPECT_EQ(quoted(std::string(41, 'a')), "\"" + std::string(40, 'a') + "\"… (41 bytes)");
  EXPECT_LT(quoted(std::string(kMebibyte, '\0')).size(), 200u);
}

TEST(FlavorId, AcceptsScsNamesAndFreeOnes) {
  EXPECT_FALSE(check_flavor_id("SCS-16T-64-3x10s_kvm_hwv_i3h_GNa-14_ib"));
  EXPECT_FALSE(check_flavor_id("tiny.64_MiB"));
  EXPECT_FALSE(check_flavor_id(std::string(63, 'a')));
  for (const std::string_view bad : {"-rf", "_x", ".x", "a/b", "a b", "a\nb", "é", ""}) {
    EXPECT_TRUE(check_flavor_id(bad)) << bad;
  }
  EXPECT_TRUE(check_flavor_id(std::string(64, 'a')));
}

TEST(DisplayText, AcceptsUnicodeUpToTheLimitInBytes) {
  EXPECT_EQ(check_display_text("", 0), std::nullopt);
  EXPECT_EQ(check_display_text("Straße €𝄞 <xml> \"'", 100), std::nullopt);
  EXPECT_EQ(check_display_text("üü", 4), std::nullopt);
  EXPECT_THAT(check_display_text("üü", 3), Optional(HasSubstr("has 4 bytes; at most 3")));
}

TEST(DisplayText, RefusesControlCharacters) {
  for (const std::string_view text :
       {std::string_view("a\0", 2), std::string_view("a\n"), std::string_view("a\x1b[2J"),
        std::string_view("a\x7f"), std::string_view("a\xc2\x9b")}) {
    EXPECT_THAT(check_display_text(text, 100), Optional(HasSubstr("control character at byte 1")));
  }
}

TEST(DisplayText, RefusesWhatIsNotUtf8) {
  for (const std::string_view text :
       {"\x80", "\xc3", "\xc3(", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xe2\x82",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf0\x9f\x92", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_THAT(check_display_text(text, 100), Optional(HasSubstr("not valid UTF-8 at byte 0")))
        << quoted(text);
  }
  EXPECT_THAT(check_display_text("ok\xff", 100), Optional(HasSubstr("at byte 2")));
}

constexpr char kEd25519[] =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGVqc3V0YWtleWZvcnRlc3RzYW5kbm90aGluZ2Vs me@here";

TEST(SshKey, AcceptsALineOfAPubFile) {
  EXPECT_EQ(check_ssh_key(kEd25519), std::nullopt);
  EXPECT_EQ(check_ssh_key("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB"), std::nullopt);
  EXPECT_EQ(check_ssh_key("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTI= Müller"), std::nullopt);
}

TEST(SshKey, RefusesHostileTexts) {
  for (const std::string& text : hostile_texts()) EXPECT_TRUE(check_ssh_key(text)) << quoted(text);
}

TEST(SshKey, RefusesASecondLineAndOptionsBeforeTheKey) {
  EXPECT_THAT(check_ssh_key(std::string(kEd25519) + "\n" + kEd25519),
              Optional(HasSubstr("control character")));
  EXPECT_THAT(check_ssh_key(std::string("command=\"x\" ") + kEd25519),
              Optional(HasSubstr("no key type")));
}

TEST(SshKey, RefusesWhatFollowsTheTypeUnlessItIsAKey) {
  EXPECT_THAT(check_ssh_key("ssh-ed25519"), Optional(HasSubstr("no key after its type")));
  EXPECT_THAT(check_ssh_key("ssh-ed25519 "), Optional(HasSubstr("not base64")));
  EXPECT_THAT(check_ssh_key("ssh-ed25519 AAAA<xml>AAAAAAAAAAAA"),
              Optional(HasSubstr("not base64")));
  EXPECT_THAT(check_ssh_key("ssh-ed25519 BBBBC3NzaC1lZDI1NTE5AAAA"),
              Optional(HasSubstr("not base64")));
  EXPECT_THAT(check_ssh_key("ssh-rsa AAAA" + std::string(8192, 'A')),
              Optional(HasSubstr("at most 8192")));
}

TEST(Label, HasAPlainKeyAndValue) {
  EXPECT_EQ(check_label("example.org/tier_1-a", "x"), std::nullopt);
  EXPECT_EQ(check_label("key-1", "Value_1.x"), std::nullopt);
  EXPECT_EQ(check_label("one-more", ""), std::nullopt);
}

TEST(Label, IsRefusedForItsKeyOrItsValue) {
  EXPECT_TRUE(check_label(std::string(64, 'k'), "x"));
  for (const char* hostile : {"", "Tier", "../../etc/passwd", "--leading", "-", "tail-"}) {
    EXPECT_THAT(check_label(hostile, "x"), Optional(HasSubstr("the key is not"))) << hostile;
  }
  EXPECT_TRUE(check_label("tier", std::string(64, 'v')));
  for (const char* hostile :
       {"../../etc/passwd", "<xml>", "-leading", "tail-", "a b", "'x'", "a\nb"}) {
    EXPECT_THAT(check_label("tier", hostile), Optional(HasSubstr("the value is"))) << hostile;
  }
}

TEST(UserData, AcceptsAnyTextUpTo64Kib) {
  EXPECT_EQ(check_user_data(""), std::nullopt);
  EXPECT_EQ(check_user_data("#cloud-config\n\xff\t<xml>"), std::nullopt);
  EXPECT_EQ(check_user_data(std::string(65'536, 'u')), std::nullopt);
  EXPECT_THAT(check_user_data(std::string(65'537, 'u')),
              Optional(HasSubstr("has 65537 bytes; at most 65536")));
  EXPECT_THAT(check_user_data(std::string("a\0b", 3)), Optional(HasSubstr("NUL")));
}

}  // namespace
}  // namespace stellwerk

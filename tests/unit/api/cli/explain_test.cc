// `explain instance`: what a booking would meet.
#include <nlohmann/json.hpp>

#include "harness.h"

namespace stellwerk::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Explain : public CliTest {
 protected:
  Explain() {
    v1::ExplainPlacementResponse& told = daemon.script().explanation;
    told.set_summary("no host has 64 GiB of memory left");
    told.set_smallest_change("48 GiB less memory");
    told.set_hosts(3);
    auto* refusal = told.add_refusals();
    refusal->set_rule("memory");
    refusal->set_hosts(2);
    auto* near = told.add_nearest();
    near->set_host("hosts/node-1");
    near->set_rack("sites/dc1/zones/a/racks/r07");
    near->add_lacks("64 GiB asked, 16 GiB free");
    near->add_lacks("too few cores");
  }
  Ran explain(std::vector<std::string> more) {
    std::vector<std::string> words = {"explain", "instance", "web",   "--flavor",
                                      "f",       "--image",  "debian"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
};

TEST_F(Explain, AsksWhatCreateWouldAskAndSendsNoRequestId) {
  EXPECT_EQ(explain({"--count", "3", "--within", "dc1", "--group", "g"}).code, 0);
  ASSERT_EQ(daemon.calls().size(), 1U);
  EXPECT_EQ(daemon.calls()[0].method, "ExplainPlacement");
  EXPECT_THAT(daemon.calls()[0].request,
              AllOf(HasSubstr("count: 3"), HasSubstr("within: \"sites/dc1\""),
                    HasSubstr("groups/g"), HasSubstr("networks/flat")));
  EXPECT_EQ(explain({"--request-id", "7c0e1f9a-2b44-4d8e-9d0c-6f5c8f0a1b2c"}).code, 2);
  EXPECT_EQ(explain({"--wait"}).code, 2);
}

TEST_F(Explain, AsksForWhatMembersAreTold) {
  EXPECT_EQ(explain({"--as-member"}).code, 0);
  EXPECT_THAT(daemon.calls()[0].request, HasSubstr("as_member: true"));
}

TEST_F(Explain, ShowsARefusalWithWhatStandsInTheWay) {
  EXPECT_EQ(explain({}).out,
            "Fits:        no\n"
            "Summary:     no host has 64 GiB of memory left\n"
            "Would fit:   48 GiB less memory\n"
            "Hosts:       3, of which 0 could take one\n"
            "\n"
            "Hosts that do not take one, by what stands in the way first:\n"
            "RULE     HOSTS   MORE\n"
            "memory   2\n"
            "\n"
            "The nearest:\n"
            "HOST     RACK        LACKS\n"
            "node-1   dc1/a/r07   64 GiB asked, 16 GiB free; too few cores\n");
}

TEST_F(Explain, ShowsAnAcceptanceWithTheHostsThatWereChosen) {
  daemon.script().explanation = {};
  daemon.script().explanation.set_fits(true);
  daemon.script().explanation.set_summary("fits");
  daemon.script().explanation.set_hosts(1);
  daemon.script().explanation.set_feasible(1);
  daemon.script().explanation.add_chosen("node-1: the only one");
  EXPECT_EQ(explain({}).out,
            "Fits:      yes\n"
            "Summary:   fits\n"
            "Hosts:     1, of which 1 could take one\n"
            "\n"
            "Chosen:\n"
            "  node-1: the only one\n");
}

TEST_F(Explain, ShowsMembersOfAProjectNoEmptyTables) {
  daemon.script().explanation = {};
  daemon.script().explanation.set_summary("no host has room");
  EXPECT_EQ(explain({}).out, "Fits:      no\nSummary:   no host has room\n");
}

TEST_F(Explain, IsOneDocumentForPrograms) {
  const auto told = nlohmann::json::parse(explain({"-o", "json"}).out);
  EXPECT_EQ(told["smallestChange"], "48 GiB less memory");
  EXPECT_EQ(told["refusals"][0]["rule"], "memory");
  EXPECT_EQ(told["nearest"][0]["host"], "hosts/node-1");
  EXPECT_THAT(explain({"-o", "yaml"}).out, HasSubstr("smallestChange: \"48 GiB less memory\""));
}

TEST_F(Explain, NeedsOneProject) {
  EXPECT_EQ(explain({"--project", "-"}).code, 2);
  EXPECT_THAT(daemon.calls(), IsEmpty());
}

}  // namespace
}  // namespace stellwerk::test

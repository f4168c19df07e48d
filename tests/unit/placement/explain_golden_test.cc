// Whole explanations, to be read: tests/golden/placement/explain_*.txt.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "explain_fixture.h"

namespace stellwerk::placement {
namespace {

using testing::id_of;
using testing::occupy;
using testing::plain_request;
using testing::Yard;

std::string to_text(const Explanation& explanation) {
  std::string text = fmt::format("{}\n", explanation.summary);
  if (explanation.smallest_change) {
    text += fmt::format("would fit: {}\n", *explanation.smallest_change);
  }
  text += fmt::format("\nfor operators: {} of {} hosts could take one\n", explanation.feasible,
                      explanation.hosts);
  for (const RuleCount& count : explanation.refusals) {
    text += fmt::format("  {:>3} {}: {}\n", count.hosts, count.rule, count.words);
  }
  if (!explanation.nearest.empty()) text += "nearest:\n";
  for (const NearHost& near : explanation.nearest) {
    text += fmt::format("  {} ({})\n", near.id, near.rack);
    for (const std::string& lack : near.lacks) text += fmt::format("    {}\n", lack);
  }
  if (!explanation.chosen.empty()) text += "chosen:\n";
  for (const std::string& chosen : explanation.chosen) text += fmt::format("  {}\n", chosen);
  return text;
}

// STELLWERK_UPDATE_GOLDEN=1 writes the files anew, for a look at the difference.
void expect_golden(const std::string& name, Engine& engine, const Request& request) {
  const std::string text = to_text(explain(engine, request));
  const std::string path = std::string(STELLWERK_GOLDEN) + "/placement/explain_" + name + ".txt";
  if (std::getenv("STELLWERK_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  const std::string golden{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(text, golden) << path;
}

void name_openly(std::string& name) {
  if (name.starts_with("zq-")) name.erase(0, 3);
  if (name.starts_with("zq")) name.replace(0, 2, "dc");
}

// Twelve hosts in four racks of two data centres, some larger than others.
Yard town() {
  Yard yard;
  for (uint8_t number = 1; number <= 12; ++number) {
    Host& host = yard.add(number, static_cast<uint8_t>((number - 1) / 3 + 1));
    host.facts.memory = gibibytes(8 + 4 * (number % 3));
    host.power = {.idle = watts(100), .peak = watts(400)};
    host.labels = {{"tier", number % 2 == 0 ? "plain" : "silver"}};
    name_openly(host.id);
  }
  for (Site& site : yard.topology.sites) name_openly(site.id);
  for (Zone& zone : yard.topology.zones) name_openly(zone.id);
  for (Rack& rack : yard.topology.racks) name_openly(rack.id);
  for (Feed& feed : yard.topology.feeds) name_openly(feed.id);
  return yard;
}

TEST(ExplainGolden, TooMuchMemory) {
  Yard yard = town();
  yard.hosts[0].maintenance = true;
  Engine engine = yard.engine();
  engine.set_accepting(id_of<HostUid>(2), false);
  occupy(engine, 5, {.vcpus = VcpuCount(19), .memory = gibibytes(1)});
  Request request = plain_request();
  request.memory = gibibytes(20);
  expect_golden("memory", engine, request);
}

TEST(ExplainGolden, APlaceThatIsNotThere) {
  Engine engine = town().engine();
  Request request = plain_request();
  request.wishes.within = "dc1/c";
  expect_golden("place", engine, request);
}

TEST(ExplainGolden, ALabelThatNoHostHas) {
  Engine engine = town().engine();
  Request request = plain_request();
  request.wishes.within = "dc1";
  request.wishes.required_labels = {{"tier", "gold"}};
  expect_golden("label", engine, request);
}

TEST(ExplainGolden, AGroupThatIsLargerThanItsRacks) {
  Engine engine = town().engine();
  Request request = plain_request();
  request.group = id_of<GroupUid>(1);
  request.count = 9;
  engine.put_group(request.group, {{.level = DomainLevel::kRack, .most_per_domain = 2}});
  expect_golden("group", engine, request);
}

TEST(ExplainGolden, SeveralOfWhichSomeFit) {
  Engine engine = town().engine();
  Request request = plain_request();
  request.cpu_class = CpuClass::kDedicatedThread;
  request.vcpus = VcpuCount(4);
  request.memory = gibibytes(6);
  request.count = 20;
  expect_golden("several", engine, request);
}

TEST(ExplainGolden, NoPowerLeft) {
  Yard yard = town();
  yard.topology.feeds[0].budget = watts(1000);
  yard.topology.racks[3].power_limit = watts(350);
  Engine engine = yard.engine();
  Request request = plain_request();
  request.vcpus = VcpuCount(12);
  expect_golden("power", engine, request);
}

TEST(ExplainGolden, NoRoomForAFailover) {
  Yard yard = town();
  yard.settings.guarantee = DomainLevel::kRack;
  Engine engine = yard.engine();
  for (uint8_t number = 4; number <= 12; ++number) {
    occupy(engine, number, {.vcpus = VcpuCount(19), .memory = gibibytes(1)});
  }
  Request request = plain_request();
  request.vcpus = VcpuCount(8);
  request.failover = true;
  expect_golden("failover", engine, request);
}

TEST(ExplainGolden, ARequestWithSeveralMistakes) {
  Engine engine = town().engine();
  Request request = plain_request();
  request.numa_nodes = 3;
  request.memory = Bytes();
  expect_golden("malformed", engine, request);
}

TEST(ExplainGolden, AnAcceptance) {
  Yard yard = town();
  yard.settings.guarantee = DomainLevel::kZone;
  Engine engine = yard.engine();
  Request request = plain_request();
  request.group = id_of<GroupUid>(1);
  request.failover = true;
  request.wishes.preferred_site = "dc2";
  request.count = 2;
  engine.put_group(request.group, {{.level = DomainLevel::kRack}});
  expect_golden("accepted", engine, request);
}

}  // namespace
}  // namespace stellwerk::placement

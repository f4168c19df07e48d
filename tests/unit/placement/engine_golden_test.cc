// Traces of requests and decisions, to be read: tests/golden/placement. Policies whose order is
// plain are used, so that they stay when the default is tuned.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "fixtures.h"

namespace stellwerk::placement {
namespace {

// STELLWERK_UPDATE_GOLDEN=1 writes the files anew, for a look at the difference.
void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(STELLWERK_GOLDEN) + "/placement/" + name + ".txt";
  if (std::getenv("STELLWERK_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  const std::string golden{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(text, golden) << path;
}

// Two sites. dc1 has zone a with racks r1 and r2 on two feeds, and zone b with r1 on one of them;
// dc2 has one rack on a feed of its own. Two hosts a rack, which draw 100 W idle and 300 W at most.
class Trace {
 public:
  explicit Trace(Settings settings, Milliwatts budget = watts(5000))
      : engine_(settings, racks(budget), hosts()) {
    for (const HostLoad& host : engine_.fleet().hosts()) engine_.set_accepting(host.uid, true);
    write("policy {}, guarantee {}", to_string(settings.policy),
          settings.guarantee ? to_string(*settings.guarantee) : "off");
    for (const FeedLoad& feed : engine_.fleet().feeds()) {
      write("feed {}: {}", feed.id, to_string(feed.budget));
    }
  }

  Engine& engine() { return engine_; }
  const std::string& text() const { return text_; }

  template <class... Args>
  void write(fmt::format_string<const Args&...> format, const Args&... args) {
    text_ += fmt::format(format, args...) + "\n";
  }
  std::vector<Occupation> ask(const Request& request, const std::string& wishes = "") {
    write("\nask: {} x {} {} vCPUs, {}{}", request.count, request.vcpus.count(),
          to_string(request.cpu_class), to_string(request.memory), wishes);
    const Decision decision = engine_.place(request);
    if (const Refused* refused = std::get_if<Refused>(&decision)) {
      write("  refused; {} found a place", refused->placeable);
    }
    std::vector<Occupation> admitted = admit(engine_, request);
    for (const Occupation& one : admitted) write("  {}", line_of(one));
    return admitted;
  }
  void show_power() {
    for (const RackLoad& rack : engine_.fleet().racks()) {
      write("  {} draws {}", rack.id, to_string(rack.draw));
    }
  }
  void show_kept() {
    const size_t before = text_.size();
    for (const HostLoad& host : engine_.fleet().hosts()) {
      const Amounts& kept = host.backups.largest;
      if (!kept.is_zero()) write("  {} keeps {}", host.id, to_string(Bytes(kept.memory)));
    }
    if (text_.size() == before) write("  nothing is kept");
  }

 private:
  static Topology racks(Milliwatts budget) {
    return topology_of({{"dc1/a/r1", {"dc1/f1", "dc1/f2"}},
                        {"dc1/a/r2", {"dc1/f1", "dc1/f2"}},
                        {"dc1/b/r1", {"dc1/f2"}},
                        {"dc2/a/r1", {"dc2/f1"}}},
                       {{"dc1/f1", budget}, {"dc1/f2", budget}, {"dc2/f1", budget}});
  }
  static std::vector<Host> hosts() {
    std::vector<Host> hosts;
    for (const char* rack : {"dc1/a/r1", "dc1/a/r2", "dc1/b/r1", "dc2/a/r1"}) {
      for (int i = 1; i <= 2; ++i) {
        Host host = in_rack(plain_host(static_cast<uint8_t>(hosts.size() + 1)), rack);
        host.id = fmt::format("{}/h{}", rack, i);
        host.power = {.idle = watts(100), .peak = watts(300)};
        hosts.push_back(std::move(host));
      }
    }
    return hosts;
  }
  std::string line_of(const Occupation& one) const {
    std::string line = engine_.fleet().find(one.claim.host)->id;
    if (!one.claim.cpus.empty()) line += fmt::format(", cpus {}", fmt::join(one.claim.cpus, " "));
    line += ", " + to_string(one.claim.power);
    if (one.backup) line += "; backup " + engine_.fleet().find(one.backup->host)->id;
    return line;
  }

  Engine engine_;
  std::string text_;
};

Request asking(int64_t vcpus, int64_t gib) {
  Request request = plain_request();
  request.vcpus = VcpuCount(vcpus);
  request.memory = gibibytes(gib);
  request.disk = Bytes();
  return request;
}

TEST(EngineGolden, TakesTheBestHostAndSpreadsGroups) {
  Trace trace({.policy = Policy::kBestFit});
  trace.ask(asking(2, 10));
  trace.ask(asking(2, 4));
  trace.ask(asking(2, 4));
  Request request = asking(1, 1);
  request.wishes.preferred_site = "dc2";
  trace.ask(request, ", better in dc2");
  request = asking(2, 2);
  request.cpu_class = CpuClass::kDedicatedCore;
  trace.ask(request);
  trace.engine().put_group(group_uid(1), {{.level = DomainLevel::kZone}});
  request = asking(2, 2);
  request.group = group_uid(1);
  request.count = 3;
  trace.ask(request, ", zones apart");
  request.count = 1;
  trace.ask(request, ", zones apart");
  trace.engine().put_group(group_uid(2), {{.level = DomainLevel::kSite, .hard = false}});
  request.group = group_uid(2);
  request.count = 3;
  trace.ask(request, ", sites apart if possible");
  trace.engine().put_group(group_uid(3),
                           {{.policy = GroupPolicy::kAffinity, .level = DomainLevel::kRack},
                            {.level = DomainLevel::kHost, .most_per_domain = 2}});
  request.group = group_uid(3);
  request.count = 4;
  trace.ask(request, ", in one rack, two a host");
  expect_golden("best_hosts", trace.text());
}

TEST(EngineGolden, LeavesRacksWhosePowerIsUsedUp) {
  // dc1/f2 has all of dc1's six idle hosts when dc1/f1 fails, and 40 W to spare.
  Trace trace({.policy = Policy::kFirstFit}, watts(640));
  trace.show_power();
  Request request = asking(2, 2);
  request.wishes.within = "dc1";
  trace.ask(request, ", within dc1");
  request.wishes.within = "dc1/b";
  const std::vector<Occupation> second = trace.ask(request, ", within dc1/b");
  trace.show_power();
  trace.write("\nFeed dc1/f2 is used up, and with it all racks of dc1.");
  request.wishes.within = "dc1";
  trace.ask(request, ", within dc1");
  trace.ask(asking(2, 2));
  trace.write("\nThe guest in dc1/b leaves.");
  trace.engine().release(second.front());
  trace.ask(request, ", within dc1");
  trace.write("\nIn dc2 a feed has 420 W to spare, and its two hosts no more memory than for 15.");
  request.wishes.within = "dc2";
  request.count = 16;
  trace.ask(request, ", within dc2");
  request.count = 15;
  trace.ask(request, ", within dc2");
  trace.show_power();
  expect_golden("power", trace.text());
}

TEST(EngineGolden, KeepsRoomForEveryRack) {
  Trace trace({.guarantee = DomainLevel::kRack, .policy = Policy::kFirstFit});
  Request request = asking(2, 6);
  request.failover = true;
  request.count = 4;
  std::vector<Occupation> first = trace.ask(request, ", protected");
  trace.show_kept();
  request.wishes.within = "dc1/a";
  request.count = 1;
  trace.ask(request, ", protected, within dc1/a");
  trace.write("  (only rack r2 could lend it room, and has lent it already)");
  request.wishes.within = "dc1/a/r1";
  trace.ask(request, ", protected, within one rack");
  request = asking(2, 16);
  request.count = 8;
  trace.ask(request, ", not protected");
  request.count = 2;
  trace.ask(request, ", not protected");
  trace.write("\nThe first four leave.");
  for (const Occupation& one : first) trace.engine().release(one);
  trace.show_kept();
  expect_golden("rack_guarantee", trace.text());
}

}  // namespace
}  // namespace stellwerk::placement

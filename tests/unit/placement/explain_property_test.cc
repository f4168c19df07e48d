// What must hold of every explanation, on random small fleets.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "explain_fixture.h"
#include "placement/dial.h"

namespace stellwerk::placement {
namespace {

using testing::id_of;
using testing::kSecret;
using testing::Yard;

template <class Value>
Value one_of(std::initializer_list<Value> values) {
  return *rc::gen::elementOf(std::vector<Value>(values));
}
int64_t number(int64_t first, int64_t end) {
  return *rc::gen::inRange<int64_t>(first, end);
}
bool seldom() {
  return number(0, 8) == 0;
}

void add_any_host(Yard& yard, uint8_t number_of_host) {
  Host& host = yard.add(number_of_host, static_cast<uint8_t>(number(0, 5)));
  const int64_t nodes = number(1, 3);
  host.facts.numa = testing::nodes_of(nodes, 4 / nodes, gibibytes(16 / nodes));
  if (seldom()) host.facts.numa.clear();
  for (NumaNode& node : host.facts.numa) node.pages_1gib = number(0, 3);
  host.facts.memory = gibibytes(number(8, 17));
  host.facts.disk = gigabytes(number(10, 100));
  host.facts.disk_type = one_of({DiskType::kHardDisk, DiskType::kSsd, DiskType::kNvme});
  host.facts.bandwidth = MegabitsPerSecond(number(0, 4) * 1000);
  if (seldom()) host.facts.devices = {{"gpu", number(1, 4)}};
  if (seldom()) host.facts.cpu_baselines = {"x86-64-v3"};
  host.labels = {{"tier", one_of<std::string>({"zq-plain", "gold"})}};
  if (seldom()) host.labels["zq-hall"] = "zq-north";
  host.power = {.idle = watts(100), .peak = watts(number(100, 500))};
  host.maintenance = seldom();
}

Yard any_yard() {
  Yard yard;
  const int64_t hosts = number(1, 8);
  for (int64_t i = 1; i <= hosts; ++i) add_any_host(yard, static_cast<uint8_t>(i));
  yard.topology.feeds[0].budget = watts(number(200, 1500));
  if (seldom()) yard.topology.racks[3].power_limit = watts(number(100, 600));
  if (seldom()) yard.topology.racks[0].feeds.clear();
  if (number(0, 2) == 0) yard.settings.guarantee = one_of({DomainLevel::kHost, DomainLevel::kRack});
  yard.settings.policy = static_cast<Policy>(number(0, 8));
  return yard;
}

GroupRule any_rule() {
  return {.policy = seldom() ? GroupPolicy::kAffinity : GroupPolicy::kAntiAffinity,
          .level = static_cast<DomainLevel>(number(0, 4)),
          .hard = !seldom(),
          .most_per_domain = number(1, 3)};
}

Wishes any_wishes() {
  Wishes wishes;
  if (seldom()) wishes.within = one_of<std::string>({"zq1", "zq1/a", "zq2/a/r1", "elsewhere"});
  if (seldom()) wishes.host = id_of<HostUid>(static_cast<uint8_t>(number(1, 9)));
  if (seldom()) wishes.required_labels = {{"tier", one_of<std::string>({"gold", "silver"})}};
  if (seldom()) wishes.forbidden_labels = {{"tier", std::nullopt}};
  if (seldom()) wishes.cpu_baseline = one_of<std::string>({"x86-64-v3", "x86-64-v4"});
  if (seldom()) wishes.preferred_site = "zq2";
  return wishes;
}

Request any_request() {
  Request request;
  request.cpu_class = static_cast<CpuClass>(number(0, 4));
  request.vcpus = VcpuCount(number(1, *rc::gen::element(4, 12)) * 2);
  request.memory = mebibytes(number(64, *rc::gen::element(8, 24) * 1024));
  request.disk = gigabytes(number(0, 60));
  if (seldom()) request.disk_type = DiskType::kNvme;
  if (seldom()) request.numa_nodes = one_of({1, 2});
  if (seldom()) {
    request.page_size = PageSize::k1GiB;
    request.pages = number(1, 4) * 2;
  }
  if (seldom()) request.bandwidth = MegabitsPerSecond(number(1, 4000));
  if (seldom()) request.devices = {{one_of<std::string>({"gpu", "fpga"}), number(1, 4)}};
  if (seldom()) {
    request.pool = "fast";
    request.pool_bytes = gibibytes(number(1, 20));
  }
  request.wishes = any_wishes();
  if (number(0, 2) == 0) request.group = id_of<GroupUid>(1);
  request.failover = number(0, 2) == 0;
  request.count = seldom() ? number(2, 10) : 1;
  return request;
}

Engine any_engine(const Yard& yard) {
  Engine engine = yard.engine();
  if (seldom()) engine.set_accepting(id_of<HostUid>(1), false);
  if (seldom()) engine.set_fenced(id_of<HostUid>(2), true);
  engine.set_pools({{.id = "fast", .capacity = gibibytes(number(0, 40)), .used = Bytes()}});
  std::vector<GroupRule> rules = {any_rule()};
  if (seldom()) rules.push_back(any_rule());
  engine.put_group(id_of<GroupUid>(1), rules);
  for (int64_t i = number(0, 12); i > 0; --i) {
    const Request request = any_request();
    const Decision decision = engine.place(request);
    const auto* placed = std::get_if<Placed>(&decision);
    if (placed == nullptr) continue;
    for (const Placement& one : placed->placements) {
      engine.charge({one.claim, one.backup, request.group});
    }
  }
  return engine;
}

// All that later answers depend on.
struct State {
  std::vector<HostLoad> hosts;
  std::vector<RackLoad> racks;
  std::vector<FeedLoad> feeds;
  GroupLoad group;

  explicit State(const Engine& engine)
      : hosts(engine.fleet().hosts()),
        racks(engine.fleet().racks()),
        feeds(engine.fleet().feeds()),
        group(*engine.group(id_of<GroupUid>(1))) {}

  bool is_as(const State& other) const {
    const auto same = [](const HostLoad& a, const HostLoad& b) {
      return same_load(a, b) && a.accepting == b.accepting;
    };
    return std::equal(hosts.begin(), hosts.end(), other.hosts.begin(), other.hosts.end(), same) &&
           racks == other.racks && feeds == other.feeds && group == other.group;
  }
};

void expect_true_change(Engine& engine, const Request& request, const Explanation& explanation) {
  RC_ASSERT(explanation.change.has_value() == explanation.smallest_change.has_value());
  if (!explanation.change) return;
  const Change& change = *explanation.change;
  RC_ASSERT(change.words == *explanation.smallest_change);
  if (change.without_rule) {
    std::vector<GroupRule> rules = engine.group(request.group)->rules;
    rules.erase(std::find(rules.begin(), rules.end(), *change.without_rule));
    engine.put_group(request.group, rules);
  }
  RC_ASSERT(std::holds_alternative<Placed>(engine.place(change.request)));
}

RC_GTEST_PROP(Explanation, IsTrueAndChangesNothing, ()) {
  const Yard yard = any_yard();
  Engine engine = any_engine(yard);
  const Request request = any_request();
  const Decision decision = engine.place(request);
  RC_PRE(!std::holds_alternative<Malformed>(decision));
  const size_t feasible = engine.feasible_hosts(request).size();
  const State before(engine);
  const Explanation explanation = explain(engine, request);
  RC_ASSERT(State(engine).is_as(before));
  RC_ASSERT(explanation.fits == std::holds_alternative<Placed>(decision));
  RC_ASSERT(explanation.hosts == static_cast<int64_t>(yard.hosts.size()));
  RC_ASSERT(explanation.feasible == static_cast<int64_t>(feasible));
  RC_ASSERT(!explanation.summary.empty());
  int64_t refusals = 0;
  for (const RuleCount& count : explanation.refusals) {
    RC_ASSERT(count.hosts > 0);
    RC_ASSERT(!count.words.empty());
    refusals += count.hosts;
  }
  if (explanation.fits) {
    RC_ASSERT(refusals + explanation.feasible == explanation.hosts);
    RC_ASSERT(static_cast<int64_t>(explanation.chosen.size()) == request.count);
    RC_ASSERT(!explanation.change.has_value());
    return;
  }
  RC_TAG(explanation.change ? "changed" : "refused");
  RC_ASSERT(refusals == explanation.hosts);
  RC_ASSERT(explanation.nearest.size() == std::min<size_t>(yard.hosts.size(), 5));
  for (const NearHost& near : explanation.nearest) {
    RC_ASSERT(!near.lacks.empty());
    for (const std::string& lack : near.lacks) RC_ASSERT(!lack.empty());
  }
  expect_true_change(engine, request, explanation);
}

// Without the name itself, but with what is below it.
std::string without(std::string text, const std::string& name) {
  if (name.empty()) return text;
  for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    if (text[at + name.size()] != '/') text.erase(at, name.size());
  }
  return text;
}

RC_GTEST_PROP(Explanation, NamesNothingToMembersThatTheyDidNotName, ()) {
  const Yard yard = any_yard();
  Engine engine = any_engine(yard);
  const Request request = any_request();
  const Explanation explanation = explain(engine, request);
  for (const std::string& text : {explanation.summary, explanation.smallest_change.value_or("")}) {
    RC_LOG() << text << std::endl;
    RC_ASSERT(without(text, request.wishes.within).find(kSecret) == std::string::npos);
    for (const Host& host : yard.hosts) {
      RC_ASSERT(text.find(host.uid.to_string()) == std::string::npos);
    }
  }
}

RC_GTEST_PROP(Explanation, FindsAChangeWhereverLessOfOneAmountWouldDo, ()) {
  const Yard yard = any_yard();
  Engine engine = any_engine(yard);
  Request request = any_request();
  request.count = 1;
  RC_PRE(std::holds_alternative<Refused>(engine.place(request)));
  for (const Dial& dial : dials_of(request)) {
    const Request least = dial.turned(request, dial.most_steps());
    if (!std::holds_alternative<Placed>(engine.place(least))) continue;
    RC_ASSERT(explain(engine, request).change.has_value());
  }
}

// Every host another amount of memory, in the order that is worst for the search.
TEST(Explanation, FindsTheOneHostOfManyThatComesNearest) {
  Yard yard;
  for (int i = 0; i < 2000; ++i) {
    Host& host = yard.add(1, static_cast<uint8_t>(1 + i % 4));
    std::array<uint8_t, 16> bytes{};
    bytes[14] = static_cast<uint8_t>(i >> 8);
    bytes[15] = static_cast<uint8_t>(i);
    host.uid = HostUid(Uuid(bytes));
    host.facts.memory = gibibytes(4) + mebibytes(i);
  }
  Engine engine = yard.engine();
  Request request = testing::plain_request();
  request.memory = gibibytes(6);
  EXPECT_EQ(explain(engine, request).smallest_change, "49 MiB less memory");
}

}  // namespace
}  // namespace stellwerk::placement

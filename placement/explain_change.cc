#include "placement/explain_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "placement/dial.h"
#include "placement/explain_refusal.h"
#include "placement/inquiry.h"

namespace stellwerk::placement {
namespace {

// So many instances are placed for trial, in so many trials at most.
constexpr int64_t kMostInstancesTried = 4000;
constexpr int64_t kMostTrials = 48;
// So often the interval in which an amount would fit is halved with the engine itself.
constexpr int kMostHalvings = 4;

// A group without one of its rules, for as long as this lives.
class WithoutRule {
 public:
  WithoutRule(Engine& engine, const GroupUid& group, const std::optional<GroupRule>& rule)
      : engine_(engine), group_(group) {
    if (!rule) return;
    rules_ = engine.group(group)->rules;
    std::vector<GroupRule> fewer = *rules_;
    fewer.erase(std::find(fewer.begin(), fewer.end(), *rule));
    engine.put_group(group, std::move(fewer));
  }
  ~WithoutRule() {
    if (rules_) engine_.put_group(group_, *std::move(rules_));
  }
  WithoutRule(const WithoutRule&) = delete;
  WithoutRule& operator=(const WithoutRule&) = delete;

 private:
  Engine& engine_;
  const GroupUid group_;
  std::optional<std::vector<GroupRule>> rules_;
};

std::vector<CpuClass> lesser_classes(CpuClass cpu_class) {
  switch (cpu_class) {
    case CpuClass::kLowPerformance:
      return {};
    case CpuClass::kShared:
      return {CpuClass::kLowPerformance};
    case CpuClass::kDedicatedThread:
      return {CpuClass::kShared};
    case CpuClass::kDedicatedCore:
      return {CpuClass::kDedicatedThread, CpuClass::kShared};
  }
  return {};
}

void drop_labels(const Request& request, std::vector<Change>& drops) {
  const auto each = [&](std::vector<LabelMatch> Wishes::*labels, std::string_view words) {
    for (size_t i = 0; i < (request.wishes.*labels).size(); ++i) {
      Request changed = request;
      std::vector<LabelMatch>& fewer = changed.wishes.*labels;
      const std::string label = to_string(fewer[i]);
      fewer.erase(fewer.begin() + static_cast<int64_t>(i));
      drops.push_back({fmt::format("{} {}", words, label), std::move(changed), std::nullopt});
    }
  };
  each(&Wishes::required_labels, "without the label");
  each(&Wishes::forbidden_labels, "without forbidding the label");
}

void drop_wishes(const Request& request, std::vector<Change>& drops) {
  const auto drop = [&](bool asked, std::string words, auto change) {
    if (!asked) return;
    drops.push_back({std::move(words), request, std::nullopt});
    change(drops.back().request);
  };
  const Wishes& wishes = request.wishes;
  drop(!wishes.cpu_baseline.empty(), "without the CPU baseline " + wishes.cpu_baseline,
       [](Request& changed) { changed.wishes.cpu_baseline.clear(); });
  drop(request.disk_type != DiskType::kUnspecified,
       fmt::format("without the disk type {}", to_string(request.disk_type)),
       [](Request& changed) { changed.disk_type = DiskType::kUnspecified; });
  drop(!wishes.within.empty(), "outside of " + wishes.within,
       [](Request& changed) { changed.wishes.within.clear(); });
  drop(!wishes.host.is_nil(), "on another host",
       [](Request& changed) { changed.wishes.host = HostUid(); });
}

void drop_guarantees(const Engine& engine, const Request& request, std::vector<Change>& drops) {
  if (const GroupLoad* group = engine.group(request.group)) {
    for (const GroupRule& rule : group->rules) {
      if (!rule.hard) continue;
      drops.push_back({fmt::format("without the rule {} {} of its group", to_string(rule.level),
                                   to_string(rule.policy)),
                       request, rule});
    }
  }
  if (request.failover && engine.settings().guarantee) {
    drops.push_back({"without the failover guarantee", request, std::nullopt});
    drops.back().request.failover = false;
  }
}

// Other kinds of the same, in the order in which they are offered.
std::vector<Change> drops_of(const Engine& engine, const Request& request) {
  std::vector<Change> drops;
  drop_labels(request, drops);
  drop_wishes(request, drops);
  drop_guarantees(engine, request, drops);
  for (const CpuClass other : lesser_classes(request.cpu_class)) {
    drops.push_back(
        {fmt::format("with {} instead of {} vCPUs", to_string(other), to_string(request.cpu_class)),
         request, std::nullopt});
    drops.back().request.cpu_class = other;
  }
  if (request.numa_nodes > 0) {
    drops.push_back({"without NUMA nodes", request, std::nullopt});
    drops.back().request.numa_nodes = 0;
  }
  return drops;
}

class ChangeSearch {
 public:
  ChangeSearch(Engine& engine, const Request& request, int64_t placeable)
      : engine_(engine),
        request_(request),
        placeable_(placeable),
        inquiry_(engine, request),
        group_overflows_(overflow_of_group(inquiry_).has_value()) {
    if (!inquiry_.range()) return;
    for (uint32_t host = inquiry_.range()->first; host < inquiry_.range()->end; ++host) {
      if (inquiry_.broken_rule(host) == nullptr) hosts_.push_back(host);
    }
  }

  std::optional<Change> run() {
    std::vector<Turn> turns;
    for (const Dial& dial : dials_of(request_)) {
      if (const auto steps = fewest_steps(dial)) turns.push_back({dial, *steps});
    }
    std::stable_sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) {
      return a.dial.part(a.steps) < b.dial.part(b.steps);
    });
    if (auto small = smallest_turn(turns, false)) return change_of(*small);
    for (Change& drop : drops_of(engine_, request_)) {
      if (would_fit(drop)) return std::move(drop);
    }
    if (auto large = smallest_turn(turns, true)) return change_of(*large);
    return std::nullopt;
  }

 private:
  struct Turn {
    Dial dial;
    int64_t steps = 0;
  };

  Change change_of(const Turn& turn) const {
    return {turn.dial.words(request_, turn.steps), turn.dial.turned(request_, turn.steps),
            std::nullopt};
  }

  bool is_placed(const Request& request) {
    instances_tried_ += request.count;
    if (++trials_ > kMostTrials || instances_tried_ > kMostInstancesTried) return false;
    return std::holds_alternative<Placed>(engine_.place(request));
  }
  bool is_placed(const Dial& dial, int64_t steps) {
    return is_placed(dial.turned(request_, steps));
  }

  // Asks the hosts first: a trial of a request that no host takes would cost more.
  bool would_fit(const Change& change) {
    const WithoutRule without(engine_, change.request.group, change.without_rule);
    const Inquiry inquiry(engine_, change.request);
    for (uint32_t host = 0; host < inquiry.fleet().hosts().size(); ++host) {
      if (inquiry.takes(host)) return is_placed(change.request);
    }
    return false;
  }

  bool takes(uint32_t host, const Ask& ask) const {
    return fits(inquiry_.host(host), ask) && inquiry_.has_power(host, ask.request);
  }

  // With fewer the request cannot fit; nothing if it cannot with any.
  std::optional<int64_t> fewest_steps(const Dial& dial) const {
    switch (dial.amount()) {
      case Amount::kCount:
        return fewest_steps_of_count(dial);
      case Amount::kPoolBytes:
        return inquiry_.is_pool_short() && !group_overflows_ ? fewest_steps_of_pool(dial)
                                                             : std::nullopt;
      case Amount::kMemory:
      case Amount::kVcpus:
      case Amount::kDisk:
      case Amount::kPages:
      case Amount::kBandwidth:
      case Amount::kDevices:
        if (inquiry_.is_pool_short() || group_overflows_) return std::nullopt;
        return request_.count == 1 ? fewest_steps_of_one(dial) : fewest_steps_of_many(dial);
    }
    return std::nullopt;
  }

  int64_t pool_free() const {
    for (const Pool& pool : engine_.fleet().pools()) {
      if (pool.id == request_.pool)
        return std::max<int64_t>((pool.capacity - pool.used).count(), 0);
    }
    return 0;
  }

  std::optional<int64_t> fewest_steps_of_pool(const Dial& dial) const {
    const int64_t most = pool_free() / request_.count;
    const int64_t step = mebibytes(1).count();
    const int64_t steps = (request_.pool_bytes.count() - most + step - 1) / step;
    if (steps > dial.most_steps()) return std::nullopt;
    return std::max<int64_t>(steps, 1);
  }

  std::optional<int64_t> fewest_steps_of_count(const Dial& dial) const {
    const int64_t left =
        inquiry_.is_pool_short() ? pool_free() / request_.pool_bytes.count() : placeable_;
    const int64_t steps = request_.count - left;
    if (left < 1 || steps < 1 || steps > dial.most_steps()) return std::nullopt;
    // Who must stay together may have begun in a domain where fewer fit than in another.
    return must_stay_together(engine_, request_) ? 1 : steps;
  }

  std::optional<int64_t> fewest_steps_of_one(const Dial& dial) const {
    int64_t best = dial.most_steps() + 1;
    Ask better = asked_with(dial, best - 1);
    for (const uint32_t host : hosts_) {
      if (best == 1) break;
      if (!takes(host, better)) continue;
      best = fewest_steps_on(host, dial, best - 1);
      if (best > 1) better = asked_with(dial, best - 1);
    }
    if (best > dial.most_steps()) return std::nullopt;
    return best;
  }

  // The host takes it with `high` steps.
  int64_t fewest_steps_on(uint32_t host, const Dial& dial, int64_t high) const {
    int64_t low = 1;
    const int64_t least = dial.steps_to(inquiry_.host(host).room, inquiry_.fleet(), request_);
    low = std::clamp<int64_t>(least, 1, high);
    if (takes(host, asked_with(dial, low))) return low;
    while (high - low > 1) {
      const int64_t middle = low + (high - low) / 2;
      (takes(host, asked_with(dial, middle)) ? high : low) = middle;
    }
    return high;
  }

  // As far as the rooms of the hosts go, and not finer than is worth the time.
  std::optional<int64_t> fewest_steps_of_many(const Dial& dial) const {
    int64_t low = 0;
    int64_t high = dial.most_steps();
    if (!has_slots(asked_with(dial, high))) return std::nullopt;
    const int64_t fine = std::max<int64_t>(high / 4096, 1);
    while (high - low > fine) {
      const int64_t middle = low + (high - low) / 2;
      (has_slots(asked_with(dial, middle)) ? high : low) = middle;
    }
    return high;
  }

  bool has_slots(const Ask& ask) const {
    int64_t slots = 0;
    for (const uint32_t host : hosts_) {
      slots += slots_of(inquiry_.host(host), ask);
      if (slots >= request_.count) return true;
    }
    return false;
  }

  Ask asked_with(const Dial& dial, int64_t steps) const {
    return ask_of(inquiry_.fleet(), dial.turned(request_, steps));
  }

  // Of those that leave at least half of the amount, or of the others.
  std::optional<Turn> smallest_turn(const std::vector<Turn>& turns, bool large) {
    std::optional<Turn> best;
    for (const Turn& turn : turns) {
      const Dial& dial = turn.dial;
      if (best && dial.part(turn.steps) >= best->dial.part(best->steps)) break;
      const int64_t half = steps_to_half(dial);
      const int64_t from = large ? std::max(turn.steps, half + 1) : turn.steps;
      const auto steps = steps_that_fit(dial, from, large ? dial.most_steps() : half);
      if (!steps) continue;
      if (!best || dial.part(*steps) < best->dial.part(best->steps)) best = Turn{dial, *steps};
    }
    return best;
  }

  int64_t steps_to_half(const Dial& dial) const {
    int64_t half = dial.most_steps();
    if (dial.part(half) > 0.5) half = static_cast<int64_t>(0.5 / dial.part(1));
    while (dial.part(half) > 0.5) --half;
    return half;
  }

  // Tried with the engine. Where the fewest do not suffice, more are tried.
  std::optional<int64_t> steps_that_fit(const Dial& dial, int64_t from, int64_t to) {
    if (from > to) return std::nullopt;
    const int64_t first = std::min(dial.rounded(from), to);
    if (is_placed(dial, first)) return first;
    if (first == to || !is_placed(dial, to)) return std::nullopt;
    int64_t low = first;
    int64_t high = to;
    for (int i = 0; i < kMostHalvings && high - low > 1; ++i) {
      const int64_t middle = std::min(dial.rounded(low + (high - low) / 2), high);
      if (middle == high) break;
      (is_placed(dial, middle) ? high : low) = middle;
    }
    return high;
  }

  Engine& engine_;
  const Request& request_;
  const int64_t placeable_;
  const Inquiry inquiry_;
  const bool group_overflows_;
  std::vector<uint32_t> hosts_;  // of its place, and not against a rule of its group
  int64_t trials_ = 0;
  int64_t instances_tried_ = 0;
};

}  // namespace

std::optional<Change> smallest_change(Engine& engine, const Request& request, int64_t placeable) {
  return ChangeSearch(engine, request, placeable).run();
}

}  // namespace stellwerk::placement

#include "placement/power.h"

#include <algorithm>

namespace stellwerk::placement {
namespace {

int64_t half_up(int64_t value) {
  return (value + 1) / 2;
}

FeedLoad::Shared& shared_with(FeedLoad& feed, uint32_t partner) {
  const auto place = std::lower_bound(
      feed.shared.begin(), feed.shared.end(), partner,
      [](const FeedLoad::Shared& one, uint32_t wanted) { return one.partner < wanted; });
  if (place != feed.shared.end() && place->partner == partner) return *place;
  return *feed.shared.insert(place, {.partner = partner, .draw = {}});
}

// The worst draw of the feed if `extra` came to the racks that it shares with the partner, or, with
// kNone, to those that it has alone.
int64_t worst_with(const FeedLoad& feed, uint32_t partner, int64_t extra) {
  int64_t all = feed.alone.count() + (partner == Fleet::kNone ? extra : 0);
  int64_t most = 0;
  bool met = partner == Fleet::kNone;
  for (const FeedLoad::Shared& one : feed.shared) {
    const bool here = one.partner == partner;
    met = met || here;
    const int64_t draw = one.draw.count() + (here ? extra : 0);
    all += half_up(draw);
    most = std::max(most, draw - half_up(draw));
  }
  if (!met) {
    all += half_up(extra);
    most = std::max(most, extra - half_up(extra));
  }
  return all + most;
}

uint32_t partner_of(const RackLoad& rack, uint32_t feed) {
  if (rack.feeds.size() < 2) return Fleet::kNone;
  return rack.feeds[0] == feed ? rack.feeds[1] : rack.feeds[0];
}

}  // namespace

Milliwatts worst_draw(const FeedLoad& feed) {
  return Milliwatts(worst_with(feed, Fleet::kNone, 0));
}

void add_draw(RackLoad& rack, std::vector<FeedLoad>& feeds, Milliwatts change) {
  rack.draw += change;
  for (const uint32_t number : rack.feeds) {
    FeedLoad& feed = feeds[number];
    const uint32_t partner = partner_of(rack, number);
    (partner == Fleet::kNone ? feed.alone : shared_with(feed, partner).draw) += change;
  }
}

bool is_overloaded(const RackLoad& rack, const std::vector<FeedLoad>& feeds) {
  if (rack.power_limit && rack.draw > *rack.power_limit) return true;
  return std::any_of(rack.feeds.begin(), rack.feeds.end(), [&](uint32_t number) {
    return worst_draw(feeds[number]) > feeds[number].budget;
  });
}

bool may_draw(const RackLoad& rack, const std::vector<FeedLoad>& feeds, Milliwatts more) {
  if (more <= Milliwatts()) return true;
  if (rack.power_limit && rack.draw + more > *rack.power_limit) return false;
  return std::all_of(rack.feeds.begin(), rack.feeds.end(), [&](uint32_t number) {
    const int64_t worst = worst_with(feeds[number], partner_of(rack, number), more.count());
    return worst <= feeds[number].budget.count();
  });
}

std::optional<Milliwatts> power_room(const RackLoad& rack, const std::vector<FeedLoad>& feeds) {
  if (!rack.power_limit && rack.feeds.empty()) return std::nullopt;
  int64_t high = rack.power_limit ? rack.power_limit->count() + 1 : INT64_MAX;
  for (const uint32_t number : rack.feeds) {
    high = std::min(high, 2 * feeds[number].budget.count() + 2);  // half of it comes here
  }
  int64_t low = 0;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (may_draw(rack, feeds, Milliwatts(middle)) ? low : high) = middle;
  }
  return Milliwatts(low);
}

Milliwatts power_of(const HostLoad& host, CpuClass cpu_class, VcpuCount vcpus,
                    const CpuLimits& limits) {
  const int64_t span = (host.power.peak - host.power.idle).count();
  const HostOffer& offer = host.offer;
  if (span <= 0 || offer.threads <= 0 || offer.cores <= 0) return Milliwatts();
  const auto share = [&](int64_t part, int64_t of) {
    return Milliwatts((span * part + of - 1) / of);
  };
  switch (cpu_class) {
    case CpuClass::kLowPerformance:
      return share(vcpus.count(), offer.threads * limits.low_performance_per_thread);
    case CpuClass::kShared:
      return share(vcpus.count(), std::min(offer.threads * limits.shared_per_thread,
                                           offer.cores * limits.shared_per_core));
    case CpuClass::kDedicatedThread:
      return share(vcpus.count(), offer.threads);
    case CpuClass::kDedicatedCore:
      return share(vcpus.count(), offer.cores);
  }
  return Milliwatts();
}

}  // namespace stellwerk::placement

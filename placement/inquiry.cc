#include "placement/inquiry.h"

#include <fmt/format.h>

#include <algorithm>

#include "placement/capacity.h"
#include "placement/power.h"

namespace stellwerk::placement {
namespace {

std::optional<Fleet::HostRange> range_of(const Fleet& fleet, const Wishes& wishes) {
  const std::optional<Fleet::HostRange> range = fleet.find_place(wishes.within);
  if (!range || wishes.host.is_nil()) return range;
  const uint32_t host = fleet.index_of(wishes.host);
  if (host == Fleet::kNone || host < range->first || host >= range->end) return std::nullopt;
  return Fleet::HostRange{host, host + 1};
}

bool lacks_pool(const Fleet& fleet, const Request& request) {
  if (request.pool.empty()) return false;
  return std::none_of(fleet.pools().begin(), fleet.pools().end(), [&](const Pool& pool) {
    return pool.id == request.pool && has_room(pool, request.pool_bytes, request.count);
  });
}

std::vector<Shortage> short_devices(const HostLoad& host, const Ask& ask, const Fleet& fleet) {
  std::vector<Shortage> shortages;
  for (const DeviceCount& asked : ask.request.devices) {
    const uint32_t number = fleet.device_class(asked.device_class);
    const bool known = number < host.room.devices.size();
    const int64_t free = known ? host.room.devices[number] : 0;
    if (asked.count > free) shortages.push_back({asked.count, free, &asked});
  }
  return shortages;
}

int64_t nodes_with_room(const HostLoad& host, const Ask& ask) {
  return std::count_if(host.room.nodes.begin(), host.room.nodes.end(),
                       [&](const NodeRoom& node) { return has_room(node, ask.share); });
}

}  // namespace

bool must_stay_together(const Engine& engine, const Request& request) {
  const GroupLoad* group = engine.group(request.group);
  return group != nullptr && hard_affinity(*group) != nullptr;
}

std::string counted(int64_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string_view name_of(const Objection& objection) {
  switch (objection.scope) {
    case Scope::kPlace:
      return "place";
    case Scope::kHost:
      return objection.rule->name;
    case Scope::kPool:
      return "pool";
    case Scope::kPower:
      return "power";
    case Scope::kGroup:
      return "group";
    case Scope::kFailover:
      return "failover";
  }
  return "";
}

Inquiry::Inquiry(const Engine& engine, const Request& request)
    : engine_(engine),
      ask_(ask_of(engine.fleet(), request)),
      range_(range_of(engine.fleet(), request.wishes)),
      pool_short_(lacks_pool(engine.fleet(), request)) {
  if (const GroupLoad* load = engine.group(request.group)) {
    group_.emplace(engine.fleet(), *load, engine.settings().guarantee);
  }
}

bool Inquiry::may_stand(uint32_t host) const {
  return range_ && host >= range_->first && host < range_->end;
}

const GroupRule* Inquiry::broken_rule(uint32_t host) const {
  return group_ ? group_->broken_rule(host) : nullptr;
}

Milliwatts Inquiry::power_on(uint32_t index, const Request& request) const {
  return power_of(host(index), request.cpu_class, request.vcpus, fleet().cpu_limits());
}

bool Inquiry::has_power(uint32_t index, const Request& request) const {
  const RackLoad& rack = fleet().racks()[host(index).rack];
  if (!rack.power_limit && rack.feeds.empty()) return true;
  return may_draw(rack, fleet().feeds(), power_on(index, request));
}

std::optional<Objection> Inquiry::first(uint32_t index) const {
  if (!may_stand(index)) return Objection{Scope::kPlace};
  const HostLoad& load = host(index);
  if (!fits(load, ask_)) return Objection{Scope::kHost, first_failed(load, ask_)};
  if (pool_short_) return Objection{Scope::kPool};
  if (!has_power(index, request())) return Objection{Scope::kPower};
  if (const GroupRule* rule = broken_rule(index)) return Objection{Scope::kGroup, nullptr, rule};
  return std::nullopt;
}

std::vector<Objection> Inquiry::all(uint32_t index) const {
  std::vector<Objection> objections;
  if (!may_stand(index)) objections.push_back({Scope::kPlace});
  const HostLoad& load = host(index);
  bool layout_known = true;
  for (const Rule& rule : rules()) {
    if (rule.holds(load, ask_)) continue;
    // Nothing can be pinned where the layout is not known, which was said already.
    if (!layout_known && (rule.name == "cpu" || rule.name == "numa")) continue;
    layout_known = layout_known && rule.name != "topology";
    objections.push_back({Scope::kHost, &rule});
  }
  if (pool_short_) objections.push_back({Scope::kPool});
  if (!has_power(index, request())) objections.push_back({Scope::kPower});
  if (const GroupRule* rule = broken_rule(index)) {
    objections.push_back({Scope::kGroup, nullptr, rule});
  }
  return objections;
}

std::vector<Shortage> Inquiry::shortages(uint32_t index, const Rule& rule) const {
  const HostLoad& load = host(index);
  const Room& room = load.room;
  const Request& asked = request();
  if (rule.name == "cpu") return {{asked.vcpus.count(), room.vcpus[index_of(asked.cpu_class)]}};
  if (rule.name == "memory") return {{asked.memory.count(), room.memory}};
  if (rule.name == "disk") return {{asked.disk.count(), room.disk}};
  if (rule.name == "bandwidth") return {{asked.bandwidth.count(), room.bandwidth}};
  if (rule.name == "huge-pages") return {{asked.pages, room.pages[index_of(asked.page_size)]}};
  if (rule.name == "devices") return short_devices(load, ask_, fleet());
  if (rule.name == "numa") return {{asked.numa_nodes, nodes_with_room(load, ask_)}};
  return {};
}

std::string Inquiry::words_of(const Shortage& shortage, const Rule& rule) const {
  const int64_t lack = shortage.asked - shortage.free;
  if (rule.name == "cpu") return counted(lack, "vCPU") + " short";
  if (rule.name == "memory") return to_string(Bytes(lack)) + " of memory short";
  if (rule.name == "disk") return to_string(Bytes(lack)) + " of disk short";
  if (rule.name == "bandwidth") {
    return to_string(MegabitsPerSecond(lack)) + " of bandwidth short";
  }
  if (rule.name == "huge-pages") {
    return fmt::format("{} of {} short", counted(lack, "page"), to_string(request().page_size));
  }
  if (rule.name == "devices")
    return fmt::format("{} {} short", lack, shortage.device->device_class);
  const int64_t vcpus = ask_.share.vcpus[index_of(request().cpu_class)];
  return fmt::format("{} with {} and {} short", counted(lack, "NUMA node"), counted(vcpus, "vCPU"),
                     to_string(Bytes(ask_.share.memory)));
}

double Inquiry::distance(uint32_t index, const std::vector<Objection>& objections) const {
  double sum = 0;
  for (const Objection& objection : objections) {
    std::vector<Shortage> shortages;
    if (objection.scope == Scope::kHost) shortages = this->shortages(index, *objection.rule);
    if (shortages.empty()) sum += 1;
    for (const Shortage& one : shortages) {
      sum += static_cast<double>(one.asked - one.free) / static_cast<double>(one.asked);
    }
  }
  return sum;
}

}  // namespace stellwerk::placement

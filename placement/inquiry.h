// What each host says to one instance of a request, rules across hosts included: which it fails and
// how far. Made for explanations: it answers as the search does, but says everything and keeps
// nothing. Pure; the engine must not change meanwhile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "placement/engine.h"

namespace stellwerk::placement {

// In the order in which they are named.
enum class Scope : uint8_t { kPlace, kHost, kPool, kPower, kGroup, kFailover };

struct Objection {
  Scope scope = Scope::kHost;
  const Rule* rule = nullptr;             // of kHost
  const GroupRule* group_rule = nullptr;  // of kGroup
};
// "place", the name of the host's rule, "pool", "power", "group", "failover".
std::string_view name_of(const Objection& objection);

// How much is asked of a host and how much it has.
struct Shortage {
  int64_t asked = 0;
  int64_t free = 0;
  const DeviceCount* device = nullptr;  // of "devices"
};

class Inquiry {
 public:
  Inquiry(const Engine& engine, const Request& request);

  const Engine& engine() const { return engine_; }
  const Fleet& fleet() const { return engine_.fleet(); }
  const HostLoad& host(uint32_t index) const { return fleet().hosts()[index]; }
  const Request& request() const { return ask_.request; }
  const Ask& ask() const { return ask_; }
  // Where it may run: of its place and host. Nothing: there is no such place or host.
  const std::optional<Fleet::HostRange>& range() const { return range_; }
  bool may_stand(uint32_t host) const;

  // The pool must have room for all instances of the request, not for one.
  bool is_pool_short() const { return pool_short_; }
  const GroupRule* broken_rule(uint32_t host) const;
  // Whether the rack has power for a guest of so many vCPUs of this class.
  bool has_power(uint32_t host, const Request& request) const;
  Milliwatts power_on(uint32_t host, const Request& request) const;

  // Backups are not looked at, by none of these.
  bool takes(uint32_t host) const { return !first(host); }
  std::optional<Objection> first(uint32_t host) const;
  std::vector<Objection> all(uint32_t host) const;

  // Of the rules about room: what is short, one element for each class of devices; empty for
  // others.
  std::vector<Shortage> shortages(uint32_t host, const Rule& rule) const;
  // "4 GiB of memory short"
  std::string words_of(const Shortage& shortage, const Rule& rule) const;
  // Of all that it fails: 1 for each objection that has no measure, else the part that is short.
  double distance(uint32_t host, const std::vector<Objection>& objections) const;

 private:
  const Engine& engine_;
  const Ask ask_;
  std::optional<Fleet::HostRange> range_;
  bool pool_short_ = false;
  std::optional<GroupView> group_;
};

// Whether a hard rule of its group wants all members in one domain.
bool must_stay_together(const Engine& engine, const Request& request);

// "1 vCPU", "2 vCPUs"
std::string counted(int64_t count, std::string_view one);

}  // namespace stellwerk::placement

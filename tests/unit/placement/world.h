// Small random cells with a history, for properties: what is there, who runs where, and an engine
// that was told all of it step by step. From one seed; nothing here asks the engine for sums.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "fixtures.h"

namespace stellwerk::placement {

struct WorldPlan {
  std::optional<DomainLevel> guarantee;
  int64_t most_hosts = 14;
  bool odd_hosts = true;  // else they are as plain hosts, of two sizes
  bool power = true;      // racks may have feeds and limits
  bool groups = true;
  // Hosts may lose what is taken already: agents report less, guests of others come.
  bool shrinks = false;
  int64_t most_instances = 4;  // of one request
  Policy policy = Policy::kBestFit;
};

struct Guest {
  Occupation occupation;
  Request request;
};

struct World {
  WorldPlan plan;
  Settings settings;
  Topology topology;
  std::vector<Host> hosts;
  std::map<GroupUid, std::vector<GroupRule>> groups;
  std::set<HostUid> accepting;
  std::set<HostUid> fenced;
  std::map<HostUid, ForeignUse> foreign;
  Bytes images;
  std::vector<Pool> pools;
  std::vector<Guest> guests;

  const Host& host(const HostUid& uid) const;
  // Of `rack`, "" where a host stands nowhere.
  std::string rack_id(const HostUid& host) const;
  // The name of the failure domain, unique at its level.
  std::string domain(const HostUid& host, DomainLevel level) const;
};

World any_world(Dice& dice, const WorldPlan& plan);
Request any_request(Dice& dice, const World& world);

// Knows everything but the guests.
Engine empty_engine(const World& world);
// That every guest of today was charged to, in this order.
Engine engine_from_scratch(const World& world);

// One event: a request that is placed if it can be, a release, or something with a host.
void take_step(Dice& dice, World& world, Engine& engine);
void release_guest(World& world, Engine& engine, size_t guest);
// The answer is charged and remembered.
Decision ask(World& world, Engine& engine, const Request& request);

// What differs in all that is counted; empty if nothing does.
std::string difference(const Engine& a, const Engine& b);
std::string text_of(const Decision& decision);
std::string text_of(const Request& request);

}  // namespace stellwerk::placement

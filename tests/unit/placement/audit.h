// Whether a world breaks a promise, counted from its guests' claims and its hosts' descriptions
// alone, in other words than the engine's.
#pragma once

#include <string>
#include <vector>

#include "world.h"

namespace stellwerk::placement {

struct Running {
  Claim claim;
  GroupUid group;
};
std::vector<Running> running(const World& world);

// Every limit that is exceeded and every hard group rule that is broken, in words.
std::vector<std::string> broken_promises(const World& world, const std::vector<Running>& guests);
// The rules that hold of a host at the time when a guest comes: labels, baseline, disk type, place,
// service; whether its agent is connected only where `connected`.
std::vector<std::string> unkept_wishes(const World& world, const Host& host, const Request& request,
                                       bool connected);

}  // namespace stellwerk::placement

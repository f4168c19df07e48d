// The parts of an explanation that say why a request was refused. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "placement/explain.h"
#include "placement/inquiry.h"

namespace stellwerk::placement {

// Hosts that have the same first objection.
struct Tally {
  Objection objection;
  std::vector<uint32_t> hosts;                // ascending
  std::vector<const GroupRule*> group_rules;  // of kGroup: those that refused, each once
};

// Every host's first objection, in the order of the rules. With `refused`, hosts without any are
// those that have no backup, or whose threads are too scattered.
std::vector<Tally> tallies_of(const Inquiry& inquiry, bool refused);
std::vector<RuleCount> counts_of(const std::vector<Tally>& tallies, const Inquiry& inquiry);

// "at most 2 members a rack, 4 racks have hosts: 8 members fit, 9 asked"; nothing if all would fit
// as far as the rules of the group go.
std::optional<std::string> overflow_of_group(const Inquiry& inquiry);

// For everybody. `overflow` is that of the group before any instance was placed.
std::string summary_of(const std::vector<Tally>& tallies, const Inquiry& inquiry,
                       const std::optional<std::string>& overflow);
// Why these hosts said no, without names.
std::string reason_of(const Tally& tally, const Inquiry& inquiry,
                      const std::optional<std::string>& overflow);
std::vector<NearHost> nearest_hosts(const Inquiry& inquiry);

// For operators, in explain_operators.cc: the same with the names of hosts, racks and feeds.
std::string operator_words(const Tally& tally, const Inquiry& inquiry);
// "4 GiB of memory short"
std::vector<std::string> lacks_of(uint32_t host, const Objection& objection,
                                  const Inquiry& inquiry);

// "at most 2 members a rack", "all members in one zone"
std::string words_of(const GroupRule& rule);

}  // namespace stellwerk::placement

// How few hosts could hold what is asked: the volume bound. No placement can do with fewer, and
// often none with as few, because guests are not split between hosts. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "placement/simulate/trace.h"

namespace stellwerk::placement::simulate {

struct Volume {
  int64_t vcpus = 0;
  int64_t memory_mib = 0;
  friend bool operator==(const Volume&, const Volume&) = default;
};

class VolumeBound {
 public:
  // What each host offers; none is empty in both.
  explicit VolumeBound(const std::vector<Volume>& hosts);

  // The larger of what processors and memory need, each on the hosts that have most of it. Beyond
  // the whole fleet it counts further hosts of the largest kind.
  int64_t hosts_for(const Volume& demand) const;

 private:
  struct Prefix {
    std::vector<int64_t> sums;  // of the largest one, two, … hosts
    int64_t largest = 0;
  };
  static Prefix prefix_of(std::vector<int64_t> capacities);
  static int64_t fewest(const Prefix& prefix, int64_t demand);

  Prefix vcpus_;
  Prefix memory_;
};

// The time that averages are taken over: from the first arrival to the last. Afterwards a trace
// says nothing of who else would have come. Where all come at once, until the last of them ends.
struct Window {
  int64_t begin = 0;
  int64_t end = 1;  // after `begin`
  int64_t length() const { return end - begin; }
  // How much of this time lies in the window.
  int64_t overlap(int64_t from, int64_t to) const;
  friend bool operator==(const Window&, const Window&) = default;
};
Window window_of(const std::vector<TraceRow>& rows);

struct DemandBound {
  double time_average = 0;
  int64_t peak = 0;
};
// As if everything that is asked ran from its arrival to its departure.
DemandBound bound_of_demand(const std::vector<TraceRow>& rows, const VolumeBound& bound,
                            const Window& window);

}  // namespace stellwerk::placement::simulate

// The amounts of a request that may be turned down, each in steps of its own. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "placement/fleet.h"
#include "placement/request.h"

namespace stellwerk::placement {

enum class Amount : uint8_t {
  kMemory,
  kVcpus,
  kDisk,
  kPages,
  kBandwidth,
  kDevices,
  kPoolBytes,
  kCount,
};

class Dial {
 public:
  Dial(Amount amount, const Request& request, size_t device = 0);

  Amount amount() const { return amount_; }
  // At most so many steps; zero: nothing can be turned down.
  int64_t most_steps() const { return most_steps_; }
  // The part of the amount that so many steps are.
  double part(int64_t steps) const;
  // The request with so many steps less.
  Request turned(const Request& request, int64_t steps) const;
  // At least as many steps, and few words to say how many.
  int64_t rounded(int64_t steps) const;
  // The fewest steps that a host with this room would need, as far as its room of this amount goes.
  int64_t steps_to(const Room& room, const Fleet& fleet, const Request& request) const;
  // "4 GiB less memory (12 GiB instead of 16 GiB)"
  std::string words(const Request& request, int64_t steps) const;

 private:
  Amount amount_;
  size_t device_;
  int64_t asked_;
  int64_t step_;
  int64_t most_steps_;
};

// Every amount of the request that can be turned down, in a fixed order.
std::vector<Dial> dials_of(const Request& request);

}  // namespace stellwerk::placement

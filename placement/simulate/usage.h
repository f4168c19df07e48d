// How much of the fleet is in use, over time: sums that change with one host at a time, and their
// integrals over the window. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "placement/fleet.h"
#include "placement/simulate/bounds.h"

namespace stellwerk::placement::simulate {

// How full each site was, in equal parts of the window.
struct LoadSeries {
  struct Site {
    std::string id;
    std::vector<double> vcpus;   // of what it offers, 0 to 1, the average of each part
    std::vector<double> memory;  // likewise
  };
  Window window;
  std::vector<Site> sites;
};

// Every host when most of them were in use, and of such moments when most vCPUs were.
struct PeakMap {
  struct Rack {
    std::string id;
    std::vector<double> vcpus;  // of each host's, 0 to 1
  };
  int64_t time = 0;
  std::vector<Rack> racks;
};

class Usage {
 public:
  static constexpr size_t kParts = 400;  // of LoadSeries

  Usage(const Fleet& fleet, const Window& window, const Volume& smallest_common_size);

  // What holds now has held since the last call.
  void advance(int64_t now);
  // Something has changed on this host.
  void update(uint32_t host);

  int64_t hosts_used() const { return hosts_used_; }
  int64_t peak_hosts_used() const { return peak_hosts_used_; }
  int64_t peak_bound() const { return peak_bound_; }
  // Over the window:
  double average_hosts_used() const;
  double average_bound() const;
  double stranded_vcpu_fraction() const;    // of the vCPUs of hosts in use
  double stranded_memory_fraction() const;  // likewise
  double average_vcpu_load() const;         // of all vCPUs
  double average_memory_load() const;
  const VolumeBound& bound() const { return bound_; }

  LoadSeries series() const;
  PeakMap peak_map();

 private:
  struct HostUse {
    Volume all;
    Volume used;
    Volume stranded;
    uint32_t site = 0;
    bool in_use = false;
  };
  struct Integrals {
    double hosts = 0;
    double bound = 0;
    double used_vcpus = 0;
    double used_memory = 0;
    double stranded_vcpus = 0;
    double stranded_memory = 0;
    double vcpus_in_use = 0;
    double memory_in_use = 0;
  };

  void note_peak();
  void keep_peak();
  void add_to_series(int64_t from, int64_t to);

  const Fleet& fleet_;
  const Window window_;
  const Volume smallest_;
  std::vector<HostUse> hosts_;
  VolumeBound bound_;
  int64_t now_ = 0;

  int64_t hosts_used_ = 0;
  Volume used_;
  Volume stranded_;
  Volume in_use_;  // what hosts in use offer
  Volume all_;
  std::vector<Volume> site_used_;
  std::vector<Volume> site_all_;
  Integrals integrals_;
  std::vector<std::vector<double>> site_vcpus_;   // vCPU seconds of each part, by site
  std::vector<std::vector<double>> site_memory_;  // MiB seconds

  int64_t peak_hosts_used_ = 0;
  int64_t peak_bound_ = 0;
  Volume most_used_;
  int64_t peak_vcpus_ = 0;  // among moments with the most hosts in use
  int64_t peak_time_ = 0;
  bool at_peak_ = false;            // and it is not kept yet
  std::vector<int32_t> vcpus_now_;  // by host
  std::vector<int32_t> vcpus_at_peak_;
};

}  // namespace stellwerk::placement::simulate

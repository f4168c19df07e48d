#include "placement/simulate/usage.h"

#include <algorithm>

#include "placement/simulate/stranded.h"

namespace stellwerk::placement::simulate {
namespace {

constexpr size_t kShared = index_of(CpuClass::kShared);
constexpr int64_t kMebibyte = mebibytes(1).count();

int64_t mebibytes_of(int64_t bytes) {
  return (bytes + kMebibyte - 1) / kMebibyte;
}

Volume offered_by(const HostLoad& host) {
  return {host.all_vcpus[kShared], mebibytes_of(host.all_memory)};
}

std::vector<Volume> offered_by(const Fleet& fleet) {
  std::vector<Volume> offered;
  for (const HostLoad& host : fleet.hosts()) offered.push_back(offered_by(host));
  return offered;
}

void add(Volume& to, const Volume& other) {
  to.vcpus += other.vcpus;
  to.memory_mib += other.memory_mib;
}

void subtract(Volume& from, const Volume& other) {
  from.vcpus -= other.vcpus;
  from.memory_mib -= other.memory_mib;
}

double ratio(double part, double of) {
  return of > 0 ? part / of : 0;
}

}  // namespace

Usage::Usage(const Fleet& fleet, const Window& window, const Volume& smallest_common_size)
    : fleet_(fleet),
      window_(window),
      smallest_(smallest_common_size),
      hosts_(fleet.hosts().size()),
      bound_(offered_by(fleet)),
      now_(window.begin),
      site_used_(fleet.sites().size()),
      site_all_(fleet.sites().size()),
      site_vcpus_(fleet.sites().size(), std::vector<double>(kParts)),
      site_memory_(fleet.sites().size(), std::vector<double>(kParts)),
      vcpus_now_(hosts_.size()),
      vcpus_at_peak_(hosts_.size()) {
  for (uint32_t host = 0; host < hosts_.size(); ++host) {
    HostUse& use = hosts_[host];
    use.all = offered_by(fleet.hosts()[host]);
    use.site = fleet.domain_of(host, DomainLevel::kSite);
    add(all_, use.all);
    add(site_all_[use.site], use.all);
  }
}

void Usage::advance(int64_t now) {
  if (now <= now_) return;
  const auto seconds = static_cast<double>(window_.overlap(now_, now));
  if (seconds > 0) {
    integrals_.hosts += seconds * static_cast<double>(hosts_used_);
    integrals_.bound += seconds * static_cast<double>(bound_.hosts_for(used_));
    integrals_.used_vcpus += seconds * static_cast<double>(used_.vcpus);
    integrals_.used_memory += seconds * static_cast<double>(used_.memory_mib);
    integrals_.stranded_vcpus += seconds * static_cast<double>(stranded_.vcpus);
    integrals_.stranded_memory += seconds * static_cast<double>(stranded_.memory_mib);
    integrals_.vcpus_in_use += seconds * static_cast<double>(in_use_.vcpus);
    integrals_.memory_in_use += seconds * static_cast<double>(in_use_.memory_mib);
    add_to_series(std::max(now_, window_.begin), std::min(now, window_.end));
  }
  now_ = now;
}

void Usage::add_to_series(int64_t from, int64_t to) {
  const double length = static_cast<double>(window_.length()) / static_cast<double>(kParts);
  const auto begin = static_cast<double>(from - window_.begin) / length;
  const auto end = static_cast<double>(to - window_.begin) / length;
  for (auto part = static_cast<size_t>(begin); part < kParts; ++part) {
    const auto number = static_cast<double>(part);
    const double share = std::min(end, number + 1) - std::max(begin, number);
    if (share <= 0) break;
    for (size_t site = 0; site < site_used_.size(); ++site) {
      site_vcpus_[site][part] += share * static_cast<double>(site_used_[site].vcpus);
      site_memory_[site][part] += share * static_cast<double>(site_used_[site].memory_mib);
    }
  }
}

void Usage::update(uint32_t index) {
  const HostLoad& host = fleet_.hosts()[index];
  HostUse& use = hosts_[index];
  const Volume used{host.used.vcpus[kShared], mebibytes_of(host.used.memory)};
  const bool in_use = host.guests > 0;
  if (used.vcpus < use.used.vcpus) keep_peak();
  subtract(used_, use.used);
  subtract(site_used_[use.site], use.used);
  subtract(stranded_, use.stranded);
  if (use.in_use) subtract(in_use_, use.all);
  hosts_used_ -= use.in_use ? 1 : 0;

  use.used = used;
  use.in_use = in_use;
  use.stranded = {};
  if (in_use && host.accepting && !host.fenced) {
    const Volume free{host.room.vcpus[kShared], host.room.memory / kMebibyte};
    use.stranded = stranded_of(free, smallest_);
  }
  add(used_, use.used);
  add(site_used_[use.site], use.used);
  add(stranded_, use.stranded);
  if (in_use) add(in_use_, use.all);
  hosts_used_ += in_use ? 1 : 0;
  vcpus_now_[index] = static_cast<int32_t>(used.vcpus);
  note_peak();
}

void Usage::note_peak() {
  if (used_.vcpus > most_used_.vcpus || used_.memory_mib > most_used_.memory_mib) {
    most_used_.vcpus = std::max(most_used_.vcpus, used_.vcpus);
    most_used_.memory_mib = std::max(most_used_.memory_mib, used_.memory_mib);
    peak_bound_ = std::max(peak_bound_, bound_.hosts_for(used_));
  }
  if (hosts_used_ < peak_hosts_used_) return;
  if (hosts_used_ == peak_hosts_used_ && used_.vcpus <= peak_vcpus_) return;
  peak_hosts_used_ = hosts_used_;
  peak_vcpus_ = used_.vcpus;
  peak_time_ = now_;
  at_peak_ = true;
}

// Called before what is there becomes less, so that a rise costs nothing.
void Usage::keep_peak() {
  if (!at_peak_) return;
  vcpus_at_peak_ = vcpus_now_;
  at_peak_ = false;
}

double Usage::average_hosts_used() const {
  return integrals_.hosts / static_cast<double>(window_.length());
}
double Usage::average_bound() const {
  return integrals_.bound / static_cast<double>(window_.length());
}
double Usage::stranded_vcpu_fraction() const {
  return ratio(integrals_.stranded_vcpus, integrals_.vcpus_in_use);
}
double Usage::stranded_memory_fraction() const {
  return ratio(integrals_.stranded_memory, integrals_.memory_in_use);
}
double Usage::average_vcpu_load() const {
  const double length = static_cast<double>(window_.length());
  return ratio(integrals_.used_vcpus / length, static_cast<double>(all_.vcpus));
}
double Usage::average_memory_load() const {
  const double length = static_cast<double>(window_.length());
  return ratio(integrals_.used_memory / length, static_cast<double>(all_.memory_mib));
}

LoadSeries Usage::series() const {
  LoadSeries series{.window = window_};
  for (size_t site = 0; site < site_used_.size(); ++site) {
    LoadSeries::Site one{.id = fleet_.sites()[site].id};
    for (size_t part = 0; part < kParts; ++part) {
      const Volume& all = site_all_[site];
      one.vcpus.push_back(ratio(site_vcpus_[site][part], static_cast<double>(all.vcpus)));
      one.memory.push_back(ratio(site_memory_[site][part], static_cast<double>(all.memory_mib)));
    }
    series.sites.push_back(std::move(one));
  }
  return series;
}

PeakMap Usage::peak_map() {
  keep_peak();
  PeakMap map{.time = peak_time_};
  for (const RackLoad& rack : fleet_.racks()) {
    PeakMap::Rack one{.id = rack.id};
    for (uint32_t host = rack.first_host; host < rack.end_host; ++host) {
      one.vcpus.push_back(ratio(vcpus_at_peak_[host], static_cast<double>(hosts_[host].all.vcpus)));
    }
    map.racks.push_back(std::move(one));
  }
  return map;
}

}  // namespace stellwerk::placement::simulate

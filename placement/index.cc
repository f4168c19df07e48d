#include "placement/index.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

namespace stellwerk::placement {
namespace {

class Hasher {
 public:
  void add(uint64_t value) {
    hash_ = (hash_ ^ value) * 0x9E3779B97F4A7C15;
    hash_ ^= hash_ >> 29;
  }
  void add(const std::string& text) { add(std::hash<std::string>()(text)); }
  void add(const std::vector<LabelMatch>& labels) {
    add(labels.size());
    for (const LabelMatch& label : labels) {
      add(label.key);
      add(label.value ? 1 : 0);
      if (label.value) add(*label.value);
    }
  }
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 0;
};

// Of everything that one host decides by itself.
uint64_t hash_of(const Request& request, Purpose purpose) {
  Hasher hash;
  hash.add(static_cast<uint64_t>(purpose) << 32 | static_cast<uint64_t>(request.cpu_class) << 24 |
           static_cast<uint64_t>(request.disk_type) << 16 |
           static_cast<uint64_t>(request.numa_nodes) << 8 |
           static_cast<uint64_t>(request.page_size));
  hash.add(static_cast<uint64_t>(request.vcpus.count()));
  hash.add(static_cast<uint64_t>(request.memory.count()));
  hash.add(static_cast<uint64_t>(request.disk.count()));
  hash.add(static_cast<uint64_t>(request.pages) << 32 ^
           static_cast<uint64_t>(request.bandwidth.count()));
  for (const DeviceCount& device : request.devices) {
    hash.add(device.device_class);
    hash.add(static_cast<uint64_t>(device.count));
  }
  if (!request.wishes.required_labels.empty()) hash.add(request.wishes.required_labels);
  hash.add(1);
  if (!request.wishes.forbidden_labels.empty()) hash.add(request.wishes.forbidden_labels);
  if (!request.wishes.cpu_baseline.empty()) hash.add(request.wishes.cpu_baseline);
  return hash.value();
}

bool same_shape(const Request& a, const Request& b) {
  return a.cpu_class == b.cpu_class && a.vcpus == b.vcpus && a.memory == b.memory &&
         a.disk == b.disk && a.disk_type == b.disk_type && a.numa_nodes == b.numa_nodes &&
         a.page_size == b.page_size && a.pages == b.pages && a.bandwidth == b.bandwidth &&
         a.devices == b.devices && a.wishes.required_labels == b.wishes.required_labels &&
         a.wishes.forbidden_labels == b.wishes.forbidden_labels &&
         a.wishes.cpu_baseline == b.wishes.cpu_baseline;
}

constexpr size_t kWordsPerHost = Index::kMostColumns / 64;

// So many scores are replaced at once when the mix of sizes changes; of more, so many blocks with
// every change of a host.
constexpr size_t kScoresAtOnce = 50'000;
constexpr size_t kBlocksAtATime = 2;

constexpr uint32_t kBlocksPerLook = 32;

int32_t least_of(const int32_t* scores, uint32_t count) {
  int32_t least = kNoFit;
  for (uint32_t i = 0; i < count; ++i) least = std::min(least, scores[i]);
  return least;
}

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
__attribute__((optimize("O3"), target_clones("avx2", "default")))
#endif
bool any_at_most(const int32_t* values, int32_t most) {
  int32_t found = 0;
  for (uint32_t i = 0; i < kBlocksPerLook; ++i) found |= values[i] <= most ? 1 : 0;
  return found != 0;
}

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
__attribute__((optimize("O3"), target_clones("avx2", "default")))
#endif
int32_t
least_of_many(const int32_t* values, size_t count) {
  int32_t least = kNoFit;
  for (size_t i = 0; i < count; ++i) least = values[i] < least ? values[i] : least;
  return least;
}

}  // namespace

Index::Index(const Fleet& fleet, Policy policy) : policy_(policy) {
  block_of_host_.resize(fleet.hosts().size());
  eligible_.resize(fleet.hosts().size() * kWordsPerHost);
  for (uint32_t rack = 0; rack < fleet.racks().size(); ++rack) {
    const RackLoad& load = fleet.racks()[rack];
    for (uint32_t first = load.first_host; first < load.end_host; first += kMostHostsPerBlock) {
      const uint32_t end = std::min(first + kMostHostsPerBlock, load.end_host);
      for (uint32_t host = first; host < end; ++host) {
        block_of_host_[host] = static_cast<uint32_t>(blocks_.size());
      }
      blocks_.push_back({.first_host = first, .end_host = end, .rack = rack});
    }
  }
}

int32_t* Index::scores_of(size_t column, uint32_t block) {
  return const_cast<int32_t*>(scores(column, block));
}

Index::Subject Index::subject(const HostLoad& host) {
  std::fill(scores_by_size_.begin(), scores_by_size_.end(), -1);
  return {.host = host,
          .size = size_of(host, mixes_, policy_),
          .idle_devices = cost_of_idle_devices(policy_, host)};
}

bool Index::is_eligible_for(uint32_t host, size_t column) const {
  return (eligible_[host * kWordsPerHost + column / 64] >> column % 64 & 1) != 0;
}

void Index::decide_eligible(const HostLoad& load, uint32_t host, size_t column) {
  uint64_t& word = eligible_[host * kWordsPerHost + column / 64];
  const uint64_t bit = uint64_t{1} << column % 64;
  word = is_eligible(load, columns_[column].ask) ? word | bit : word & ~bit;
}

int32_t Index::score_of(const Subject& subject, size_t column) {
  const Needs& needs = needs_[column];
  if (needs.bound_to_nodes) {
    return score_on_nodes(policy_, subject.host, subject.size, columns_[column].ask, mixes_);
  }
  int32_t& score = scores_by_size_[needs.size];
  if (score < 0) score = score_of_size(policy_, subject.size, sizes_[needs.size], mixes_);
  return score;
}

int32_t Index::compute(const Subject& subject, uint32_t host, size_t column) {
  const Needs& needs = needs_[column];
  const Room& room = subject.host.room;
  if (!is_eligible_for(host, column)) return kNoFit;
  const PlainNeeds& basic = needs.basic;
  if (needs.backup) return least_backup_cost(subject.host, basic);
  if (basic.memory > room.memory || basic.vcpus > room.vcpus[basic.cpu_class] ||
      basic.disk > room.disk || basic.bandwidth > room.bandwidth) {
    return kNoFit;
  }
  if (needs.needs_more && !has_room_for(subject.host, columns_[column].ask)) return kNoFit;
  const int32_t score = score_of(subject, column);
  return std::min(score + (needs.takes_devices ? 0 : subject.idle_devices), kNoFit - 1);
}

void Index::fill_block(const Fleet& fleet, size_t column, uint32_t block) {
  const Block& at = blocks_[block];
  int32_t* scores = scores_of(column, block);
  for (uint32_t host = at.first_host; host < at.end_host; ++host) {
    scores[host - at.first_host] = compute(subject(fleet.hosts()[host]), host, column);
  }
  least_[column * blocks_.size() + block] = least_of(scores, at.end_host - at.first_host);
}

void Index::fill(const Fleet& fleet, size_t column) {
  for (uint32_t host = 0; host < fleet.hosts().size(); ++host) {
    decide_eligible(fleet.hosts()[host], host, column);
  }
  for (uint32_t block = 0; block < blocks_.size(); ++block) fill_block(fleet, column, block);
}

void Index::adopt(const Fleet& fleet, const Mixes& mixes) {
  mixes_ = mixes;
  next_stale_ = 0;
  if (block_of_host_.size() * columns_.size() > kScoresAtOnce) return;
  for (size_t column = 0; column < columns_.size(); ++column) fill(fleet, column);
  next_stale_ = SIZE_MAX;
}

void Index::replace_some(const Fleet& fleet) {
  for (size_t i = 0; i < kBlocksAtATime && next_stale_ != SIZE_MAX; ++i) {
    const size_t block = next_stale_ / std::max<size_t>(columns_.size(), 1);
    if (columns_.empty() || block >= blocks_.size()) {
      next_stale_ = SIZE_MAX;
      return;
    }
    fill_block(fleet, next_stale_ % columns_.size(), static_cast<uint32_t>(block));
    ++next_stale_;
  }
}

int32_t Index::least_of_all(size_t column) const {
  return least_of_many(least(column), blocks_.size());
}

uint32_t Index::next_block(size_t column, uint32_t block, uint32_t end, int32_t most) const {
  const int32_t* least = this->least(column);
  while (block + kBlocksPerLook <= end && !any_at_most(least + block, most)) {
    block += kBlocksPerLook;
  }
  while (block < end && least[block] > most) ++block;
  return block;
}

// Doubles the memory for columns; those that there are keep their numbers.
void Index::grow() {
  const size_t before = capacity_;
  const std::vector<int32_t> old = std::move(scores_);
  capacity_ = std::max<size_t>(8, 2 * before);
  scores_.assign(block_of_host_.size() * capacity_, kNoFit);
  least_.resize(blocks_.size() * capacity_, kNoFit);
  for (const Block& block : blocks_) {
    const size_t size = block.end_host - block.first_host;
    std::copy_n(old.begin() + static_cast<int64_t>(block.first_host * before), before * size,
                scores_.begin() + static_cast<int64_t>(block.first_host * capacity_));
  }
}

size_t Index::column(const Fleet& fleet, const Ask& ask, Purpose purpose) {
  const uint64_t hash = hash_of(ask.request, purpose);
  ++uses_;
  for (size_t i = 0; i < hashes_.size(); ++i) {
    if (hashes_[i] != hash) continue;
    ColumnHead& head = columns_[i];
    if (head.purpose != purpose || !same_shape(head.ask.request, ask.request)) continue;
    head.last_use = uses_;
    return i;
  }
  const size_t made = place_for_column();
  hashes_[made] = hash;
  const Request& request = ask.request;
  needs_[made] = {.basic = plain_needs(ask),
                  .size = number_of(size_of(ask, mixes_)),
                  .backup = purpose == Purpose::kBackup,
                  .needs_more = request.numa_nodes > 0 || request.page_size != PageSize::kNormal ||
                                !request.devices.empty(),
                  .bound_to_nodes = is_bound_to_nodes(ask),
                  .takes_devices = !request.devices.empty()};
  ColumnHead& head = columns_[made];
  head.purpose = purpose;
  head.last_use = uses_;
  head.ask = ask;
  fill(fleet, made);
  return made;
}

size_t Index::place_for_column() {
  if (columns_.size() < kMostColumns) {
    if (columns_.size() == capacity_) grow();
    columns_.emplace_back();
    needs_.emplace_back();
    hashes_.push_back(0);
    return columns_.size() - 1;
  }
  const auto oldest = std::min_element(
      columns_.begin(), columns_.end(),
      [](const ColumnHead& a, const ColumnHead& b) { return a.last_use < b.last_use; });
  return static_cast<size_t>(oldest - columns_.begin());
}

uint32_t Index::number_of(const SizeMix::Size& size) {
  const auto found = std::find(sizes_.begin(), sizes_.end(), size);
  if (found != sizes_.end()) return static_cast<uint32_t>(found - sizes_.begin());
  if (sizes_.size() >= 2 * kMostColumns) forget_sizes();
  sizes_.push_back(size);
  scores_by_size_.resize(sizes_.size());
  return static_cast<uint32_t>(sizes_.size() - 1);
}

// Those of columns that gave way.
void Index::forget_sizes() {
  const std::vector<SizeMix::Size> all = std::exchange(sizes_, {});
  for (Needs& needs : needs_) needs.size = number_of(all[needs.size]);
}

void Index::prefetch(uint32_t host) const {
  const uint32_t block = block_of_host_[host];
  const Block& at = blocks_[block];
  const int32_t* mine = scores(0, block) + (host - at.first_host);
  const int32_t* least = least_.data() + block;
  for (size_t column = 0; column < columns_.size(); ++column) {
    __builtin_prefetch(mine + column * (at.end_host - at.first_host));
    __builtin_prefetch(least + column * blocks_.size());
  }
}

void Index::describe(const Fleet& fleet, uint32_t host) {
  for (size_t column = 0; column < columns_.size(); ++column) {
    decide_eligible(fleet.hosts()[host], host, column);
  }
  refresh(fleet, host);
}

// Columns of one size and different wishes share what is costly.
void Index::refresh(const Fleet& fleet, uint32_t host) {
  const uint32_t block = block_of_host_[host];
  const Block& at = blocks_[block];
  const Subject changed = subject(fleet.hosts()[host]);
  const uint32_t size = at.end_host - at.first_host;
  int32_t* scores = scores_of(0, block);
  int32_t* least = least_.data() + block;
  for (size_t column = 0; column < columns_.size(); ++column) {
    const int32_t now = compute(changed, host, column);
    const int32_t before = std::exchange(scores[host - at.first_host], now);
    if (now < before) {
      *least = std::min(*least, now);
    } else if (now > before && before == *least) {
      *least = least_of(scores, size);
    }
    scores += size;
    least += blocks_.size();
  }
  replace_some(fleet);
}

}  // namespace stellwerk::placement

// Scores of every host for the requests that were made of late, so that a decision compares numbers
// instead of hosts. A request's shape (all that one host decides by itself) has a column of scores,
// one for each host, and the least score of each block of hosts. When a host changes, its score is
// computed anew in every column: the index never lags.
//
// Invariant: column(shape)[host] < kNoFit exactly if the host fits; it is the host's score by the
// present mix of sizes, or, for a while after that has changed, by the one before. One thread at a
// time.
#pragma once

#include <cstdint>
#include <vector>

#include "placement/failover.h"
#include "placement/fleet.h"
#include "placement/rules.h"
#include "placement/score.h"

namespace stellwerk::placement {

// Consecutive hosts of one rack.
struct Block {
  uint32_t first_host = 0;
  uint32_t end_host = 0;
  uint32_t rack = 0;
};

// What a column holds: how well a guest fits, or what its backup costs.
enum class Purpose : uint8_t { kGuest, kBackup };

class Index {
 public:
  static constexpr uint32_t kMostHostsPerBlock = 64;
  static constexpr size_t kMostColumns = 256;

  Index(const Fleet& fleet, Policy policy);

  const std::vector<Block>& blocks() const { return blocks_; }
  uint32_t block_of(uint32_t host) const { return block_of_host_[host]; }

  // Makes the column if there is none for this shape; the least used one gives way.
  size_t column(const Fleet& fleet, const Ask& ask, Purpose purpose);
  // Of each block, in their order.
  const int32_t* least(size_t column) const { return least_.data() + column * blocks_.size(); }
  int32_t least_of_all(size_t column) const;
  // The first block from `block` on, before `end`, whose least score is at most `most`; or `end`.
  uint32_t next_block(size_t column, uint32_t block, uint32_t end, int32_t most) const;
  // Of the block's hosts, in their order.
  const int32_t* scores(size_t column, uint32_t block) const {
    const Block& at = blocks_[block];
    return scores_.data() + at.first_host * capacity_ + column * (at.end_host - at.first_host);
  }

  // Has what a refresh of the host will need fetched.
  void prefetch(uint32_t host) const;
  // After what is charged to the host, or kept on it, has changed.
  void refresh(const Fleet& fleet, uint32_t host);
  // After anything else of the host has.
  void describe(const Fleet& fleet, uint32_t host);

  const Mixes& mixes() const { return mixes_; }
  // Scores by the former mixes are replaced by and by, a little with every call of `refresh`.
  void adopt(const Fleet& fleet, const Mixes& mixes);

 private:
  // What a guest needs of any host, packed: all that most columns need to be computed.
  struct Needs {
    PlainNeeds basic;
    uint32_t size = 0;  // in sizes_
    bool backup = false;
    bool needs_more = false;  // of the rules of room than these three
    bool bound_to_nodes = false;
    bool takes_devices = false;
  };
  // One host while its scores are computed.
  struct Subject {
    const HostLoad& host;
    HostSize size;
    int32_t idle_devices = 0;
  };
  struct ColumnHead {
    Purpose purpose = Purpose::kGuest;
    uint64_t last_use = 0;
    Ask ask;
  };

  // For one host at a time.
  Subject subject(const HostLoad& host);
  int32_t compute(const Subject& subject, uint32_t host, size_t column);
  int32_t score_of(const Subject& subject, size_t column);
  bool is_eligible_for(uint32_t host, size_t column) const;
  void decide_eligible(const HostLoad& load, uint32_t host, size_t column);
  uint32_t number_of(const SizeMix::Size& size);
  void forget_sizes();
  void fill(const Fleet& fleet, size_t column);
  void fill_block(const Fleet& fleet, size_t column, uint32_t block);
  void replace_some(const Fleet& fleet);
  size_t place_for_column();
  void grow();
  int32_t* scores_of(size_t column, uint32_t block);

  const Policy policy_;
  Mixes mixes_;
  // The next score to replace, counted by block and then column; none left: the end.
  size_t next_stale_ = SIZE_MAX;
  std::vector<Block> blocks_;
  std::vector<uint32_t> block_of_host_;
  std::vector<ColumnHead> columns_;
  std::vector<Needs> needs_;
  std::vector<SizeMix::Size> sizes_;  // of guests, each once
  // Whether a host is eligible for a column: a bit each, kMostColumns for every host.
  std::vector<uint64_t> eligible_;
  std::vector<int32_t> scores_by_size_;  // of the host in hand; negative: not yet computed
  std::vector<uint64_t> hashes_;         // of the columns' shapes
  size_t capacity_ = 0;                  // columns that there is memory for
  std::vector<int32_t> scores_;          // by block, then column, then host
  std::vector<int32_t> least_;           // by column, then block
  uint64_t uses_ = 0;
};

}  // namespace stellwerk::placement

// Finds files of images on a host that no record knows: left over from a store that was put back
// from a backup, or of a deletion that nobody finished. They go after a grace period, in which
// somebody can say that it was a mistake. Level-triggered: what counts is what is there now.
//
// Soft state, pure; one thread at a time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/ids.h"
#include "core/time.h"

namespace stellwerk::controller {

class ImageAudit {
 public:
  struct Config {
    Duration every{};  // zero: never
    Duration grace{};  // from when a file was first seen unclaimed
  };
  explicit ImageAudit(Config config) : config_(config) {}

  struct Findings {
    std::vector<ImageUid> fresh;    // unclaimed since this look
    std::vector<ImageUid> expired;  // their grace is over
  };
  // `files`: what lies there. `claimed`: who has a use for it.
  Findings look(const std::vector<ImageUid>& files,
                const std::function<bool(const ImageUid&)>& claimed, MonotonicTime now);

  // True once for each look that is due; the next is due `every` later.
  bool take_due(MonotonicTime now);
  std::optional<MonotonicTime> next() const { return next_; }

  // Expired, and not looked at again since.
  bool is_going(const ImageUid& image) const { return going_.contains(image); }
  // Of one that is kept after all: true the first time.
  bool note_kept(const ImageUid& image) { return kept_.insert(image).second; }

 private:
  const Config config_;
  std::optional<MonotonicTime> next_;
  std::map<ImageUid, MonotonicTime> unclaimed_;
  std::set<ImageUid> going_;
  std::set<ImageUid> kept_;
};

}  // namespace stellwerk::controller

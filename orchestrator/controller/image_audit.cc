#include "orchestrator/controller/image_audit.h"

#include <utility>

namespace stellwerk::controller {

ImageAudit::Findings ImageAudit::look(const std::vector<ImageUid>& files,
                                      const std::function<bool(const ImageUid&)>& claimed,
                                      MonotonicTime now) {
  Findings findings;
  std::map<ImageUid, MonotonicTime> unclaimed;
  going_.clear();
  for (const ImageUid& image : files) {
    if (claimed(image) || unclaimed.contains(image)) continue;
    const auto before = unclaimed_.find(image);
    if (before == unclaimed_.end()) findings.fresh.push_back(image);
    const MonotonicTime since = before == unclaimed_.end() ? now : before->second;
    unclaimed.emplace(image, since);
    if (now - since < config_.grace) continue;
    findings.expired.push_back(image);
    going_.insert(image);
  }
  std::erase_if(kept_, [&](const ImageUid& image) { return !unclaimed.contains(image); });
  unclaimed_ = std::move(unclaimed);
  return findings;
}

bool ImageAudit::take_due(MonotonicTime now) {
  if (config_.every <= Duration::zero()) return false;
  if (next_ && now < *next_) return false;
  next_ = now + config_.every;
  return true;
}

}  // namespace stellwerk::controller

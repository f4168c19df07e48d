// What the controller has done to images on hosts, and what comes of it: files deleted, sources
// fetched, left-overs found. Decisions lie in the ledger; this is soft and begins anew with every
// process. One thread at a time.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "orchestrator/controller/controller.h"
#include "orchestrator/controller/image_audit.h"
#include "orchestrator/controller/ledger.h"
#include "orchestrator/controller/mutations.h"

namespace stellwerk::controller {

class ImageWork {
 public:
  ImageWork(const ControllerConfig& config, Ledger& ledger, Mutations& mutations);

  // What the last process left: imports whose streams ended with it, fetches and deletions that it
  // did not finish.
  void begin(Now now);
  void receive(const ImageFilesDeleted& deleted, Now now);
  void receive(const ImageFetched& fetched, Now now);
  void receive(const ImportProgressed& progressed, Now now);
  void receive(const ImageFilesListed& listed, Now now);
  // What is to be done now, for release once all that is decided is durable.
  std::vector<Output> take_orders(Now now);
  std::optional<MonotonicTime> wake_at() const;

  const ImportsProgress& progress() const { return progress_; }

 private:
  bool is_importing(const ImageUid& image) const;
  bool is_claimed(const ImageUid& image) const;
  void note_collected(const ImageFilesDeleted& deleted, Now now);

  Ledger& ledger_;
  Mutations& mutations_;
  const Duration delete_retry_;
  const Duration grace_;
  std::vector<Output> orders_;
  std::map<ImageUid, MonotonicTime> retries_;
  std::set<ImageUid> failed_deletions_;  // already told of
  ImportsProgress progress_;
  ImageAudit audit_;
};

}  // namespace stellwerk::controller

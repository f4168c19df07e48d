// The controller: admission, placement, commit, orders to agents. Sans-I/O: inputs and the time go
// in, outputs come out; it owns no socket, clock, thread or random source.
//
// Invariants: at most one commit is in flight; an answer is released only when everything that it
// shows is durable; every mutation, refused ones too, leaves an audit entry in the commit that
// decides it; sums (host load, addresses) are derived from instances and never stored.
// One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/event.h"
#include "core/host_messages.h"
#include "core/time.h"
#include "drivers/store/store.h"
#include "orchestrator/controller/cell_state.h"
#include "orchestrator/controller/requests.h"
#include "placement/engine.h"

namespace stellwerk::controller {

struct ControllerConfig {
  placement::Settings placement;
  // Networks that configuration names; uid and cursors are the store's.
  std::vector<Network> networks;
  size_t max_waiting_requests = 10'000;
  Duration request_memory = std::chrono::hours(24);
  size_t max_log_records = 100'000;
  Duration host_silence = std::chrono::seconds(30);  // after it, phases read UNKNOWN
  Duration commit_retry = std::chrono::milliseconds(500);
  Duration image_delete_retry = std::chrono::seconds(10);
  // How often files of images are compared with records (zero: never), and how long those that
  // nobody knows stay.
  Duration image_audit_every{};
  Duration image_grace = std::chrono::hours(24);
};

// Names one waiting caller; chosen by the shell, unique among those waiting.
using Ticket = uint64_t;

// Inputs.
struct RequestArrived {
  Ticket ticket;
  Request request;
};
struct HostConnected {
  HostHello hello;
};
struct HostReported {
  HostStatus status;
};
struct HostDisconnected {
  HostUid host;
};
struct CommitFinished {
  absl::StatusOr<store::Head> result;
};
struct HeadObserved {
  absl::StatusOr<std::optional<store::Head>> result;
};
struct ImageFilesDeleted {
  ImageUid image;
  absl::Status result;
};
// An image's source has been fetched, or never will be.
struct ImageFetched {
  ImageUid image;
  absl::StatusOr<ImportedContent> content;
};
struct ImportProgressed {
  ImageUid image;
  ImportProgress progress;
};
// Published or half fetched.
struct ImageFilesListed {
  absl::StatusOr<std::vector<ImageUid>> images;
};
struct TimePassed {};
using Input = std::variant<RequestArrived, HostConnected, HostReported, HostDisconnected,
                           CommitFinished, HeadObserved, ImageFilesDeleted, ImageFetched,
                           ImportProgressed, ImageFilesListed, TimePassed>;

// Outputs.
struct SendAnswer {
  Ticket ticket;
  absl::StatusOr<Answer> answer;
};
struct SendOrders {
  HostOrders orders;
};
// Commit `batch` on top of `previous` and report CommitFinished. Never two under way.
struct CommitBatch {
  store::Head previous;
  store::Batch batch;
};
// The outcome of the commit is unknown: read the head and report HeadObserved.
struct ObserveHead {};
// Everything up to here is durable; watchers may read the log up to it.
struct LogGrew {
  Sequence durable;
};
// A fetch of it that is under way ends first. Report ImageFilesDeleted.
struct DeleteImageFiles {
  ImageUid image;
};
// Report ImageFetched in the end; a fetch that an earlier process began goes on.
struct FetchImage {
  ImageUid image;
  ImageSource source;
};
struct ListImageFiles {};
// Another controller has taken over, or the state is beyond repair: the process must exit.
struct StepDown {
  std::string why;
};
using Output = std::variant<SendAnswer, SendOrders, CommitBatch, ObserveHead, LogGrew,
                            DeleteImageFiles, FetchImage, ListImageFiles, StepDown>;

struct StepResult {
  std::vector<Output> outputs;           // to be carried out in order
  std::optional<MonotonicTime> wake_at;  // deliver TimePassed then, at the latest
};

class Controller {
 public:
  // `state` as loaded under `head`, which is this controller's own. `fresh_cell` is the uid that a
  // cell without one gets.
  Controller(ControllerConfig config, CellState state, store::Head head, CellUid fresh_cell);
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  // Call once, before any input: clears up what the last controller left (imports that broke off,
  // deletions under way), creates what a cell must have.
  StepResult start(Now now);
  StepResult step(std::span<const Input> inputs, Now now);

  const CellState& state() const;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace stellwerk::controller

// What the gRPC services need of the daemon: the controller behind its thread, the log for
// watchers, a place for uploads. Implemented by the daemon's controller runtime.
#pragma once

#include <functional>
#include <memory>

#include "core/event.h"
#include "core/status.h"
#include "drivers/storage/storage.h"
#include "orchestrator/controller/requests.h"

namespace stellwerk::server {

using AnswerCallback = std::function<void(absl::StatusOr<controller::Answer>)>;

struct LogPage {
  std::vector<LogRecord> records;  // ascending, after the place asked for
  Sequence read_up_to;             // nothing more is durable in between
  bool more = false;               // the limit was reached before the durable end
};

class Gateway {
 public:
  virtual ~Gateway() = default;

  // Queues the request; `done` is called exactly once, from the controller's thread.
  // ResourceExhausted at once when too many wait.
  virtual void submit(controller::Request request, AnswerCallback done) = 0;

  virtual CellUid cell() const = 0;
  // The newest durable sequence.
  virtual Sequence durable() const = 0;
  // Blocking. Records with sequence in (after, durable]; OutOfRange with reason TOKEN_TRIMMED when
  // records after `after` have been trimmed, TOKEN_FROM_THE_FUTURE when `after` > durable. An
  // `after` of zero means the oldest record kept and is never trimmed.
  virtual absl::StatusOr<LogPage> read_log(Sequence after, size_t limit) = 0;
  // `listener` is called from the controller's thread whenever `durable` grows, and only posts.
  // Returns an id for `unlisten`, after which it is not called again.
  virtual uint64_t listen(std::function<void(Sequence)> listener) = 0;
  virtual void unlisten(uint64_t id) = 0;

  // Runs `work` on the bounded pool for what blocks.
  virtual void run_blocking(std::function<void()> work) = 0;
  virtual storage::Storage& images() = 0;
  // How far an import is; only posts.
  virtual void report_progress(const ImageUid& image,
                               const controller::ImportProgress& progress) = 0;
  // A random request id, for callers that gave none.
  virtual RequestId fresh_request_id() = 0;
};

}  // namespace stellwerk::server

// What the console service needs of whoever keeps the guests' consoles: in this process the host's
// own keeper, in a fleet a relay to it. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/console.h"
#include "core/ids.h"
#include "core/status.h"

namespace stellwerk::server {

class ConsoleGateway {
 public:
  using Attachment = uint64_t;

  virtual ~ConsoleGateway() = default;

  // Blocks. `wake` is called, from any thread, when `next` or `input` may answer otherwise; it is
  // brief, and may come once more after `detach`. ResourceExhausted with reason
  // TOO_MANY_ATTACHMENTS; FailedPrecondition with CONSOLE_BUSY, which names who types.
  virtual absl::StatusOr<Attachment> attach(const InstanceUid& instance, const ConsoleAttach& wish,
                                            std::function<void()> wake) = 0;
  virtual void detach(Attachment attachment) = 0;

  // The next thing for this attachment, output of at most `most` bytes; nothing yet; or why there
  // will be nothing more.
  virtual absl::StatusOr<std::optional<ConsolePortion>> next(Attachment attachment,
                                                             size_t most) = 0;

  // FailedPrecondition with NOT_THE_WRITER.
  virtual absl::Status type(Attachment attachment, std::string_view bytes) = 0;
  struct Input {
    bool wanted = false;   // more may be typed
    bool drained = false;  // the guest has taken everything
  };
  virtual Input input(Attachment attachment) = 0;

  // Blocks. The last bytes that the guest wrote; empty if it never wrote any.
  virtual absl::StatusOr<std::string> log(const InstanceUid& instance, size_t most) = 0;
};

}  // namespace stellwerk::server

// One guest's console: the tail of what it wrote, who is attached, and who may type.
//
// Attached readers own no buffer: each has a place in the tail, and one that falls behind it loses
// output and is told how much. So the guest never waits for a reader, and a reader costs nothing
// but its place. What is typed waits in a bounded buffer for a guest that is slow to take it; with
// no guest it is dropped, because it was not meant for whatever boots next. Sans-I/O; one thread at
// a time.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/console.h"
#include "core/status.h"

namespace stellwerk::agent {

// Reasons of refusals; stable.
inline constexpr std::string_view kConsoleBusy = "CONSOLE_BUSY";
inline constexpr std::string_view kTooManyAttachments = "TOO_MANY_ATTACHMENTS";
inline constexpr std::string_view kNotTheWriter = "NOT_THE_WRITER";

// The last `kept` bytes of an endless stream, and a little more. Places count from its beginning.
class ConsoleTail {
 public:
  explicit ConsoleTail(size_t kept) : kept_(kept) {}

  void append(std::string_view bytes);
  uint64_t begin() const { return begin_; }
  uint64_t end() const { return begin_ + bytes_.size(); }
  // From `place`, which must lie between begin and end; at most `most` bytes.
  std::string_view at(uint64_t place, size_t most) const;
  // The last bytes: at most `most`, and at most what is kept.
  std::string_view last(size_t most) const;

 private:
  size_t kept_;
  uint64_t begin_ = 0;
  std::string bytes_;
};

class Console {
 public:
  using AttachmentId = uint64_t;
  struct Limits {
    size_t history = kConsoleHistory;
    size_t attachments = 32;
    size_t pending_input = 16 << 10;  // above it, no more is asked for
    size_t notices = 16;              // that wait for one attachment
  };

  // `history`: what was kept of earlier lives of the guest or of this process.
  Console(Limits limits, std::string_view history);

  void guest_wrote(std::string_view bytes);
  // The guest's end of the console is there, or is gone.
  void guest_came();
  void guest_went();

  // What was typed and not yet passed on.
  std::string_view pending_input() const { return input_; }
  void input_taken(size_t bytes);

  // ResourceExhausted with kTooManyAttachments; FailedPrecondition with kConsoleBusy, which names
  // who types.
  absl::StatusOr<AttachmentId> attach(const ConsoleAttach& wish);
  void detach(AttachmentId id);
  size_t attachments() const { return attached_.size(); }

  // FailedPrecondition with kNotTheWriter.
  absl::Status type(AttachmentId id, std::string_view bytes);
  bool wants_input() const { return input_.size() < limits_.pending_input; }

  // The next thing that this attachment has not been given; nothing: it has had everything.
  std::optional<ConsolePortion> next(AttachmentId id, size_t most);

  std::string_view last(size_t most) const { return tail_.last(most); }

 private:
  struct Notice {
    uint64_t place = 0;  // comes after the output before it
    ConsoleNotice what = ConsoleNotice::kAttached;
    std::string message;
  };
  struct Attachment {
    std::string caller;
    bool writes = false;
    uint64_t place = 0;
    uint64_t history_until = 0;
    bool dropped_said = false;
    std::deque<Notice> notices;
  };

  absl::Status seize_writing(const ConsoleAttach& wish);
  void notify(Attachment& one, ConsoleNotice what, std::string message);
  void notify_all(ConsoleNotice what, const std::string& message);

  const Limits limits_;
  ConsoleTail tail_;
  bool has_guest_ = false;
  std::string input_;
  std::map<AttachmentId, Attachment> attached_;
  std::optional<AttachmentId> writer_;
  AttachmentId next_id_ = 1;
};

}  // namespace stellwerk::agent

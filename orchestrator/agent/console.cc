#include "orchestrator/agent/console.h"

#include <algorithm>

namespace stellwerk::agent {

// Dropping a quarter at a time keeps the copying within a few times what comes in.
void ConsoleTail::append(std::string_view bytes) {
  if (bytes.size() > kept_) {
    begin_ = end() + bytes.size() - kept_;
    bytes_.assign(bytes.substr(bytes.size() - kept_));
    return;
  }
  bytes_.append(bytes);
  if (bytes_.size() <= kept_ + kept_ / 4) return;
  const size_t surplus = bytes_.size() - kept_;
  bytes_.erase(0, surplus);
  begin_ += surplus;
}

std::string_view ConsoleTail::at(uint64_t place, size_t most) const {
  return std::string_view(bytes_).substr(place - begin_, most);
}

std::string_view ConsoleTail::last(size_t most) const {
  const size_t size = std::min({most, kept_, bytes_.size()});
  return std::string_view(bytes_).substr(bytes_.size() - size);
}

Console::Console(Limits limits, std::string_view history) : limits_(limits), tail_(limits.history) {
  tail_.append(history);
}

void Console::guest_wrote(std::string_view bytes) {
  tail_.append(bytes);
}

void Console::guest_came() {
  if (has_guest_) return;
  has_guest_ = true;
  for (auto& [id, one] : attached_) one.dropped_said = false;
  notify_all(ConsoleNotice::kGuestStarted, "the instance has started");
}

void Console::guest_went() {
  if (!has_guest_) return;
  has_guest_ = false;
  input_.clear();
  notify_all(ConsoleNotice::kGuestStopped,
             "the instance has stopped; its console goes on when it starts again");
}

void Console::input_taken(size_t bytes) {
  input_.erase(0, bytes);
}

absl::StatusOr<Console::AttachmentId> Console::attach(const ConsoleAttach& wish) {
  if (attached_.size() >= limits_.attachments) {
    return with_reason(
        resource_exhausted("{} are attached to this console, no more are allowed; end one",
                           limits_.attachments),
        kTooManyAttachments);
  }
  SW_RETURN_IF_ERROR(seize_writing(wish));
  const AttachmentId id = next_id_++;
  Attachment& one = attached_[id];
  one.caller = wish.caller;
  one.writes = wish.access != ConsoleAccess::kRead;
  if (one.writes) writer_ = id;
  one.history_until = tail_.end();
  one.place = tail_.end() - tail_.last(wish.history).size();
  one.notices.push_back(
      {.place = one.place,
       .what = ConsoleNotice::kAttached,
       .message = has_guest_ ? "the instance runs" : "the instance does not run; waiting for it"});
  return id;
}

absl::Status Console::seize_writing(const ConsoleAttach& wish) {
  if (wish.access == ConsoleAccess::kRead || !writer_) return absl::OkStatus();
  Attachment& holder = attached_.at(*writer_);
  if (wish.access == ConsoleAccess::kWrite) {
    return with_reason(failed_precondition("{} types on this console; attach read-only, or force "
                                           "to take over",
                                           holder.caller),
                       kConsoleBusy);
  }
  holder.writes = false;
  input_.clear();
  notify(
      holder, ConsoleNotice::kWriterLost,
      fmt::format("{} has taken over the console; from here on it can only be read", wish.caller));
  writer_.reset();
  return absl::OkStatus();
}

void Console::detach(AttachmentId id) {
  attached_.erase(id);
  if (writer_ == id) writer_.reset();
}

absl::Status Console::type(AttachmentId id, std::string_view bytes) {
  const auto found = attached_.find(id);
  if (found == attached_.end() || !found->second.writes) {
    return with_reason(failed_precondition("this attachment only reads"), kNotTheWriter);
  }
  if (has_guest_) {
    input_.append(bytes);
  } else if (!std::exchange(found->second.dropped_said, true)) {
    notify(found->second, ConsoleNotice::kInputDropped,
           "the instance does not run; what is typed goes nowhere");
  }
  return absl::OkStatus();
}

std::optional<ConsolePortion> Console::next(AttachmentId id, size_t most) {
  const auto found = attached_.find(id);
  if (found == attached_.end()) return std::nullopt;
  Attachment& one = found->second;
  if (one.place < tail_.begin()) {
    const uint64_t lost = tail_.begin() - one.place;
    one.place = tail_.begin();
    return ConsolePortion{.notice = ConsoleNotice::kOutputLost,
                          .message = fmt::format("{} bytes were lost: the guest writes faster than "
                                                 "they are read",
                                                 lost)};
  }
  if (!one.notices.empty() && one.notices.front().place <= one.place) {
    ConsolePortion portion{.notice = one.notices.front().what,
                           .message = std::move(one.notices.front().message)};
    one.notices.pop_front();
    return portion;
  }
  const bool history = one.place < one.history_until;
  const uint64_t until = std::min({one.notices.empty() ? tail_.end() : one.notices.front().place,
                                   history ? one.history_until : tail_.end(), one.place + most});
  if (until <= one.place) return std::nullopt;
  ConsolePortion portion{.output = std::string(tail_.at(one.place, until - one.place)),
                         .history = history};
  one.place = until;
  return portion;
}

void Console::notify(Attachment& one, ConsoleNotice what, std::string message) {
  if (one.notices.size() >= limits_.notices) one.notices.pop_front();
  one.notices.push_back({.place = tail_.end(), .what = what, .message = std::move(message)});
}

void Console::notify_all(ConsoleNotice what, const std::string& message) {
  for (auto& [id, one] : attached_) notify(one, what, message);
}

}  // namespace stellwerk::agent

#include "fake_consoles.h"

#include <utility>
#include <vector>

namespace stellwerk::server {

absl::StatusOr<FakeConsoles::Attachment> FakeConsoles::attach(const InstanceUid&,
                                                              const ConsoleAttach& wish,
                                                              std::function<void()> wake) {
  std::function<void()> hook;
  {
    const std::lock_guard lock(mutex_);
    hook = std::exchange(hook_, nullptr);
  }
  if (hook) hook();
  absl::StatusOr<Attachment> id;
  {
    const std::lock_guard lock(mutex_);
    id = console_.attach(wish);
    if (id.ok()) wakes_[*id] = std::move(wake);
    ++attached_ever_;
  }
  wake_all();
  return id;
}

void FakeConsoles::detach(Attachment attachment) {
  const std::lock_guard lock(mutex_);
  console_.detach(attachment);
  wakes_.erase(attachment);
}

absl::StatusOr<std::optional<ConsolePortion>> FakeConsoles::next(Attachment attachment,
                                                                 size_t most) {
  const std::lock_guard lock(mutex_);
  auto portion = console_.next(attachment, most);
  if (!portion && !end_.ok()) return end_;
  return portion;
}

absl::Status FakeConsoles::type(Attachment attachment, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  return console_.type(attachment, bytes);
}

FakeConsoles::Input FakeConsoles::input(Attachment) {
  const std::lock_guard lock(mutex_);
  return {.wanted = console_.wants_input(), .drained = console_.pending_input().empty()};
}

absl::StatusOr<std::string> FakeConsoles::log(const InstanceUid&, size_t most) {
  const std::lock_guard lock(mutex_);
  return std::string(console_.last(most));
}

void FakeConsoles::change(const std::function<void(agent::Console&)>& how) {
  {
    const std::lock_guard lock(mutex_);
    how(console_);
  }
  wake_all();
}

void FakeConsoles::write(std::string_view text) {
  change([text](agent::Console& console) { console.guest_wrote(text); });
}

std::string FakeConsoles::take_typed() {
  std::string typed;
  change([&typed](agent::Console& console) {
    typed = console.pending_input();
    console.input_taken(typed.size());
  });
  return typed;
}

void FakeConsoles::delete_instance() {
  {
    const std::lock_guard lock(mutex_);
    end_ = with_reason(not_found("the instance has been deleted"), "INSTANCE_DELETED");
  }
  wake_all();
}

size_t FakeConsoles::attached_ever() const {
  const std::lock_guard lock(mutex_);
  return attached_ever_;
}

size_t FakeConsoles::attachments() const {
  const std::lock_guard lock(mutex_);
  return console_.attachments();
}

void FakeConsoles::before_next_attach(std::function<void()> hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

void FakeConsoles::wake_all() {
  std::vector<std::function<void()>> wakes;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, wake] : wakes_) wakes.push_back(wake);
  }
  for (const auto& wake : wakes) wake();
}

}  // namespace stellwerk::server

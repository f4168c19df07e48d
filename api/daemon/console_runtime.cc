#include "api/daemon/console_runtime.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "api/daemon/one_line.h"

namespace stellwerk::daemon {

// Guarded by the runtime's mutex, but for what says otherwise.
struct ConsoleRuntime::Kept {
  Kept(InstanceUid uid, const std::string& path, const agent::Console::Limits& limits,
       std::string_view past)
      : instance(uid), console(limits, past), history(path, limits.history) {}

  const InstanceUid instance;
  agent::Console console;
  std::shared_ptr<ConsoleLink> link;  // none: no guest
  std::string unsaved;                // at most a history: what came before is of no use any more
  bool saving = false;
  absl::Status end;               // not OK: the instance is gone
  agent::ConsoleHistory history;  // the saver's
  std::string trouble_with_disk;  // the saver's
};

ConsoleRuntime::ConsoleRuntime(Parts parts, agent::Console::Limits limits)
    : parts_(parts),
      limits_(limits),
      work_(boost::asio::make_work_guard(io_)),
      thread_([this] { io_.run(); }),
      saver_({.name = "sw-history", .threads = 1, .max_waiting = 1}) {
  ::pthread_setname_np(thread_.native_handle(), "sw-console");
}

ConsoleRuntime::~ConsoleRuntime() {
  io_.stop();
  thread_.join();
  while (!saver_.stop(std::chrono::seconds(1))) {
  }
  save();
  // A link and what it belongs to hold each other, and neither may outlive the io_context.
  for (const auto& [instance, kept] : kept_) kept->link.reset();
  kept_.clear();
  attached_.clear();
}

std::string ConsoleRuntime::socket_of(const InstanceUid& instance) const {
  return parts_.consoles.socket_of(instance);
}

std::string ConsoleRuntime::history_path(const InstanceUid& instance) const {
  return parts_.storage.paths(instance).console_log;
}

ConsoleRuntime::KeptHandle ConsoleRuntime::keep(const InstanceUid& instance) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = kept_.find(instance); found != kept_.end()) return found->second;
  }
  const std::string path = history_path(instance);
  auto fresh = std::make_shared<Kept>(instance, path, limits_,
                                      agent::ConsoleHistory(path, limits_.history).load());
  const std::lock_guard lock(mutex_);
  return kept_.try_emplace(instance, std::move(fresh)).first->second;
}

bool ConsoleRuntime::is_connected(const InstanceUid& instance) {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(instance);
  return found != kept_.end() && found->second->link &&
         ConsoleLink::is_alive(found->second->link->descriptor());
}

absl::Status ConsoleRuntime::connect(const InstanceUid& instance) {
  const std::lock_guard one_at_a_time(connecting_);
  if (is_connected(instance)) return absl::OkStatus();
  SW_ASSIGN_OR_RETURN(Descriptor console, parts_.consoles.open(instance));
  const KeptHandle kept = keep(instance);
  const auto link = std::make_shared<ConsoleLink>(
      io_, std::move(console),
      ConsoleLink::Callbacks{
          .heard = [this, kept](std::string_view bytes) { heard(kept, bytes); },
          .pending = [this, kept] { return typed(kept); },
          .written = [this, kept](size_t bytes) { passed_on(kept, bytes); },
          .ended = [this, kept](const ConsoleLink* ended) { link_ended(kept, ended); }});
  Wakes wakes;
  {
    const std::lock_guard lock(mutex_);
    kept->console.guest_went();  // if the end of the former one was not seen yet
    kept->link = link;
    kept->console.guest_came();
    wakes = wakes_of(kept);
  }
  boost::asio::post(io_, [link] { link->start(); });
  for (const auto& wake : wakes) wake();
  spdlog::debug("console opened instance={}", instance.to_string());
  return absl::OkStatus();
}

void ConsoleRuntime::created(const InstanceUid& instance) {
  const absl::Status connected = connect(instance);
  if (connected.ok()) return;
  spdlog::warn("console not opened instance={} why=\"{}\"", instance.to_string(),
               one_line(describe(connected)));
}

void ConsoleRuntime::observed(const std::vector<hypervisor::ObservedDomain>& domains) {
  for (const hypervisor::ObservedDomain& domain : domains) {
    if (!domain.owner) continue;
    const absl::Status connected = connect(domain.owner->instance);
    if (connected.ok() || absl::IsNotFound(connected)) continue;
    spdlog::warn("console not opened instance={} why=\"{}\"", domain.owner->instance.to_string(),
                 one_line(describe(connected)));
  }
}

void ConsoleRuntime::deleted(const InstanceUid& instance) {
  Wakes wakes;
  std::shared_ptr<ConsoleLink> link;
  {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.find(instance);
    if (found == kept_.end()) return;
    const KeptHandle kept = found->second;
    kept_.erase(found);
    kept->end = with_reason(not_found("the instance has been deleted"), "INSTANCE_DELETED");
    kept->unsaved.clear();
    link = std::exchange(kept->link, nullptr);
    wakes = wakes_of(kept);
  }
  if (link) boost::asio::post(io_, [link] { link->close(); });
  for (const auto& wake : wakes) wake();
}

absl::StatusOr<ConsoleRuntime::Attachment> ConsoleRuntime::attach(const InstanceUid& instance,
                                                                  const ConsoleAttach& wish,
                                                                  std::function<void()> wake) {
  const KeptHandle kept = keep(instance);
  Wakes wakes;
  Attachment handle = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!kept->end.ok()) return kept->end;
    const auto id = kept->console.attach(wish);
    if (!id.ok()) return id.status();
    wakes = wakes_of(kept);  // one may have lost its writing
    handle = next_attachment_++;
    attached_[handle] = {.kept = kept, .id = *id, .wake = std::move(wake)};
  }
  for (const auto& one : wakes) one();
  return handle;
}

void ConsoleRuntime::detach(Attachment attachment) {
  const std::lock_guard lock(mutex_);
  const auto found = attached_.find(attachment);
  if (found == attached_.end()) return;
  const KeptHandle kept = found->second.kept;
  kept->console.detach(found->second.id);
  attached_.erase(found);
  forget_if_idle(kept);
}

// What nobody uses is on disk; without this, every stopped instance ever looked at would stay.
void ConsoleRuntime::forget_if_idle(const KeptHandle& kept) {
  if (kept->link || kept->saving || !kept->unsaved.empty() || kept->console.attachments() > 0) {
    return;
  }
  const auto found = kept_.find(kept->instance);
  if (found != kept_.end() && found->second == kept) kept_.erase(found);
}

absl::StatusOr<std::optional<ConsolePortion>> ConsoleRuntime::next(Attachment attachment,
                                                                   size_t most) {
  const std::lock_guard lock(mutex_);
  const auto found = attached_.find(attachment);
  if (found == attached_.end()) return internal_error("this attachment has ended");
  const KeptHandle& kept = found->second.kept;
  std::optional<ConsolePortion> portion = kept->console.next(found->second.id, most);
  if (!portion && !kept->end.ok()) return kept->end;
  return portion;
}

absl::Status ConsoleRuntime::type(Attachment attachment, std::string_view bytes) {
  std::shared_ptr<ConsoleLink> link;
  std::function<void()> wake;
  {
    const std::lock_guard lock(mutex_);
    const auto found = attached_.find(attachment);
    if (found == attached_.end()) return internal_error("this attachment has ended");
    SW_RETURN_IF_ERROR(found->second.kept->console.type(found->second.id, bytes));
    link = found->second.kept->link;
    if (!link) wake = found->second.wake;  // it is told that nobody listens
  }
  if (link) boost::asio::post(io_, [link] { link->flush(); });
  if (wake) wake();
  return absl::OkStatus();
}

ConsoleRuntime::Input ConsoleRuntime::input(Attachment attachment) {
  const std::lock_guard lock(mutex_);
  const auto found = attached_.find(attachment);
  if (found == attached_.end()) return {};
  const agent::Console& console = found->second.kept->console;
  return {.wanted = console.wants_input(), .drained = console.pending_input().empty()};
}

absl::StatusOr<std::string> ConsoleRuntime::log(const InstanceUid& instance, size_t most) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.find(instance);
    if (found != kept_.end()) return std::string(found->second->console.last(most));
  }
  std::string text = agent::ConsoleHistory(history_path(instance), limits_.history).load();
  if (text.size() > most) text.erase(0, text.size() - most);
  return text;
}

void ConsoleRuntime::heard(const KeptHandle& kept, std::string_view bytes) {
  Wakes wakes;
  bool save_now = false;
  {
    const std::lock_guard lock(mutex_);
    if (!kept->end.ok()) return;
    kept->console.guest_wrote(bytes);
    kept->unsaved.append(bytes);
    if (kept->unsaved.size() > limits_.history) {
      kept->unsaved.erase(0, kept->unsaved.size() - limits_.history);
    }
    if (!std::exchange(kept->saving, true)) {
      unsaved_.push_back(kept);
      save_now = true;
    }
    wakes = wakes_of(kept);
  }
  if (save_now) saver_.run_beyond_limit([this] { save(); });
  for (const auto& wake : wakes) wake();
}

std::string ConsoleRuntime::typed(const KeptHandle& kept) {
  const std::lock_guard lock(mutex_);
  return std::string(kept->console.pending_input());
}

void ConsoleRuntime::passed_on(const KeptHandle& kept, size_t bytes) {
  Wakes wakes;
  {
    const std::lock_guard lock(mutex_);
    kept->console.input_taken(bytes);
    wakes = wakes_of(kept);
  }
  for (const auto& wake : wakes) wake();
}

void ConsoleRuntime::link_ended(const KeptHandle& kept, const ConsoleLink* link) {
  Wakes wakes;
  {
    const std::lock_guard lock(mutex_);
    if (kept->link.get() != link) return;  // another has taken its place
    kept->link.reset();
    kept->console.guest_went();
    wakes = wakes_of(kept);
    forget_if_idle(kept);
  }
  for (const auto& wake : wakes) wake();
  spdlog::debug("console closed instance={}", kept->instance.to_string());
}

ConsoleRuntime::Wakes ConsoleRuntime::wakes_of(const KeptHandle& kept) const {
  Wakes wakes;
  if (kept->console.attachments() == 0) return wakes;
  for (const auto& [handle, attached] : attached_) {
    if (attached.kept == kept) wakes.push_back(attached.wake);
  }
  return wakes;
}

// Trouble with a disk is told when it changes; the guest does not notice.
void ConsoleRuntime::save() {
  std::vector<KeptHandle> due;
  {
    const std::lock_guard lock(mutex_);
    due.swap(unsaved_);
  }
  for (const KeptHandle& kept : due) {
    std::string bytes;
    {
      const std::lock_guard lock(mutex_);
      bytes.swap(kept->unsaved);
      kept->saving = false;
    }
    const absl::Status saved = bytes.empty() ? absl::OkStatus() : kept->history.append(bytes);
    std::string trouble = saved.ok() ? "" : one_line(describe(saved));
    const std::lock_guard lock(mutex_);
    if (trouble != kept->trouble_with_disk && kept->end.ok() && !saved.ok()) {
      spdlog::warn("console history not written instance={} error=\"{}\"",
                   kept->instance.to_string(), trouble);
    }
    kept->trouble_with_disk = std::move(trouble);
    forget_if_idle(kept);
  }
}

}  // namespace stellwerk::daemon

#include "drivers/hypervisor/libvirt/deadline_calls.h"

#include <system_error>
#include <thread>
#include <utility>

namespace stellwerk::hypervisor {
namespace {

constexpr std::chrono::seconds kPatienceAtEnd(2);

}  // namespace

DeadlineCalls::DeadlineCalls(size_t limit) : limit_(limit) {}

DeadlineCalls::~DeadlineCalls() {
  std::unique_lock lock(shared_->mutex);
  shared_->ended.wait_for(lock, kPatienceAtEnd, [this] { return shared_->under_way == 0; });
}

absl::StatusOr<std::shared_ptr<DeadlineCalls::Ticket>> DeadlineCalls::admit(
    const Request& request) {
  const std::lock_guard lock(shared_->mutex);
  if (request.key && shared_->overdue.contains(*request.key)) {
    return unavailable("{}: an earlier call for {} still hangs in libvirt", request.what,
                       request.key->to_string());
  }
  if (shared_->under_way >= limit_) {
    return unavailable("{}: {} calls to libvirt are under way or hang", request.what, limit_);
  }
  ++shared_->under_way;
  auto ticket = std::make_shared<Ticket>();
  ticket->shared = shared_;
  ticket->key = request.key;
  return ticket;
}

absl::Status DeadlineCalls::launch(std::function<void()> work) {
  try {
    std::thread(std::move(work)).detach();
  } catch (const std::system_error& error) {
    return resource_exhausted("start a thread for a call to libvirt: {}", error.what());
  }
  return absl::OkStatus();
}

absl::Status DeadlineCalls::abandon(const Request& request, Ticket& ticket) {
  const std::lock_guard lock(ticket.shared->mutex);
  ticket.abandoned.set();
  if (ticket.key) ++ticket.shared->overdue[*ticket.key];
  return deadline_exceeded("{}: no answer from libvirt within {}", request.what,
                           to_short_string(request.deadline));
}

DeadlineCalls::Ticket::~Ticket() {
  const std::lock_guard lock(shared->mutex);
  --shared->under_way;
  if (key && abandoned.value()) {
    const auto entry = shared->overdue.find(*key);
    if (--entry->second == 0) shared->overdue.erase(entry);
  }
  shared->ended.notify_all();
}

}  // namespace stellwerk::hypervisor

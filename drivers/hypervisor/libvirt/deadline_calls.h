// Deadlines for calls that have none of their own: libvirt's block for as long as its daemon, or
// one guest's monitor, hangs.
//
// Each call runs on a thread of its own while the caller waits until its deadline. A call that
// overstays is abandoned: it keeps its thread until libvirt lets go, counts against the limit, and
// bars further calls with the same key, so that a late change of one instance never meets a newer
// one. Work must own what it uses. Any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/ids.h"
#include "core/status.h"
#include "core/time.h"

namespace stellwerk::hypervisor {

// Between two steps, work asks whether anyone still waits for it.
class Abandoned {
 public:
  bool value() const { return flag_; }
  void set() { flag_ = true; }

 private:
  std::atomic<bool> flag_ = false;
};

class DeadlineCalls {
 public:
  struct Request {
    std::string what;  // "list the domains"
    std::optional<Uuid> key;
    Duration deadline{};
  };

  explicit DeadlineCalls(size_t limit);
  // Waits a moment for calls to end, then leaves them behind.
  ~DeadlineCalls();
  DeadlineCalls(const DeadlineCalls&) = delete;
  DeadlineCalls& operator=(const DeadlineCalls&) = delete;

  // The work's result; DeadlineExceeded if it overstays; Unavailable if too many calls are under
  // way or an abandoned one has the same key.
  template <class Result>
  Result run(const Request& request, std::function<Result(const Abandoned&)> work) {
    const auto ticket = admit(request);
    if (!ticket.ok()) return ticket.status();
    auto promise = std::make_shared<std::promise<Result>>();
    auto result = promise->get_future();
    const absl::Status launched = launch([promise, ticket = *ticket, work = std::move(work)] {
      promise->set_value(work(ticket->abandoned));
    });
    SW_RETURN_IF_ERROR(launched);
    if (result.wait_for(request.deadline) == std::future_status::ready) return result.get();
    return abandon(request, **ticket);
  }

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable ended;
    size_t under_way = 0;
    std::map<Uuid, int> overdue;
  };
  struct Ticket {
    ~Ticket();
    std::shared_ptr<Shared> shared;
    std::optional<Uuid> key;
    Abandoned abandoned;
  };

  absl::StatusOr<std::shared_ptr<Ticket>> admit(const Request& request);
  static absl::Status launch(std::function<void()> work);
  static absl::Status abandon(const Request& request, Ticket& ticket);

  size_t limit_;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace stellwerk::hypervisor

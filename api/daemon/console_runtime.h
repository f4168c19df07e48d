// The shell around the consoles of this host's guests: opens them, reads them all the time, keeps
// what they say, and passes on what is typed.
//
// Threads: one reads and writes the consoles, one writes histories to disk, so that a slow disk
// stalls no guest; a mutex guards the rest. Nobody is woken under it. Every public function may be
// called from any thread. Lives longer than the hypervisor's driver.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "api/daemon/console_link.h"
#include "api/daemon/worker_pool.h"
#include "api/server/console_gateway.h"
#include "drivers/hypervisor/consoles.h"
#include "drivers/storage/storage.h"
#include "orchestrator/agent/console.h"
#include "orchestrator/agent/console_history.h"
#include "orchestrator/agent/console_keeper.h"

namespace stellwerk::daemon {

class ConsoleRuntime final : public agent::ConsoleKeeper, public server::ConsoleGateway {
 public:
  // The references outlive the runtime.
  struct Parts {
    hypervisor::Consoles& consoles;
    storage::Storage& storage;
  };
  explicit ConsoleRuntime(Parts parts, agent::Console::Limits limits = {});
  // Closes all consoles; what was heard is on disk when it returns.
  ~ConsoleRuntime() override;

  // agent::ConsoleKeeper.
  std::string socket_of(const InstanceUid& instance) const override;
  void created(const InstanceUid& instance) override;
  void observed(const std::vector<hypervisor::ObservedDomain>& domains) override;
  void deleted(const InstanceUid& instance) override;

  // server::ConsoleGateway.
  absl::StatusOr<Attachment> attach(const InstanceUid& instance, const ConsoleAttach& wish,
                                    std::function<void()> wake) override;
  void detach(Attachment attachment) override;
  absl::StatusOr<std::optional<ConsolePortion>> next(Attachment attachment, size_t most) override;
  absl::Status type(Attachment attachment, std::string_view bytes) override;
  Input input(Attachment attachment) override;
  absl::StatusOr<std::string> log(const InstanceUid& instance, size_t most) override;

 private:
  struct Kept;
  using KeptHandle = std::shared_ptr<Kept>;
  using Wakes = std::vector<std::function<void()>>;
  struct Attached {
    KeptHandle kept;
    agent::Console::AttachmentId id = 0;
    std::function<void()> wake;
  };

  std::string history_path(const InstanceUid& instance) const;
  KeptHandle keep(const InstanceUid& instance);
  absl::Status connect(const InstanceUid& instance);
  bool is_connected(const InstanceUid& instance);
  void forget_if_idle(const KeptHandle& kept);

  // From the links.
  void heard(const KeptHandle& kept, std::string_view bytes);
  void passed_on(const KeptHandle& kept, size_t bytes);
  void link_ended(const KeptHandle& kept, const ConsoleLink* link);
  std::string typed(const KeptHandle& kept);

  Wakes wakes_of(const KeptHandle& kept) const;
  void save();

  const Parts parts_;
  const agent::Console::Limits limits_;

  std::mutex connecting_;  // before mutex_: a console is opened by one at a time
  mutable std::mutex mutex_;
  std::map<InstanceUid, KeptHandle> kept_;
  std::map<Attachment, Attached> attached_;
  Attachment next_attachment_ = 1;
  std::vector<KeptHandle> unsaved_;

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
  WorkerPool saver_;
};

}  // namespace stellwerk::daemon

// The shell around the controller: its thread, the store's, the callers' and agents' ways to it.
//
// Threads: one event loop owns the controller; one thread drives the store, so at most one commit
// is under way; a small pool runs what else blocks. Every public function may be called from any
// thread.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "api/daemon/event_loop.h"
#include "api/daemon/image_fetcher.h"
#include "api/daemon/worker_pool.h"
#include "api/server/gateway.h"
#include "core/host_messages.h"
#include "drivers/storage/storage.h"
#include "drivers/store/store.h"
#include "orchestrator/controller/controller.h"

namespace stellwerk::daemon {

struct ControllerRuntimeConfig {
  controller::ControllerConfig controller;
  size_t blocking_threads = 4;
  size_t max_blocking = 1024;  // beyond it, callers run their own work
  Duration first_commit_patience = std::chrono::seconds(30);
  // From the store's thread, when a commit of so many keys has ended. May be empty.
  std::function<void(absl::StatusCode, size_t keys, Duration took)> on_commit;
  FetchLimits fetch;
};

class ControllerRuntime final : public server::Gateway {
 public:
  using OrdersSink = std::function<void(HostOrders)>;
  // Called once, from the controller's thread, when this process can no longer be the controller.
  using StepDownSink = std::function<void(std::string why)>;

  // Takes over the store and loads the cell. Blocks. The references outlive the runtime.
  struct Parts {
    store::Store& store;
    storage::Storage& storage;
    download::Downloader& downloader;
    const Clock& clock;
  };
  static absl::StatusOr<std::unique_ptr<ControllerRuntime>> load(ControllerRuntimeConfig config,
                                                                 Parts parts,
                                                                 StepDownSink step_down);
  // Once; returns when the first commit is durable. Unavailable: the store has not taken it.
  absl::Status begin();
  // stop().
  ~ControllerRuntime() override;

  // Whoever waits, or comes from now on, gets Unavailable.
  void refuse_requests();
  // Ends the controller; whoever still waits for an answer gets Unavailable. False: something that
  // blocks has not come back within `patience`.
  bool stop(Duration patience);

  // For the watchdog: `done` is called when the controller has made one more step.
  void after_a_step(std::function<void()> done) { loop_.after_a_step(std::move(done)); }

  // For agents. Orders come from the controller's thread; `orders` only posts.
  void connect(HostHello hello, OrdersSink orders);
  void report(HostStatus status);

  // server::Gateway.
  void submit(controller::Request request, server::AnswerCallback done) override;
  CellUid cell() const override { return cell_; }
  Sequence durable() const override { return Sequence(durable_.load()); }
  absl::StatusOr<server::LogPage> read_log(Sequence after, size_t limit) override;
  uint64_t listen(std::function<void(Sequence)> listener) override;
  void unlisten(uint64_t id) override;
  void run_blocking(std::function<void()> work) override;
  storage::Storage& images() override { return parts_.storage; }
  void report_progress(const ImageUid& image, const controller::ImportProgress& progress) override;
  RequestId fresh_request_id() override;

 private:
  // What is said in the log when the answer comes.
  struct Caller {
    server::AnswerCallback done;
    std::string mutation;  // empty: a query
    std::string name;
    RequestId request_id;
  };
  using Loop = EventLoop<controller::Input, controller::TimePassed>;

  ControllerRuntime(ControllerRuntimeConfig config, Parts parts, StepDownSink step_down,
                    controller::CellState state, const store::Head& head);

  std::optional<MonotonicTime> carry_out(controller::StepResult result);
  void carry_out_one(controller::SendAnswer output);
  void carry_out_one(controller::SendOrders output);
  void carry_out_one(controller::CommitBatch output);
  void carry_out_one(controller::ObserveHead output);
  void carry_out_one(controller::LogGrew output);
  void carry_out_one(controller::DeleteImageFiles output);
  void carry_out_one(controller::FetchImage output);
  void carry_out_one(controller::ListImageFiles output);
  void carry_out_one(controller::StepDown output);
  void become_ready(absl::Status status);
  void answer(Caller caller, absl::StatusOr<controller::Answer> answer);
  void refuse_all_waiting();
  void log_commit(Sequence sequence, const absl::Status& status);
  absl::Status ended() const;

  const ControllerRuntimeConfig config_;
  const Parts parts_;
  const CellUid cell_;
  StepDownSink step_down_;
  const store::Head head_;  // as this life of the controller began
  std::atomic<uint64_t> durable_;

  std::mutex listeners_mutex_;
  std::map<uint64_t, std::function<void(Sequence)>> listeners_;
  uint64_t next_listener_ = 1;

  // Touched by the loop's thread alone.
  controller::Controller controller_;
  controller::Ticket next_ticket_ = 1;
  std::map<controller::Ticket, Caller> waiting_;
  std::map<HostUid, OrdersSink> hosts_;
  bool stepped_down_ = false;
  bool ready_said_ = false;
  std::promise<absl::Status> ready_;

  std::mutex trouble_mutex_;
  std::string commit_trouble_;  // why the last commit failed; empty if it did not

  // The pools go first: their work posts to the loop.
  Loop loop_;
  WorkerPool store_thread_;
  WorkerPool blocking_;
  ImageFetcher fetcher_;
};

}  // namespace stellwerk::daemon

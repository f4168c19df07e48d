// A gateway without a daemon: a thread that answers as a controller would, a pool of two, a log and
// images in memory. Everything may be called from any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "api/server/gateway.h"

namespace stellwerk::server {

// Runs what it is given on its threads, in order; what is queued when it ends is still run.
class Workers {
 public:
  explicit Workers(size_t count);
  ~Workers();
  void post(std::function<void()> work);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

class FakeImages final : public storage::Storage {
 public:
  absl::StatusOr<std::unique_ptr<storage::ImageUpload>> begin_upload(
      const ImageUid& image, std::optional<Bytes> announced) override;
  absl::StatusOr<std::unique_ptr<storage::ResumableUpload>> resume_upload(
      const ImageUid&) override {
    return unavailable("no test uploads");
  }
  absl::StatusOr<storage::ImageFacts> published(const ImageUid&) override {
    return not_found("no test uploads");
  }
  absl::Status delete_image(const ImageUid& image) override;
  absl::Status create_disk(const storage::DiskSpec& spec) override;
  absl::Status create_seed(const storage::SeedSpec& spec) override;
  absl::Status mark_started(const InstanceUid& instance, Generation generation) override;
  absl::Status delete_instance(const InstanceUid& instance) override;
  absl::StatusOr<storage::Inventory> inventory() override;
  Paths paths(const InstanceUid& instance) const override;

  void refuse_uploads(absl::Status why);
  void set_room(size_t bytes);            // for one image
  void set_largest_image(Bytes largest);  // that may be announced
  size_t open_uploads() const;
  std::map<ImageUid, std::string> published() const;

 private:
  friend class FakeUpload;
  mutable std::mutex mutex_;
  absl::Status refusal_;
  size_t room_ = size_t{1} << 30;
  Bytes largest_ = gibibytes(1);
  size_t open_uploads_ = 0;
  std::map<ImageUid, std::string> published_;
};

class FakeGateway final : public Gateway {
 public:
  using Answerer = std::function<absl::StatusOr<controller::Answer>(const controller::Request&)>;

  FakeGateway();
  ~FakeGateway() override;

  void submit(controller::Request request, AnswerCallback done) override;
  CellUid cell() const override { return CellUid(Uuid::v5(Uuid(), "cell")); }
  Sequence durable() const override;
  absl::StatusOr<LogPage> read_log(Sequence after, size_t limit) override;
  uint64_t listen(std::function<void(Sequence)> listener) override;
  void unlisten(uint64_t id) override;
  void run_blocking(std::function<void()> work) override;
  storage::Storage& images() override { return images_; }
  void report_progress(const ImageUid& image, const controller::ImportProgress& progress) override {
    const std::lock_guard lock(mutex_);
    progress_.emplace_back(image, progress);
  }
  RequestId fresh_request_id() override;
  std::vector<std::pair<ImageUid, controller::ImportProgress>> progress() const {
    const std::lock_guard lock(mutex_);
    return progress_;
  }

  void answer_with(Answerer answerer);
  // Answers wait until `release`.
  void hold();
  void release();
  // Forgets callbacks instead of calling them, as a runtime that stops might.
  void drop_requests();
  std::vector<controller::Request> requests() const;
  template <class Body>
  std::vector<Body> mutations() const {
    std::vector<Body> result;
    for (const controller::Request& request : requests()) {
      const auto* mutation = std::get_if<controller::Mutation>(&request);
      if (mutation == nullptr) continue;
      if (const Body* body = std::get_if<Body>(&mutation->body)) result.push_back(*body);
    }
    return result;
  }

  // One commit with these events.
  void append(std::vector<Event> events);
  void trim(Sequence up_to);
  // Called once: when the next read has its page, or the next listener is known, and before the
  // caller learns of it.
  void before_next_read_returns(std::function<void()> hook);
  void before_next_listen_returns(std::function<void()> hook);
  size_t listeners() const;
  size_t log_reads() const;
  FakeImages& fake_images() { return images_; }

 private:
  LogPage page_after(Sequence after, size_t limit) const;
  absl::StatusOr<controller::Answer> answer(const controller::Request& request);
  absl::StatusOr<controller::Answer> answer_import(const controller::MutationBody& body);

  mutable std::mutex mutex_;
  std::condition_variable released_;
  bool held_ = false;
  bool dropping_ = false;
  Answerer answerer_;
  std::vector<controller::Request> requests_;
  std::vector<std::pair<ImageUid, controller::ImportProgress>> progress_;
  std::map<ImageUid, controller::ImageView> imports_;
  std::vector<LogRecord> log_;
  Sequence durable_{1};
  Sequence trimmed_;
  std::map<uint64_t, std::function<void(Sequence)>> listeners_;
  uint64_t next_listener_ = 1;
  uint64_t next_request_ = 1;
  size_t log_reads_ = 0;
  std::function<void()> read_hook_;
  std::function<void()> listen_hook_;
  FakeImages images_;
  Workers controller_{1};
  Workers pool_{2};
};

}  // namespace stellwerk::server

#include "fake_gateway.h"

namespace stellwerk::server {

Workers::Workers(size_t count) {
  for (size_t i = 0; i < count; ++i) threads_.emplace_back([this] { run(); });
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void Workers::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
}

class FakeUpload final : public storage::ImageUpload {
 public:
  FakeUpload(FakeImages& images, const ImageUid& image) : images_(images), image_(image) {}
  ~FakeUpload() override {
    const std::lock_guard lock(images_.mutex_);
    --images_.open_uploads_;
  }

  absl::Status write(std::string_view bytes) override {
    const std::lock_guard lock(images_.mutex_);
    if (bytes_.size() + bytes.size() > images_.room_) return resource_exhausted("the disk is full");
    bytes_ += bytes;
    return absl::OkStatus();
  }

  absl::StatusOr<storage::ImageFacts> finish(const std::optional<Sha256>& expected) override {
    const Sha256 digest = stellwerk::sha256(bytes_);
    if (expected && *expected != digest) return invalid_fields({{"sha256", "is another"}});
    const std::lock_guard lock(images_.mutex_);
    images_.published_[image_] = bytes_;
    const Bytes size(static_cast<int64_t>(bytes_.size()));
    return storage::ImageFacts{
        .format = ImageFormat::kRaw, .file_size = size, .virtual_size = size, .sha256 = digest};
  }

 private:
  FakeImages& images_;
  const ImageUid image_;
  std::string bytes_;
};

absl::StatusOr<std::unique_ptr<storage::ImageUpload>> FakeImages::begin_upload(
    const ImageUid& image, std::optional<Bytes> announced) {
  const std::lock_guard lock(mutex_);
  if (!refusal_.ok()) return refusal_;
  if (announced > largest_) return invalid_fields({{"size_bytes", "is too large"}});
  ++open_uploads_;
  return std::make_unique<FakeUpload>(*this, image);
}

absl::Status FakeImages::delete_image(const ImageUid& image) {
  const std::lock_guard lock(mutex_);
  published_.erase(image);
  return absl::OkStatus();
}

absl::Status FakeImages::create_disk(const storage::DiskSpec&) {
  return absl::OkStatus();
}
absl::Status FakeImages::create_seed(const storage::SeedSpec&) {
  return absl::OkStatus();
}
absl::Status FakeImages::mark_started(const InstanceUid&, Generation) {
  return absl::OkStatus();
}
absl::Status FakeImages::delete_instance(const InstanceUid&) {
  return absl::OkStatus();
}
absl::StatusOr<storage::Inventory> FakeImages::inventory() {
  return storage::Inventory();
}
storage::Storage::Paths FakeImages::paths(const InstanceUid&) const {
  return {};
}

void FakeImages::refuse_uploads(absl::Status why) {
  const std::lock_guard lock(mutex_);
  refusal_ = std::move(why);
}

void FakeImages::set_room(size_t bytes) {
  const std::lock_guard lock(mutex_);
  room_ = bytes;
}

void FakeImages::set_largest_image(Bytes largest) {
  const std::lock_guard lock(mutex_);
  largest_ = largest;
}

size_t FakeImages::open_uploads() const {
  const std::lock_guard lock(mutex_);
  return open_uploads_;
}

std::map<ImageUid, std::string> FakeImages::published() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

FakeGateway::FakeGateway() = default;
FakeGateway::~FakeGateway() {
  release();
}

void FakeGateway::submit(controller::Request request, AnswerCallback done) {
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    if (dropping_) return;
  }
  controller_.post([this, request = std::move(request), done = std::move(done)] {
    {
      std::unique_lock lock(mutex_);
      released_.wait(lock, [this] { return !held_; });
    }
    done(answer(request));
  });
}

absl::StatusOr<controller::Answer> FakeGateway::answer(const controller::Request& request) {
  Answerer answerer;
  {
    const std::lock_guard lock(mutex_);
    answerer = answerer_;
  }
  if (answerer) return answerer(request);
  const auto* mutation = std::get_if<controller::Mutation>(&request);
  if (mutation == nullptr) return not_found("nothing is here");
  if (!mutation->context.violations.empty()) return invalid_fields(mutation->context.violations);
  return answer_import(mutation->body);
}

absl::StatusOr<controller::Answer> FakeGateway::answer_import(
    const controller::MutationBody& body) {
  const std::lock_guard lock(mutex_);
  if (const auto* begin = std::get_if<controller::BeginImageImport>(&body)) {
    controller::ImageView view;
    view.project_id = begin->project;
    view.image.id = begin->id;
    view.image.uid = ImageUid(Uuid::v5(Uuid(), begin->id));
    return imports_.try_emplace(view.image.uid, view).first->second;
  }
  if (const auto* end = std::get_if<controller::FinishImageImport>(&body)) {
    controller::ImageView view = imports_.at(end->image);
    if (!end->content.ok()) {
      imports_.erase(end->image);
      view.image.state = ImageState::kDeleting;
      return view;
    }
    view.image.state = ImageState::kActive;
    view.image.file_size = end->content->file_size;
    view.image.sha256 = end->content->sha256;
    imports_[end->image] = view;
    return view;
  }
  return not_found("nothing is here");
}

Sequence FakeGateway::durable() const {
  const std::lock_guard lock(mutex_);
  return durable_;
}

absl::StatusOr<LogPage> FakeGateway::read_log(Sequence after, size_t limit) {
  std::unique_lock lock(mutex_);
  ++log_reads_;
  if (after > durable_) return with_reason(out_of_range("too far"), "TOKEN_FROM_THE_FUTURE");
  if (after != Sequence() && after < trimmed_) {
    return with_reason(out_of_range("trimmed; list, then watch"), "TOKEN_TRIMMED");
  }
  LogPage page = page_after(after, limit);
  const std::function<void()> hook = std::exchange(read_hook_, nullptr);
  lock.unlock();
  if (hook) hook();
  return page;
}

LogPage FakeGateway::page_after(Sequence after, size_t limit) const {
  LogPage page{.records = {}, .read_up_to = durable_, .more = false};
  for (const LogRecord& record : log_) {
    if (record.sequence <= after || record.sequence <= trimmed_) continue;
    if (page.records.size() == limit) {
      page.more = true;
      page.read_up_to = page.records.back().sequence;
      break;
    }
    page.records.push_back(record);
  }
  return page;
}

uint64_t FakeGateway::listen(std::function<void(Sequence)> listener) {
  std::unique_lock lock(mutex_);
  const uint64_t id = next_listener_++;
  listeners_[id] = std::move(listener);
  const std::function<void()> hook = std::exchange(listen_hook_, nullptr);
  lock.unlock();
  if (hook) hook();
  return id;
}

void FakeGateway::unlisten(uint64_t id) {
  const std::lock_guard lock(mutex_);
  listeners_.erase(id);
}

void FakeGateway::run_blocking(std::function<void()> work) {
  pool_.post(std::move(work));
}

RequestId FakeGateway::fresh_request_id() {
  const std::lock_guard lock(mutex_);
  return RequestId(Uuid::v5(Uuid(), std::to_string(next_request_++)));
}

void FakeGateway::answer_with(Answerer answerer) {
  const std::lock_guard lock(mutex_);
  answerer_ = std::move(answerer);
}

void FakeGateway::hold() {
  const std::lock_guard lock(mutex_);
  held_ = true;
}

void FakeGateway::release() {
  const std::lock_guard lock(mutex_);
  held_ = false;
  released_.notify_all();
}

void FakeGateway::drop_requests() {
  const std::lock_guard lock(mutex_);
  dropping_ = true;
}

std::vector<controller::Request> FakeGateway::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void FakeGateway::append(std::vector<Event> events) {
  controller_.post([this, events = std::move(events)] {
    // Listeners are called under the lock, as the strictest gateway might.
    const std::lock_guard lock(mutex_);
    durable_ = durable_.next();
    log_.push_back({.sequence = durable_, .events = events, .audit = {}});
    for (const auto& [id, listener] : listeners_) listener(durable_);
  });
}

void FakeGateway::trim(Sequence up_to) {
  const std::lock_guard lock(mutex_);
  trimmed_ = up_to;
}

void FakeGateway::before_next_read_returns(std::function<void()> hook) {
  const std::lock_guard lock(mutex_);
  read_hook_ = std::move(hook);
}

void FakeGateway::before_next_listen_returns(std::function<void()> hook) {
  const std::lock_guard lock(mutex_);
  listen_hook_ = std::move(hook);
}

size_t FakeGateway::listeners() const {
  const std::lock_guard lock(mutex_);
  return listeners_.size();
}

size_t FakeGateway::log_reads() const {
  const std::lock_guard lock(mutex_);
  return log_reads_;
}

}  // namespace stellwerk::server

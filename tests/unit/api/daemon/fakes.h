// Drivers in memory for the daemon's shells, and ways to wait for what other threads do. The fakes
// are thread-safe, and only as clever as the tests need.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/time.h"
#include "drivers/download/downloader.h"
#include "drivers/firewall/firewall.h"
#include "drivers/hypervisor/hypervisor.h"
#include "drivers/network/network.h"
#include "drivers/storage/storage.h"
#include "drivers/store/memory/memory_store.h"

namespace stellwerk::daemon {

inline constexpr std::chrono::seconds kDeadline(20);

// Values that other threads produce and the test awaits.
template <class T>
class Channel {
 public:
  void push(T value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    changed_.notify_all();
  }
  // The first value that `matches`, and everything before it, leave the channel.
  template <class Matches>
  std::optional<T> await(Matches matches) {
    std::unique_lock lock(mutex_);
    std::optional<T> found;
    changed_.wait_for(lock, kDeadline, [&] {
      while (!values_.empty() && !found) {
        if (matches(values_.front())) found = std::move(values_.front());
        values_.erase(values_.begin());
      }
      return found.has_value();
    });
    return found;
  }
  std::optional<T> next() {
    return await([](const T&) { return true; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<T> values_;
};

// A door that work waits at until the test opens it.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait_for(lock, kDeadline, [this] { return open_; });
  }
  bool await_arrival(int count = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kDeadline, [&] { return arrived_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int arrived_ = 0;
};

// A memory store whose commits a test can watch, hold up and spoil.
class HookedStore final : public store::Store {
 public:
  absl::StatusOr<std::optional<store::Head>> observe() override { return store_.observe(); }
  absl::StatusOr<store::Head> take_over(const std::optional<store::Head>& seen,
                                        const Uuid& incarnation) override {
    return store_.take_over(seen, incarnation);
  }
  absl::StatusOr<store::Head> commit(const store::Head& previous,
                                     const store::Batch& batch) override {
    std::function<absl::Status()> before;
    {
      const std::lock_guard lock(mutex_);
      before = before_commit_;
    }
    if (before) SW_RETURN_IF_ERROR(before());
    auto result = store_.commit(previous, batch);
    if (lose_next_answer.exchange(false)) {
      return make_status(absl::StatusCode::kUnknown, "the answer was lost");
    }
    return result;
  }
  absl::StatusOr<std::optional<std::string>> get(const std::string& key) override {
    note_read(key);
    return store_.get(key);
  }
  absl::StatusOr<std::vector<store::Entry>> scan(const store::ScanRange& range,
                                                 const std::optional<store::Head>& guard) override {
    auto entries = store_.scan(range, guard);
    if (entries.ok()) {
      for (const store::Entry& entry : *entries) note_read(entry.key);
    }
    return entries;
  }
  std::vector<std::string> read_keys() {
    const std::lock_guard lock(mutex_);
    return read_keys_;
  }
  // An error of `hook` is the commit's, and nothing is written.
  void before_commit(std::function<absl::Status()> hook) {
    const std::lock_guard lock(mutex_);
    before_commit_ = std::move(hook);
  }
  std::atomic<bool> lose_next_answer = false;  // the commit itself lands

 private:
  void note_read(const std::string& key) {
    const std::lock_guard lock(mutex_);
    read_keys_.push_back(key);
  }

  store::MemoryStore store_;
  std::mutex mutex_;
  std::function<absl::Status()> before_commit_;
  std::vector<std::string> read_keys_;
};

// Knows no servers.
class FakeDownloader final : public download::Downloader {
 public:
  absl::Status fetch(const download::Request&, download::Sink&, const std::atomic<bool>&) override {
    return not_found("no test server");
  }
};

// Files of instances and images, by name only.
class FakeStorage : public storage::Storage {
 public:
  absl::StatusOr<std::unique_ptr<storage::ImageUpload>> begin_upload(
      const ImageUid&, std::optional<Bytes>) override {
    return unavailable("no test uploads");
  }
  absl::StatusOr<std::unique_ptr<storage::ResumableUpload>> resume_upload(
      const ImageUid&) override {
    return unavailable("no test uploads");
  }
  absl::StatusOr<storage::ImageFacts> published(const ImageUid&) override {
    return not_found("no test uploads");
  }
  absl::Status delete_image(const ImageUid& image) override {
    deleted_images.push(image);
    return absl::OkStatus();
  }
  absl::Status create_disk(const storage::DiskSpec& spec) override {
    const std::lock_guard lock(mutex_);
    files_[spec.instance].has_disk = true;
    return absl::OkStatus();
  }
  absl::Status create_seed(const storage::SeedSpec& spec) override {
    seeds.push(spec);
    const std::lock_guard lock(mutex_);
    files_[spec.instance].has_seed = true;
    return absl::OkStatus();
  }
  absl::Status mark_started(const InstanceUid& instance, Generation generation) override {
    const std::lock_guard lock(mutex_);
    files_[instance].started = generation;
    return absl::OkStatus();
  }
  absl::Status delete_instance(const InstanceUid& instance) override {
    const std::lock_guard lock(mutex_);
    files_.erase(instance);
    return absl::OkStatus();
  }
  absl::StatusOr<storage::Inventory> inventory() override {
    const std::lock_guard lock(mutex_);
    storage::Inventory inventory;
    inventory.capacity = inventory.available = gibibytes(100);
    for (const auto& [uid, files] : files_) {
      inventory.instances.push_back(files);
      inventory.instances.back().instance = uid;
    }
    return inventory;
  }
  Paths paths(const InstanceUid& instance) const override {
    return {instance.to_string(), ImageFormat::kQcow2, "seed", "console"};
  }

  Channel<ImageUid> deleted_images;
  Channel<storage::SeedSpec> seeds;

 private:
  std::mutex mutex_;
  std::map<InstanceUid, storage::InstanceFiles> files_;
};

class FakeHypervisor final : public hypervisor::Hypervisor {
 public:
  absl::StatusOr<std::vector<hypervisor::ObservedDomain>> list() override {
    const std::lock_guard lock(mutex_);
    if (!fault_.ok()) return fault_;
    std::vector<hypervisor::ObservedDomain> domains;
    for (const auto& [uid, domain] : domains_) domains.push_back(domain);
    return domains;
  }
  absl::Status start(const hypervisor::DomainSpec& spec) override {
    if (before_start) before_start();
    const std::lock_guard lock(mutex_);
    domains_[spec.owner.instance] = {.uuid = spec.owner.instance.value(),
                                     .name = spec.owner.instance_id,
                                     .owner = spec.owner,
                                     .state = hypervisor::DomainState::kRunning,
                                     .vcpus = spec.vcpus,
                                     .memory = spec.memory};
    return absl::OkStatus();
  }
  absl::Status resume(const InstanceUid&) override { return absl::OkStatus(); }
  absl::Status request_shutdown(const InstanceUid& instance) override { return destroy(instance); }
  absl::Status reboot(const InstanceUid&, const RebootOrder&) override { return absl::OkStatus(); }
  absl::Status pin(const InstanceUid&, const hypervisor::CpuPins&) override {
    return absl::OkStatus();
  }
  absl::Status destroy(const InstanceUid& instance) override {
    const std::lock_guard lock(mutex_);
    domains_.erase(instance);
    return absl::OkStatus();
  }
  absl::StatusOr<HostFacts> host_facts() override {
    const std::lock_guard lock(mutex_);
    if (!fault_.ok()) return fault_;
    HostFacts facts;
    facts.cores = 4;
    facts.threads = 8;
    facts.memory = gibibytes(16);
    return facts;
  }
  void listen(std::function<void(const hypervisor::DomainEvent&)> listener) override {
    const std::lock_guard lock(mutex_);
    listener_ = std::move(listener);
  }

  // From here on nothing can be seen, or with OK everything again.
  void set_fault(absl::Status fault) {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
  }
  void shut_down_from_inside(const InstanceUid& instance) {
    const std::lock_guard lock(mutex_);
    domains_.erase(instance);
    if (listener_) listener_({instance.value(), hypervisor::DomainEnd::kShutDownByGuest});
  }
  bool is_listened_to() {
    const std::lock_guard lock(mutex_);
    return static_cast<bool>(listener_);
  }
  std::function<void()> before_start;  // set before any thread runs

 private:
  std::mutex mutex_;
  absl::Status fault_;
  std::map<InstanceUid, hypervisor::ObservedDomain> domains_;
  std::function<void(const hypervisor::DomainEvent&)> listener_;
};

class FakeNetwork final : public network::Network {
 public:
  absl::Status ensure_bridge(const network::BridgeSpec&) override { return absl::OkStatus(); }
  absl::Status require_bridge(const std::string&) override { return absl::OkStatus(); }
  absl::Status remove_bridge(const std::string&) override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<network::ObservedPort>> ports(const std::string&) override {
    return std::vector<network::ObservedPort>();
  }
  absl::Status remove_port(const std::string&) override { return absl::OkStatus(); }
};

class FakeFirewall final : public firewall::Firewall {
 public:
  absl::StatusOr<firewall::Outcome> apply(const firewall::Ruleset&) override {
    const std::lock_guard lock(mutex_);
    return answer_;
  }
  void set_answer(absl::StatusOr<firewall::Outcome> answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  absl::Status clear() override { return absl::OkStatus(); }

 private:
  std::mutex mutex_;
  absl::StatusOr<firewall::Outcome> answer_ = firewall::Outcome::kApplied;
};

}  // namespace stellwerk::daemon

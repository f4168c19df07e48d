#include "api/daemon/worker_pool.h"

#include <pthread.h>

#include <limits>
#include <utility>

namespace stellwerk::daemon {

WorkerPool::WorkerPool(Options options) : options_(std::move(options)) {
  for (size_t i = 0; i < options_.threads; ++i) {
    std::thread& thread = threads_.emplace_back([this] { serve(); });
    ::pthread_setname_np(thread.native_handle(), options_.name.substr(0, 15).c_str());
  }
}

WorkerPool::~WorkerPool() {
  stop(Duration::zero());
  for (std::thread& thread : threads_) thread.join();
}

bool WorkerPool::try_run(std::function<void()> work) {
  return enqueue(std::move(work), options_.max_waiting);
}

bool WorkerPool::run_beyond_limit(std::function<void()> work) {
  return enqueue(std::move(work), std::numeric_limits<size_t>::max());
}

bool WorkerPool::enqueue(std::function<void()> work, size_t most) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || waiting_.size() >= most) return false;
  waiting_.push_back(std::move(work));
  changed_.notify_one();
  return true;
}

bool WorkerPool::stop(Duration patience) {
  std::deque<std::function<void()>> dropped;  // destroyed without the lock
  std::unique_lock lock(mutex_);
  stopped_ = true;
  dropped.swap(waiting_);
  changed_.notify_all();
  return changed_.wait_for(lock, patience, [this] { return running_ == 0; });
}

void WorkerPool::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
    if (stopped_) return;
    std::function<void()> work = std::move(waiting_.front());
    waiting_.pop_front();
    ++running_;
    lock.unlock();
    work();
    work = nullptr;  // what it holds goes before the pool calls itself idle
    lock.lock();
    --running_;
    if (stopped_) changed_.notify_all();
  }
}

}  // namespace stellwerk::daemon

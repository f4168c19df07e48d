#include "tests/sim/controller_shell.h"

#include <utility>

#include "drivers/store/limits.h"
#include "tests/sim/invariants.h"

namespace stellwerk::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

}  // namespace

ControllerShell::ControllerShell(const Stage& stage, Life& life, Executor& executor,
                                 std::unique_ptr<controller::Controller> controller, Ways ways)
    : stage_(stage),
      life_(life),
      executor_(executor),
      controller_(std::move(controller)),
      ways_(std::move(ways)),
      mailbox_(stage, life, [this](std::span<const controller::Input> inputs) {
        return carry_out(controller_->step(inputs, stage_.world.now()));
      }) {}

void ControllerShell::start() {
  mailbox_.wake(carry_out(controller_->start(stage_.world.now())));
}

void ControllerShell::submit(controller::Request request, AnswerCallback done) {
  const controller::Ticket ticket = next_ticket_++;
  waiting_.emplace(ticket, Waiting{request, std::move(done)});
  post(controller::RequestArrived{ticket, std::move(request)});
}

std::optional<MonotonicTime> ControllerShell::carry_out(controller::StepResult result) {
  for (controller::Output& output : result.outputs) {
    std::visit([this](auto& value) { carry_out(std::move(value)); }, output);
  }
  return result.wake_at;
}

void ControllerShell::carry_out(controller::SendAnswer output) {
  const auto found = waiting_.find(output.ticket);
  if (found == waiting_.end()) {
    return stage_.invariants.fail("a ticket is answered twice, or was never given");
  }
  answered_ = true;
  const Waiting waiting = std::move(found->second);
  waiting_.erase(found);
  stage_.invariants.answered(waiting.request, output.answer);
  life_.after(stage_.delays.between(microseconds(50), milliseconds(3)),
              [done = waiting.done, answer = std::move(output.answer)] { done(answer); });
}

void ControllerShell::carry_out(controller::SendOrders output) {
  stage_.invariants.orders_sent(output.orders);
  ways_.send_orders(std::move(output.orders));
}

void ControllerShell::carry_out(controller::CommitBatch output) {
  if (stage_.bug == Bug::kAnswerBeforeDurable) {
    post(controller::CommitFinished{store::head_after_commit(output.previous)});
    return stage_.store.begin_commit(output.previous, std::move(output.batch), [](auto) {});
  }
  if (std::exchange(committing_, true)) {
    stage_.invariants.fail("a commit begins while another is under way");
  }
  SimStore::CommitReply reply = [this](absl::StatusOr<store::Head> result) {
    committing_ = false;
    if (stage_.bug == Bug::kLostReplyIsFailure && absl::IsDeadlineExceeded(result.status())) {
      result = unavailable("nothing was written");
    }
    post(controller::CommitFinished{std::move(result)});
  };
  stage_.store.begin_commit(output.previous, std::move(output.batch),
                            life_.within(std::move(reply)));
}

void ControllerShell::carry_out(controller::ObserveHead) {
  life_.after(stage_.delays.between(microseconds(100), milliseconds(20)), [this] {
    if (stage_.mishaps.observation_fails()) {
      return post(controller::HeadObserved{unavailable("the simulated store does not answer")});
    }
    post(controller::HeadObserved{stage_.store.observe()});
  });
}

void ControllerShell::carry_out(controller::LogGrew output) {
  stage_.invariants.log_grew(output.durable);
}

void ControllerShell::carry_out(controller::DeleteImageFiles output) {
  unwanted_.insert(output.image);
  executor_.delete_image(output.image, [this, image = output.image](absl::Status result) {
    post(controller::ImageFilesDeleted{image, std::move(result)});
  });
}

void ControllerShell::carry_out(controller::FetchImage output) {
  stage_.invariants.fetch_begins(output.image, output.source);
  if (stage_.bug == Bug::kForgetFetches && !answered_) return;
  unwanted_.erase(output.image);
  const auto done = [this, image = output.image](absl::StatusOr<storage::ImageFacts> facts) {
    if (!facts.ok()) return post(controller::ImageFetched{image, facts.status()});
    post(controller::ImageFetched{image,
                                  controller::ImportedContent{.format = facts->format,
                                                              .file_size = facts->file_size,
                                                              .virtual_size = facts->virtual_size,
                                                              .sha256 = facts->sha256}});
  };
  executor_.import_image(output.image, done,
                         [this, image = output.image] { return !unwanted_.contains(image); });
}

void ControllerShell::carry_out(controller::ListImageFiles) {
  executor_.list_images([this](absl::StatusOr<std::vector<ImageUid>> images) {
    post(controller::ImageFilesListed{std::move(images)});
  });
}

void ControllerShell::carry_out(controller::StepDown output) {
  stage_.log.add("controller: steps down: {}", output.why);
  stage_.invariants.stepped_down(output.why);
  ways_.exit(std::move(output.why));
}

}  // namespace stellwerk::sim

#include "api/cli/image_wait.h"

#include <algorithm>
#include <thread>

#include "api/cli/exit_code.h"
#include "api/cli/format.h"
#include "api/cli/progress.h"
#include "core/units.h"

namespace stellwerk::cli {
namespace {

using v1::Image;

constexpr size_t kBarWidth = 30;
constexpr Duration kLookEvery = std::chrono::milliseconds(500);
constexpr Duration kLongestLook = std::chrono::seconds(5);

class ImportWait {
 public:
  ImportWait(Context& context, Image image)
      : context_(context),
        started_(context.now().monotonic),
        seen_(std::move(image)),
        received_at_first_(seen_.received_bytes()),
        line_(context.err(), {.terminal = context.environment.err_is_terminal,
                              .colour = false,
                              .width = context.environment.err_width}) {}

  absl::StatusOr<Image> run(Duration timeout);

 private:
  absl::Status look();
  void show();
  std::string rate() const;
  Duration elapsed() const { return context_.now().monotonic - started_; }
  std::string id() const { return Cell(id_of(seen_.name())).text(); }

  Context& context_;
  const MonotonicTime started_;
  Image seen_;
  int64_t received_at_first_;
  ProgressLine line_;
};

absl::StatusOr<Image> ImportWait::run(Duration timeout) {
  context_.environment.interrupt.arm();
  MonotonicTime looked = started_;
  for (;;) {
    if (seen_.state() == Image::ACTIVE) return seen_;
    if (seen_.state() == Image::FAILED) {
      return failed_precondition("image {} could not be imported: {}", id(), seen_.failure());
    }
    if (seen_.state() != Image::IMPORTING) {
      return not_found("image {} was deleted meanwhile", id());
    }
    show();
    if (context_.environment.interrupt.raised()) {
      line_.clear();
      return make_status(absl::StatusCode::kCancelled,
                         fmt::format("interrupted; the import of {} goes on: see image show {}, "
                                     "or end it with image delete {}",
                                     id(), id(), id()));
    }
    if (elapsed() >= timeout) {
      return with_reason(deadline_exceeded("image {} is still being imported after {}", id(),
                                           to_short_string(timeout)),
                         kWaitTimedOutReason);
    }
    std::this_thread::sleep_for(kProgressTick);
    if (context_.now().monotonic - looked < kLookEvery) continue;
    SW_RETURN_IF_ERROR(look());
    looked = context_.now().monotonic;
  }
}

absl::Status ImportWait::look() {
  v1::GetImageRequest request;
  request.set_name(seen_.name());
  auto now = context_.client.call_within(kLongestLook, &v1::Images::Stub::GetImage, request);
  // The daemon restarts, and the import goes on then.
  if (absl::IsUnavailable(now.status()) || absl::IsDeadlineExceeded(now.status())) {
    return absl::OkStatus();
  }
  if (absl::IsNotFound(now.status()) || (now.ok() && now->uid() != seen_.uid())) {
    return not_found("image {} was deleted meanwhile", id());
  }
  if (!now.ok()) return now.status();
  if (seen_.expected_bytes() == 0) received_at_first_ = seen_.received_bytes();
  seen_ = *std::move(now);
  return absl::OkStatus();
}

void ImportWait::show() {
  const int64_t received = seen_.received_bytes();
  const int64_t expected = seen_.expected_bytes();
  std::string state = to_string(Bytes(received));
  if (expected > 0) state = "of " + to_string(Bytes(expected));
  const std::string bar = expected > 0 ? progress_bar(received, expected, kBarWidth) + " " +
                                             to_string(Bytes(received)) + " "
                                       : std::string();
  line_.show(id() + " " + bar, Cell(state), rate());
}

std::string ImportWait::rate() const {
  const double seconds = std::chrono::duration<double>(elapsed()).count();
  const int64_t received = seen_.received_bytes() - received_at_first_;
  if (seconds < 0.5 || received <= 0) return "";
  return fmt::format(
      ", {}/s", to_string(Bytes(static_cast<int64_t>(static_cast<double>(received) / seconds))));
}

}  // namespace

absl::StatusOr<Image> wait_for_import(Context& context, Image image, Duration timeout) {
  return ImportWait(context, std::move(image)).run(timeout);
}

}  // namespace stellwerk::cli

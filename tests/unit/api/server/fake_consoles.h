// Consoles without guests: the test writes what guests would, and sees what is typed. Everything
// may be called from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "api/server/console_gateway.h"
#include "orchestrator/agent/console.h"

namespace stellwerk::server {

class FakeConsoles final : public ConsoleGateway {
 public:
  absl::StatusOr<Attachment> attach(const InstanceUid& instance, const ConsoleAttach& wish,
                                    std::function<void()> wake) override;
  void detach(Attachment attachment) override;
  absl::StatusOr<std::optional<ConsolePortion>> next(Attachment attachment, size_t most) override;
  absl::Status type(Attachment attachment, std::string_view bytes) override;
  Input input(Attachment attachment) override;
  absl::StatusOr<std::string> log(const InstanceUid& instance, size_t most) override;

  // Of the one guest.
  void change(const std::function<void(agent::Console&)>& how);
  void write(std::string_view text);
  std::string take_typed();
  void delete_instance();
  size_t attachments() const;
  size_t attached_ever() const;
  // Called once, before the next attachment is made.
  void before_next_attach(std::function<void()> hook);

 private:
  void wake_all();

  mutable std::mutex mutex_;
  agent::Console console_{{.attachments = 4, .pending_input = 8}, "old words "};
  std::map<Attachment, std::function<void()>> wakes_;
  size_t attached_ever_ = 0;
  absl::Status end_;
  std::function<void()> hook_;
};

}  // namespace stellwerk::server

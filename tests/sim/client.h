// Callers of the API, as they are: impatient and repetitive. They send a request again when its
// answer is lost, send it twice at once, repeat an old one, reuse its id for another, and delete
// what is only being created.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/daemon.h"
#include "tests/sim/operations.h"
#include "tests/sim/stage.h"

namespace stellwerk::sim {

class Client {
 public:
  Client(const Stage& stage, Daemon& daemon, Random random);

  // Makes what has to be there before instances can be; then calls `done`.
  void prepare(Action done);
  // From now on something new every few seconds.
  void begin() { act_later(); }
  // Nothing new; what is open is brought to its end.
  void stop() { stopped_ = true; }
  bool is_idle() const { return open_.empty(); }

  // An acknowledged creation that is gone without a deletion, if there is one.
  std::optional<std::string> lost_instance() const;

 private:
  // One request of a client, however often it is sent.
  struct Call {
    uint64_t number = 0;
    Operation operation;
    controller::MutationContext context;
    uint64_t attempts_open = 0;
    bool answered = false;  // well, at least once
  };
  using CallPtr = std::shared_ptr<Call>;
  using Name = std::pair<std::string, std::string>;

  void prepare_next();
  void act();
  void act_later();
  void look();
  void repeat_old_call();
  void misuse_old_id();
  void issue(Operation operation);
  void send(const CallPtr& call);
  void answer_arrives(const CallPtr& call, const absl::StatusOr<controller::Answer>& answer);
  void try_again(const CallPtr& call);
  void daemon_died();
  void note_attempt(const Call& call);
  void note_success(const Call& call, const controller::Answer& answer);
  // Whether a deletion that was tried since then may have meant an instance first called so.
  bool may_be_deleted(const Name& name, uint64_t since) const;

  const Stage& stage_;
  Daemon& daemon_;
  Random random_;
  Operations operations_;
  std::vector<Operation> preparations_;
  Action prepared_;
  bool stopped_ = false;
  uint64_t next_call_ = 1;
  uint64_t next_attempt_ = 1;
  std::map<uint64_t, CallPtr> open_;
  std::vector<CallPtr> answered_;

  struct Created {
    Name name;
    uint64_t first_attempt = 0;
  };
  std::map<uint64_t, uint64_t> first_attempts_;  // of a call
  std::map<Name, uint64_t> newest_deletion_;     // attempt
  std::map<Name, std::set<Name>> renamed_to_;    // tried
  std::map<InstanceUid, Created> created_;       // acknowledged
};

}  // namespace stellwerk::sim

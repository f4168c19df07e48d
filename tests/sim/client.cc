#include "tests/sim/client.h"

#include "core/digest.h"
#include "tests/sim/invariants.h"

namespace stellwerk::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The client tries again later, with the same request id.
bool is_passing(const absl::Status& status) {
  return absl::IsUnavailable(status) || reason_of(status) == "IMPORT_UNDER_WAY" ||
         reason_of(status) == "IMPORT_GIVEN_UP";
}

bool is_refusal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kDeadlineExceeded:
      return true;
    default:
      return false;
  }
}

}  // namespace

Client::Client(const Stage& stage, const CellPlan& plan, Daemon& daemon, Random random)
    : stage_(stage),
      daemon_(daemon),
      random_(random),
      operations_(plan, random.fork("operations")) {
  daemon_.on_death([this] { daemon_died(); });
}

void Client::prepare(Action done) {
  preparations_ = operations_.preparations();
  prepared_ = std::move(done);
  prepare_next();
}

void Client::prepare_next() {
  if (preparations_.empty()) return std::exchange(prepared_, nullptr)();
  Operation next = std::move(preparations_.front());
  preparations_.erase(preparations_.begin());
  issue(std::move(next));
}

void Client::act_later() {
  const bool burst = random_.chance(500);
  const Duration pause = burst ? random_.between(milliseconds(0), milliseconds(200))
                               : random_.between(milliseconds(200), seconds(4));
  stage_.schedule.after(pause, [this] {
    if (stopped_) return;
    act();
    act_later();
  });
}

void Client::act() {
  const uint64_t what = random_.below(100);
  if (what < 10) return look();
  if (what < 16) return repeat_old_call();
  if (what < 19) return misuse_old_id();
  if (what < 25) {  // a deletion that may overtake the creation
    const std::string id = "hasty";
    issue(operations_.create("default", id));
    return issue(operations_.remove("default", id));
  }
  issue(operations_.any());
}

void Client::look() {
  if (random_.chance(300)) {
    return daemon_.submit(operations_.inquiry(), [](const auto&) {});
  }
  const auto read = random_.chance(500)
                        ? controller::Query(controller::ListInstances{.project = "-"})
                        : controller::Query(controller::GetInstance{"default", "vm-1"});
  daemon_.submit(read, [](const auto&) {});
}

void Client::repeat_old_call() {
  if (answered_.empty()) return;
  const CallPtr old = random_.pick(answered_);
  stage_.log.add("client: call {} is repeated", old->number);
  send(old);
}

void Client::misuse_old_id() {
  if (answered_.empty()) return;
  const CallPtr old = random_.pick(answered_);
  if (std::holds_alternative<controller::BeginImageImport>(old->operation.body)) return;
  controller::MutationContext context = old->context;
  context.body = sha256("another body");
  stage_.log.add("client: misuses the id of call {}", old->number);
  daemon_.submit(controller::Mutation{std::move(context), old->operation.body},
                 [this](const absl::StatusOr<controller::Answer>& answer) {
                   if (answer.ok()) stage_.invariants.fail("a request id is taken twice");
                 });
}

void Client::issue(Operation operation) {
  auto call = std::make_shared<Call>();
  call->number = next_call_++;
  call->context = {
      .caller = "sim", .request_id = RequestId(random_.uuid()), .body = sha256(operation.text)};
  call->operation = std::move(operation);
  stage_.log.add("client: call {} is {}", call->number, call->operation.text);
  open_.emplace(call->number, call);
  send(call);
  if (random_.chance(100)) send(call);
}

void Client::send(const CallPtr& call) {
  note_attempt(*call);
  ++call->attempts_open;
  const auto done = [this, call](const absl::StatusOr<controller::Answer>& answer) {
    answer_arrives(call, answer);
  };
  if (const auto* begin = std::get_if<controller::BeginImageImport>(&call->operation.body)) {
    return daemon_.import_image(call->context, *begin, done);
  }
  daemon_.submit(controller::Mutation{call->context, call->operation.body}, done);
}

void Client::answer_arrives(const CallPtr& call, const absl::StatusOr<controller::Answer>& answer) {
  if (call->attempts_open > 0) --call->attempts_open;
  stage_.log.add("client: call {} is answered {}", call->number, describe(answer.status()));
  if (answer.ok()) {
    if (!std::exchange(call->answered, true)) answered_.push_back(call);
    note_success(*call, *answer);
    const bool was_open = open_.erase(call->number) > 0;
    if (prepared_ && was_open) prepare_next();
    return;
  }
  // A host that is to be entered has yet to join.
  const bool early = prepared_ && absl::IsNotFound(answer.status());
  if (is_passing(answer.status()) || early) return try_again(call);
  if (!is_refusal(answer.status())) {
    stage_.invariants.fail("an answer of an unexpected kind: " + describe(answer.status()));
  }
  if (call->attempts_open > 0) return;
  const bool was_open = open_.erase(call->number) > 0;
  if (prepared_ && was_open) prepare_next();
}

void Client::try_again(const CallPtr& call) {
  if (!open_.contains(call->number) || call->attempts_open > 0) return;
  if (!prepared_ && random_.chance(80)) {
    stage_.log.add("client: call {} is given up", call->number);
    open_.erase(call->number);
    return;
  }
  stage_.schedule.after(random_.between(milliseconds(100), seconds(8)), [this, call] {
    if (!open_.contains(call->number) || call->attempts_open > 0) return;
    stage_.log.add("client: call {} is tried again", call->number);
    send(call);
  });
}

void Client::daemon_died() {
  const auto interrupted = open_;
  for (const auto& [number, call] : interrupted) {
    if (call->attempts_open == 0) continue;
    call->attempts_open = 0;
    try_again(call);
  }
}

void Client::note_attempt(const Call& call) {
  const uint64_t attempt = next_attempt_++;
  first_attempts_.emplace(call.number, attempt);
  if (const auto* remove = std::get_if<controller::DeleteInstance>(&call.operation.body)) {
    newest_deletion_[{remove->project, remove->id}] = attempt;
  }
  if (const auto* rename = std::get_if<controller::RenameInstance>(&call.operation.body)) {
    renamed_to_[{rename->project, rename->id}].insert({rename->project, rename->new_id});
  }
}

void Client::note_success(const Call& call, const controller::Answer& answer) {
  const auto note = [&](const std::string& project, const Instance& instance) {
    created_.emplace(instance.uid, Created{.name = {project, instance.id},
                                           .first_attempt = first_attempts_.at(call.number)});
  };
  if (const auto* create = std::get_if<controller::CreateInstance>(&call.operation.body)) {
    note(create->project, std::get<controller::InstanceView>(answer).instance);
  }
  if (const auto* book = std::get_if<controller::CreateInstances>(&call.operation.body)) {
    for (const auto& each : std::get<controller::InstancesView>(answer).instances) {
      note(book->project, each.instance);
    }
  }
}

bool Client::may_be_deleted(const Name& name, uint64_t since) const {
  std::set<Name> names = {name};
  std::vector<Name> left = {name};
  while (!left.empty()) {
    const Name one = left.back();
    left.pop_back();
    const auto deletion = newest_deletion_.find(one);
    if (deletion != newest_deletion_.end() && deletion->second > since) return true;
    const auto renamed = renamed_to_.find(one);
    if (renamed == renamed_to_.end()) continue;
    for (const Name& next : renamed->second) {
      if (names.insert(next).second) left.push_back(next);
    }
  }
  return false;
}

std::optional<std::string> Client::lost_instance() const {
  for (const auto& [uid, created] : created_) {
    if (stage_.invariants.history().instances().contains(uid)) continue;
    if (may_be_deleted(created.name, created.first_attempt)) continue;
    return fmt::format("{}/{} ({})", created.name.first, created.name.second, brief(uid));
  }
  return std::nullopt;
}

}  // namespace stellwerk::sim

// A controller in a test's hands: commits land at once unless held back, one host with an agent
// that does nothing by itself. One thread.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "drivers/store/limits.h"
#include "orchestrator/controller/controller.h"
#include "orchestrator/records/keys.h"

namespace stellwerk::controller {

inline Uuid test_uuid(std::string_view name) {
  return Uuid::v5(Uuid(), name);
}

class CellHarness {
 public:
  explicit CellHarness(ControllerConfig config = default_config(), CellState state = {},
                       store::Head head = {.epoch = Epoch(1), .sequence = Sequence(1)})
      : head_(head),
        begun_("from " + std::to_string(head.sequence.value())),
        controller_(config, std::move(state), head, CellUid(test_uuid("cell"))) {
    take(controller_.start(now_));
  }

  static ControllerConfig default_config() {
    ControllerConfig config;
    config.networks.push_back({.id = "flat",
                               .bridge = "br0",
                               .v4 = Subnet{.range = *IpPrefix::parse("10.0.0.0/29"),
                                            .gateway = IpAddress::parse("10.0.0.1"),
                                            .next = {}}});
    return config;
  }

  void input(Input input) { take(controller_.step({&input, 1}, now_)); }
  // Wakes the controller as long as it has something to do at once.
  void settle() {
    for (int i = 0; i < 100 && wake_at_ && *wake_at_ <= now_.monotonic; ++i) input(TimePassed{});
  }
  void pass(Duration time) {
    now_.monotonic = now_.monotonic + time;
    now_.wall += time;
    input(TimePassed{});
  }

  static std::vector<HostCore> four_cores() { return {{{0, 4}}, {{1, 5}}, {{2, 6}}, {{3, 7}}}; }

  // A host with 4 cores, 8 threads and the memory given.
  HostUid connect_host(std::string id = "host-1", Bytes memory = gibibytes(16),
                       DiskType disk_type = DiskType::kUnspecified) {
    const HostUid uid(test_uuid(id));
    input(HostConnected{{.cell = state().cell->uid,
                         .host = uid,
                         .id = std::move(id),
                         .facts = {.cores = 4,
                                   .threads = 8,
                                   .memory = memory,
                                   .disk = gibibytes(500),
                                   .disk_type = disk_type,
                                   .numa = {{0, memory, four_cores()}}}}});
    input(HostReported{{.host = uid, .epoch = head_.epoch, .sequence = head_.sequence}});
    return uid;
  }

  // Submits a mutation under a fresh request id, or the one given.
  Ticket submit(MutationBody body, std::string request = "", std::string etag = "",
                std::string digest = "body") {
    const Ticket ticket = ++last_ticket_;
    if (request.empty()) request = "request " + std::to_string(ticket) + " " + begun_;
    input(RequestArrived{ticket, Mutation{.context = {.caller = "root",
                                                      .request_id = RequestId(test_uuid(request)),
                                                      .body = sha256(digest),
                                                      .etag = std::move(etag)},
                                          .body = std::move(body)}});
    return ticket;
  }
  Ticket ask(Query query) {
    const Ticket ticket = ++last_ticket_;
    input(RequestArrived{ticket, std::move(query)});
    return ticket;
  }
  bool answered(Ticket ticket) const { return answers_.contains(ticket); }
  absl::StatusOr<Answer> answer(Ticket ticket) const {
    const auto found = answers_.find(ticket);
    if (found == answers_.end()) return internal_error("ticket {} has no answer", ticket);
    return found->second;
  }
  absl::StatusOr<Answer> run(MutationBody body) { return answer(submit(std::move(body))); }
  // What is wrong with it, one line a field.
  std::string mistakes(MutationBody body) {
    const auto answer = run(std::move(body));
    EXPECT_EQ(answer.status().code(), absl::StatusCode::kInvalidArgument)
        << describe(answer.status());
    std::string lines;
    for (const FieldViolation& violation : violations_of(answer.status())) {
      lines += violation.field + ": " + violation.description + "\n";
    }
    return lines;
  }
  absl::StatusOr<Answer> read(Query query) { return answer(ask(std::move(query))); }

  ImageUid import_image(std::string id = "debian", Bytes virtual_size = gibibytes(2),
                        std::string project = "default") {
    const auto begun = run(BeginImageImport{.project = std::move(project), .id = std::move(id)});
    EXPECT_TRUE(begun.ok()) << describe(begun.status());
    const ImageUid uid = std::get<ImageView>(*begun).image.uid;
    const auto done = run(FinishImageImport{
        uid, ImportedContent{.format = ImageFormat::kQcow2, .virtual_size = virtual_size}});
    EXPECT_TRUE(done.ok()) << describe(done.status());
    return uid;
  }

  static CreateInstance web(std::string id = "web-1") {
    return {.project = "default",
            .id = std::move(id),
            .flavor = "SCS-1V-2",
            .image = "debian",
            .ports = {{"flat", {}}}};
  }
  Instance create(CreateInstance request) {
    const auto answer = run(std::move(request));
    EXPECT_TRUE(answer.ok()) << describe(answer.status());
    return answer.ok() ? std::get<InstanceView>(*answer).instance : Instance{};
  }

  // The agent says this of one instance, having seen the newest orders.
  void report(const HostUid& host, const InstanceReport& report) {
    input(HostReported{
        {.host = host, .epoch = head_.epoch, .sequence = head_.sequence, .instances = {report}}});
  }

  // The agent tells of domains that no record claims.
  void report_orphans(const HostUid& host, std::vector<OrphanReport> orphans) {
    input(HostReported{{.host = host,
                        .epoch = head_.epoch,
                        .sequence = head_.sequence,
                        .orphans = std::move(orphans)}});
  }

  // The agent has taken these networks' bridges away.
  void report_networks_gone(const HostUid& host, std::vector<NetworkUid> networks) {
    input(HostReported{{.host = host,
                        .epoch = head_.epoch,
                        .sequence = head_.sequence,
                        .networks_gone = std::move(networks)}});
  }

  // Held back, a commit's outcome is the test's to deliver.
  void hold_commits(bool hold) { hold_commits_ = hold; }
  bool commit_under_way() const { return under_way_.has_value(); }
  size_t bytes_under_way() const {
    size_t bytes = 0;
    for (const auto& entry : under_way_->batch.puts) bytes += entry.key.size() + entry.value.size();
    return bytes;
  }
  void land() {
    ASSERT_TRUE(under_way_);
    apply(*std::exchange(under_way_, {}));
    input(CommitFinished{head_});
  }
  // The batch is durable, yet nobody was told.
  void land_silently() { apply(*std::exchange(under_way_, {})); }
  void fail_commit(absl::Status status) { input(CommitFinished{std::move(status)}); }

  const CellState& state() const { return controller_.state(); }
  const store::Head& head() const { return head_; }
  Now now() const { return now_; }
  std::vector<std::string> keys(std::string_view prefix) const {
    std::vector<std::string> found;
    for (const auto& [key, value] : table_) {
      if (key.starts_with(prefix)) found.push_back(key);
    }
    return found;
  }
  const std::map<std::string, std::string>& table() const { return table_; }
  std::vector<LogRecord> log() const {
    std::vector<LogRecord> records;
    for (const std::string& key : keys(records::kLogPrefix)) {
      records.push_back(*records::decode_log(table_.at(key)));
    }
    return records;
  }
  std::vector<std::string> event_types() const {
    std::vector<std::string> types;
    for (const LogRecord& record : log()) {
      for (const Event& event : record.events) types.push_back(event.type);
    }
    return types;
  }

  std::vector<HostOrders> orders;
  std::vector<ImageUid> image_deletions;
  std::vector<FetchImage> fetches;
  int image_listings = 0;
  std::vector<std::string> step_downs;
  std::vector<Sequence> log_growth;
  size_t commits = 0;
  int head_reads = 0;

 private:
  void apply(const CommitBatch& commit) {
    EXPECT_EQ(commit.previous, head_) << "not on top of the newest head";
    EXPECT_TRUE(store::check_batch(commit.batch).ok()) << "a store refuses it";
    for (const auto& entry : commit.batch.puts) table_[entry.key] = entry.value;
    for (const auto& key : commit.batch.deletes) table_.erase(key);
    head_.sequence = head_.sequence.next();
  }

  void take(StepResult result) {
    wake_at_ = result.wake_at;
    for (Output& output : result.outputs) {
      if (auto* sent = std::get_if<SendAnswer>(&output)) {
        EXPECT_TRUE(answers_.emplace(sent->ticket, std::move(sent->answer)).second)
            << "ticket " << sent->ticket << " was answered twice";
      } else if (auto* sent = std::get_if<SendOrders>(&output)) {
        orders.push_back(std::move(sent->orders));
      } else if (auto* commit = std::get_if<CommitBatch>(&output)) {
        // A repeated batch takes the place of the one whose outcome was unknown.
        EXPECT_TRUE(!under_way_ || under_way_->previous == commit->previous);
        ++commits;
        under_way_ = std::move(*commit);
      } else if (std::holds_alternative<ObserveHead>(output)) {
        ++head_reads;
      } else if (auto* grew = std::get_if<LogGrew>(&output)) {
        log_growth.push_back(grew->durable);
      } else if (auto* deletion = std::get_if<DeleteImageFiles>(&output)) {
        image_deletions.push_back(deletion->image);
      } else if (auto* fetch = std::get_if<FetchImage>(&output)) {
        fetches.push_back(std::move(*fetch));
      } else if (std::holds_alternative<ListImageFiles>(output)) {
        ++image_listings;
      } else if (auto* down = std::get_if<StepDown>(&output)) {
        step_downs.push_back(down->why);
      }
    }
    if (under_way_ && !hold_commits_) {
      apply(*std::exchange(under_way_, {}));
      input(CommitFinished{head_});
    }
  }

  Now now_{.monotonic = {std::chrono::hours(1)},
           .wall = WallTime(std::chrono::hours(24 * 365 * 50))};
  store::Head head_;
  std::map<std::string, std::string> table_;
  std::optional<CommitBatch> under_way_;
  bool hold_commits_ = false;
  std::optional<MonotonicTime> wake_at_;
  // A cell that goes on from another's state must not repeat that one's request ids.
  const std::string begun_;
  Ticket last_ticket_ = 0;
  std::map<Ticket, absl::StatusOr<Answer>> answers_;
  Controller controller_;
};

}  // namespace stellwerk::controller

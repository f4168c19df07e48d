// The agent's shell, with the real controller's shell on the other end of the link.
#include "api/daemon/agent_runtime.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "../../../support/eventually.h"
#include "api/daemon/controller_runtime.h"
#include "fakes.h"
#include "orchestrator/records/keys.h"

namespace stellwerk::daemon {
namespace {

// What the program logs, while it is there.
class HeardLog final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  static std::shared_ptr<HeardLog> listen() {
    auto heard = std::make_shared<HeardLog>();
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("heard", heard));
    return heard;
  }
  bool hears(std::string_view words) {
    return lines_.await([&](const std::string& line) { return line.find(words) != line.npos; })
        .has_value();
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    lines_.push(std::string(message.payload.data(), message.payload.size()));
  }
  void flush_() override {}

  Channel<std::string> lines_;
};

using Answered = absl::StatusOr<controller::Answer>;

class AgentRuntimeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ControllerRuntimeConfig config;
    Network flat;
    flat.id = "flat";
    flat.bridge = "bridge";
    flat.v4 = Subnet{.range = *IpPrefix::parse("10.64.0.0/24"),
                     .gateway = IpAddress::parse("10.64.0.1"),
                     .next = {}};
    config.controller.networks = {flat};
    auto controller = ControllerRuntime::load(
        config, {.store = store_, .storage = storage_, .downloader = downloader_, .clock = clock_},
        [](const std::string&) {});
    ASSERT_TRUE(controller.ok()) << describe(controller.status());
    controller_ = *std::move(controller);
    ASSERT_TRUE(controller_->begin().ok());
  }

  // The controller's thread must not find the agent gone.
  void TearDown() override { controller_->stop(kDeadline); }

  void start_agent() {
    agent::AgentConfig config;
    config.cell = controller_->cell();
    config.host = host_;
    config.observe_every = std::chrono::milliseconds(20);
    agent_ = std::make_unique<AgentRuntime>(
        config,
        AgentRuntime::Parts{.hypervisor = hypervisor_,
                            .executor = executor_,
                            .clock = clock_,
                            .on_guarding = [this](bool in_force) { guarding_.push(in_force); }},
        link());
    agent_->start();
  }

  ControllerLink link() {
    return {.hello = [this]() -> absl::StatusOr<HostHello> {
              HostHello hello;
              hello.cell = controller_->cell();
              hello.host = host_;
              hello.id = "host-1";
              SW_ASSIGN_OR_RETURN(hello.facts, hypervisor_.host_facts());
              hello.facts.disk = gibibytes(100);
              return hello;
            },
            .connect =
                [this](HostHello hello) {
                  const HostUid host = hello.host;
                  controller_->connect(std::move(hello), [this](HostOrders orders) {
                    agent_->receive(std::move(orders));
                  });
                  greetings_.push(host);
                },
            .report =
                [this](HostStatus status) {
                  reports_.push(status);
                  controller_->report(std::move(status));
                }};
  }

  controller::Answer ask(controller::MutationBody body, std::optional<RequestId> id = {}) {
    controller::Mutation mutation;
    mutation.context.caller = "root";
    mutation.context.request_id = id.value_or(controller_->fresh_request_id());
    mutation.body = std::move(body);
    Channel<Answered> answers;
    controller_->submit(std::move(mutation),
                        [&](Answered answer) { answers.push(std::move(answer)); });
    auto answer = answers.next().value_or(deadline_exceeded("no answer"));
    EXPECT_TRUE(answer.ok()) << describe(answer.status());
    return answer.ok() ? *std::move(answer) : controller::Answer();
  }

  void import_image() {
    const RequestId id = controller_->fresh_request_id();
    const auto image = std::get<controller::ImageView>(
        ask(controller::BeginImageImport{.project = "default",
                                         .id = "debian",
                                         .firmware = Firmware::kBios,
                                         .minimum_disk = {},
                                         .minimum_memory = {},
                                         .labels = {}},
            id));
    ask(controller::FinishImageImport{image.image.uid,
                                      controller::ImportedContent{.format = ImageFormat::kQcow2,
                                                                  .file_size = mebibytes(100),
                                                                  .virtual_size = gibibytes(1),
                                                                  .sha256 = {}}},
        id);
  }

  // It takes guests once its agent has told what runs there.
  void await_ready_host() {
    ASSERT_TRUE(testing::eventually([this] {
      Channel<Answered> answers;
      controller_->submit(controller::Query(controller::GetHost{"host-1"}),
                          [&](Answered answer) { answers.push(std::move(answer)); });
      const auto answer = answers.next().value_or(deadline_exceeded("no answer"));
      return answer.ok() && std::get<controller::HostView>(*answer).connected;
    }));
  }

  InstanceUid create_instance(std::string user_data = "") {
    await_ready_host();
    controller::CreateInstance create;
    create.project = "default";
    create.id = "web";
    create.flavor = "SCS-1V-4";
    create.image = "debian";
    create.ports = {{"flat", {}}};
    create.user_data = std::move(user_data);
    return std::get<controller::InstanceView>(ask(create)).instance.uid;
  }

  std::optional<HostStatus> await_phase(const InstanceUid& uid, Phase phase) {
    return reports_.await([&](const HostStatus& status) {
      for (const InstanceReport& report : status.instances) {
        if (report.instance == uid && report.observed.phase == phase) return true;
      }
      return false;
    });
  }

  const SystemClock clock_;
  const HostUid host_{Uuid({7})};
  HookedStore store_;
  FakeStorage storage_;
  FakeDownloader downloader_;
  FakeHypervisor hypervisor_;
  FakeNetwork network_;
  FakeFirewall firewall_;
  agent::Executor executor_{hypervisor_, storage_, network_, firewall_,
                            [this](const InstanceUid& uid) -> absl::StatusOr<std::string> {
                              SW_ASSIGN_OR_RETURN(auto bytes,
                                                  store_.get(records::user_data_key(uid)));
                              return bytes.value_or("nothing was stored");
                            }};
  Channel<HostUid> greetings_;
  Channel<HostStatus> reports_;
  Channel<bool> guarding_;
  std::unique_ptr<ControllerRuntime> controller_;
  std::unique_ptr<AgentRuntime> agent_;
};

TEST_F(AgentRuntimeTest, RunsAnInstanceFromItsRequestToItsDeletion) {
  start_agent();
  ASSERT_EQ(greetings_.next(), host_);
  import_image();
  const InstanceUid uid = create_instance();
  ASSERT_TRUE(await_phase(uid, Phase::kRunning).has_value());
  const auto domains = hypervisor_.list().value();
  ASSERT_EQ(domains.size(), 1u);
  EXPECT_EQ(domains[0].uuid, uid.value());
  EXPECT_EQ(domains[0].owner->cell, controller_->cell());

  ask(controller::StopInstance{.project = "default", .id = "web", .hard = false});
  ASSERT_TRUE(await_phase(uid, Phase::kStopped).has_value());
  EXPECT_TRUE(hypervisor_.list().value().empty());

  ask(controller::DeleteInstance{.project = "default", .id = "web"});
  ASSERT_TRUE(await_phase(uid, Phase::kDeleted).has_value());
  EXPECT_TRUE(storage_.inventory().value().instances.empty());
  // And the record goes once the agent has said so.
  EXPECT_TRUE(reports_.await([](const HostStatus& status) { return status.instances.empty(); }));
}

TEST_F(AgentRuntimeTest, BringsUserDataFromTheStoreToTheSeed) {
  start_agent();
  ASSERT_TRUE(greetings_.next().has_value());
  import_image();
  create_instance("#!/bin/sh\necho hello\n");
  const auto seed = storage_.seeds.next();
  ASSERT_TRUE(seed.has_value());
  EXPECT_EQ(seed->user_data, "#!/bin/sh\necho hello\n");
}

TEST_F(AgentRuntimeTest, SaysHelloAsSoonAsItsDriversAnswer) {
  hypervisor_.set_fault(unavailable("libvirt is away"));
  std::atomic<int> asked = 0;
  Gate asked_twice;
  agent::AgentConfig config;
  config.cell = controller_->cell();
  config.host = host_;
  config.observe_every = std::chrono::milliseconds(5);
  ControllerLink link = this->link();
  link.hello = [&, hello = link.hello] {
    if (++asked == 2) asked_twice.pass();
    return hello();
  };
  agent_ = std::make_unique<AgentRuntime>(
      config,
      AgentRuntime::Parts{.hypervisor = hypervisor_, .executor = executor_, .clock = clock_}, link);
  agent_->start();
  ASSERT_TRUE(asked_twice.await_arrival());
  hypervisor_.set_fault(absl::OkStatus());
  asked_twice.open();
  EXPECT_EQ(greetings_.next(), host_);
  EXPECT_EQ(asked, 2);
}

TEST_F(AgentRuntimeTest, ReportsUnknownWhileItCannotSee) {
  start_agent();
  ASSERT_TRUE(greetings_.next().has_value());
  import_image();
  const InstanceUid uid = create_instance();
  ASSERT_TRUE(await_phase(uid, Phase::kRunning).has_value());
  hypervisor_.set_fault(unavailable("libvirt is away"));
  EXPECT_TRUE(await_phase(uid, Phase::kUnknown).has_value());
  hypervisor_.set_fault(absl::OkStatus());
  EXPECT_TRUE(await_phase(uid, Phase::kRunning).has_value());
}

TEST_F(AgentRuntimeTest, LogsWhatBecomesOfTheFirewall) {
  const auto logger = spdlog::default_logger();
  const auto log = HeardLog::listen();
  start_agent();
  ASSERT_TRUE(greetings_.next().has_value());
  EXPECT_TRUE(guarding_.await([](bool in_force) { return in_force; }));
  firewall_.set_answer(failed_precondition("the kernel must have nftables for bridges"));
  EXPECT_TRUE(log->hears("firewall in trouble"));
  EXPECT_TRUE(guarding_.await([](bool in_force) { return !in_force; }));
  firewall_.set_answer(firewall::Outcome::kUnchanged);
  EXPECT_TRUE(log->hears("firewall well again"));
  EXPECT_TRUE(guarding_.await([](bool in_force) { return in_force; }));
  firewall_.set_answer(firewall::Outcome::kMended);
  EXPECT_TRUE(log->hears("firewall mended"));
  EXPECT_TRUE(agent_->stop(kDeadline));
  spdlog::set_default_logger(logger);
}

TEST_F(AgentRuntimeTest, HearsOfAGuestThatShutItselfDown) {
  start_agent();
  ASSERT_TRUE(greetings_.next().has_value());
  import_image();
  const InstanceUid uid = create_instance();
  ASSERT_TRUE(await_phase(uid, Phase::kRunning).has_value());
  hypervisor_.shut_down_from_inside(uid);
  const auto stopped = await_phase(uid, Phase::kStopped);
  ASSERT_TRUE(stopped.has_value());
  EXPECT_EQ(stopped->instances.at(0).final_end, FinalEnd::kShutDownByGuest);
}

TEST_F(AgentRuntimeTest, EndsWithoutWaitingForAStepThatHangs) {
  Gate gate;
  hypervisor_.before_start = [&] { gate.pass(); };
  start_agent();
  ASSERT_TRUE(greetings_.next().has_value());
  import_image();
  create_instance();
  ASSERT_TRUE(gate.await_arrival());
  EXPECT_FALSE(agent_->stop(std::chrono::milliseconds(1)));
  EXPECT_FALSE(hypervisor_.is_listened_to());
  gate.open();
  EXPECT_TRUE(agent_->stop(kDeadline));
}

TEST_F(AgentRuntimeTest, GoesOnMakingStepsOfItsOwnWhileADriverHangs) {
  Gate gate;
  hypervisor_.before_start = [&] { gate.pass(); };
  start_agent();
  ASSERT_TRUE(greetings_.next().has_value());
  import_image();
  create_instance();
  ASSERT_TRUE(gate.await_arrival());
  Channel<int> steps;
  agent_->after_a_step([&] { steps.push(1); });
  EXPECT_TRUE(steps.next().has_value());
  gate.open();
  EXPECT_TRUE(agent_->stop(kDeadline)) << "the gate outlives whoever passes it";
}

TEST_F(AgentRuntimeTest, LeavesGuestsAloneWhenItEnds) {
  start_agent();
  ASSERT_TRUE(greetings_.next().has_value());
  import_image();
  const InstanceUid uid = create_instance();
  ASSERT_TRUE(await_phase(uid, Phase::kRunning).has_value());
  EXPECT_TRUE(agent_->stop(kDeadline));
  EXPECT_EQ(hypervisor_.list().value().size(), 1u);
}

}  // namespace
}  // namespace stellwerk::daemon

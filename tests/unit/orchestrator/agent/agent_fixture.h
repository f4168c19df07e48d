// An agent in a test's hands: what it orders is collected, what it would see is set. One thread.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "orchestrator/agent/agent.h"

namespace stellwerk::agent {

using std::chrono::seconds;

inline const CellUid kCell(Uuid::v5(Uuid(), "cell"));
inline const HostUid kHost(Uuid::v5(Uuid(), "host"));

class AgentTest : public ::testing::Test {
 protected:
  AgentTest() : agent_(config()) {
    orders_ = {.cell = kCell, .host = kHost, .epoch = Epoch(2), .sequence = Sequence(10)};
    take(agent_.start(now_));
  }
  static AgentConfig config() {
    AgentConfig config;
    config.cell = kCell;
    config.host = kHost;
    config.max_parallel_steps = 2;
    config.max_destroys_per_minute = 3;
    return config;
  }

  void input(Input input) { take(agent_.step({&input, 1}, now_)); }
  void pass(Duration time) {
    now_.monotonic = now_.monotonic + time;
    input(TimePassed{});
  }
  void order() {
    orders_.sequence = orders_.sequence.next();
    input(OrdersArrived{orders_});
  }
  Instance& want(std::string id, DesiredState state = DesiredState::kRunning) {
    Instance instance;
    instance.uid = InstanceUid(Uuid::v5(Uuid(), id));
    instance.id = std::move(id);
    instance.generation = Generation(1);
    instance.run = Generation(1);
    instance.desired = state;
    orders_.instances.push_back(instance);
    return orders_.instances.back();
  }
  void files(const InstanceUid& uid, std::optional<Generation> started = std::nullopt) {
    world_.storage.instances.push_back(
        {.instance = uid, .has_disk = true, .has_seed = true, .started = started});
  }
  void domain(const InstanceUid& uid, CellUid cell = kCell) {
    hypervisor::Ownership owner{.cell = cell, .instance = uid, .project_id = "default"};
    owner.instance_id = "left";
    owner.run = Generation(1);
    world_.domains.push_back({.uuid = uid.value(),
                              .name = "stellwerk-" + uid.to_string(),
                              .owner = owner,
                              .vcpus = VcpuCount(2),
                              .memory = gibibytes(1)});
  }
  // The observation that was asked for, begun now, after the firewall was put right.
  void observe() {
    ASSERT_TRUE(observing_) << "no observation was asked for";
    observing_ = false;
    if (upkeep_.guards && world_.guarding.ok()) world_.guards = *upkeep_.guards;
    input(ObservationFinished{now_.monotonic, world_});
  }
  void finish(StepId id, absl::Status status = absl::OkStatus()) {
    now_.monotonic = now_.monotonic + seconds(1);
    input(StepFinished{id, std::move(status)});
  }
  std::vector<std::string> step_names() const {
    std::vector<std::string> names;
    for (const RunStep& step : steps_) names.emplace_back(name_of(step.step));
    return names;
  }
  const Observed& reported() const { return reports_.back().instances.at(0).observed; }

  void take(StepResult result) {
    for (Output& output : result.outputs) {
      if (auto* step = std::get_if<RunStep>(&output)) {
        steps_.push_back(std::move(*step));
      } else if (auto* status = std::get_if<SendStatus>(&output)) {
        reports_.push_back(std::move(status->status));
      } else if (auto* look = std::get_if<Observe>(&output)) {
        EXPECT_FALSE(observing_) << "two observations under way";
        observing_ = true;
        upkeep_ = std::move(look->upkeep);
      }
    }
  }

  Now now_{.monotonic = {std::chrono::hours(1)}, .wall = WallTime(seconds(1'000'000))};
  HostOrders orders_;
  HostObservation world_;
  std::vector<RunStep> steps_;
  std::vector<HostStatus> reports_;
  bool observing_ = false;
  HostUpkeep upkeep_;  // of the newest look
  Agent agent_;
};

}  // namespace stellwerk::agent

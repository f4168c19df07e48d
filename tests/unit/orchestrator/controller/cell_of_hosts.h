// A cell of two sites, three zones and a few racks, with a host in each of three racks: what tests
// of groups, wishes, backups and power have in common.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/unit/orchestrator/controller/cell_harness.h"

namespace stellwerk::controller {

class CellOfHosts : public ::testing::Test {
 protected:
  explicit CellOfHosts(ControllerConfig config = CellHarness::default_config())
      : cell_(std::move(config)) {
    for (const char* id : {"host-1", "host-2", "host-3"}) cell_.connect_host(id);
    make({CreateSite{"dc1"}, CreateSite{"dc2"}, CreateZone{"dc1", "a"}, CreateZone{"dc1", "b"},
          CreateZone{"dc2", "a"}, CreateFeed{"dc1", "f1", watts(1000)},
          CreateFeed{"dc1", "f2", watts(1000)},
          CreateRack{"dc1/a", "r01", {"dc1/f1", "dc1/f2"}, {}}, CreateRack{"dc1/b", "r02", {}, {}},
          CreateRack{"dc2/a", "r03", {}, {}}, UpdateHost{.id = "host-1", .rack = "dc1/a/r01"},
          UpdateHost{.id = "host-2", .rack = "dc1/b/r02"},
          UpdateHost{.id = "host-3", .rack = "dc2/a/r03"}});
    cell_.import_image();
  }

  static ControllerConfig guaranteed(DomainLevel level = DomainLevel::kHost) {
    ControllerConfig config = CellHarness::default_config();
    config.placement.guarantee = level;
    return config;
  }

  void make(const std::vector<MutationBody>& bodies) {
    for (const MutationBody& body : bodies) {
      const auto answer = cell_.run(body);
      ASSERT_TRUE(answer.ok()) << describe(answer.status());
    }
  }
  // Without a network.
  static CreateInstance plain(std::string id = "web-1") {
    CreateInstance create = CellHarness::web(std::move(id));
    create.ports.clear();
    return create;
  }
  static CreateInstances many(int64_t count, CreateInstance each) {
    return {std::move(each), count};
  }
  std::string host_of(const Instance& instance) {
    return cell_.state().hosts.at(instance.claim.host).id;
  }
  const Instance& now(const Instance& instance) { return cell_.state().instances.at(instance.uid); }
  std::string backup_of(const Instance& instance) {
    const auto& backup = now(instance).backup;
    return backup ? cell_.state().hosts.at(backup->host).id : "none";
  }
  // Its agent says that nothing is left of it.
  void finish(const Instance& instance) {
    const Generation generation = now(instance).generation;
    cell_.report(
        instance.claim.host,
        {instance.uid, {.phase = Phase::kDeleted, .generation = generation}, std::nullopt});
  }
  std::vector<Event> events_of(std::string_view type) {
    std::vector<Event> found;
    for (const LogRecord& record : cell_.log()) {
      for (const Event& event : record.events) {
        if (event.type == type) found.push_back(event);
      }
    }
    return found;
  }

  CellHarness cell_;
};

}  // namespace stellwerk::controller

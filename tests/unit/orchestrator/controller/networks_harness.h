// A cell in which tests make networks.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/orchestrator/controller/cell_harness.h"

namespace stellwerk::controller {

inline IpAddress address(std::string_view text) {
  return IpAddress::parse(text).value();
}
// Also with bits behind the length.
inline IpPrefix range(std::string_view text) {
  const size_t slash = text.find('/');
  return {address(text.substr(0, slash)),
          static_cast<uint8_t>(std::stoi(std::string(text.substr(slash + 1))))};
}

inline CreateNetwork back(std::string id = "back", std::string_view v4 = "10.8.0.0/24") {
  return {.project = "default", .id = std::move(id), .bridge = "", .v4 = range(v4)};
}

class ControllerNetworks : public ::testing::Test {
 protected:
  void SetUp() override {
    host_ = cell_.connect_host();
    cell_.import_image();
  }
  Network make(CreateNetwork request) {
    const auto answer = cell_.run(std::move(request));
    EXPECT_TRUE(answer.ok()) << describe(answer.status());
    return answer.ok() ? std::get<NetworkView>(*answer).network : Network{};
  }
  std::string mistakes(CreateNetwork request) { return cell_.mistakes(std::move(request)); }
  std::vector<NetworkView> listed(std::string project = "default") {
    return std::get<Page<NetworkView>>(*cell_.read(ListNetworks{std::move(project), {}})).items;
  }
  const Network* stored(const std::string& id) const {
    for (const auto& [uid, network] : cell_.state().networks) {
      if (network.id == id) return &network;
    }
    return nullptr;
  }
  void make_project(std::string id) {
    ASSERT_TRUE(cell_.run(CreateProject{.id = std::move(id)}).ok());
  }

  CellHarness cell_;
  HostUid host_;
};

}  // namespace stellwerk::controller

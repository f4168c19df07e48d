// What a project may learn of others by its networks: nothing.
#include <gmock/gmock.h>

#include "tests/unit/orchestrator/controller/cell_harness.h"

namespace stellwerk::controller {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

CreateNetwork network_of(std::string project, std::string id, std::string_view v4) {
  return {.project = std::move(project),
          .id = std::move(id),
          .bridge = "",
          .v4 = IpPrefix::parse(v4).value()};
}

class ControllerIsolation : public ::testing::Test {
 protected:
  void make_project(std::string id) {
    ASSERT_TRUE(cell_.run(CreateProject{.id = std::move(id)}).ok());
  }
  void make(CreateNetwork request) { ASSERT_TRUE(cell_.run(std::move(request)).ok()); }

  CellHarness cell_;
};

TEST_F(ControllerIsolation, PageTokensNameNothingOfOtherProjects) {
  make_project("aaa");
  make_project("zzz");
  make(network_of("aaa", "secret", "10.40.0.0/24"));
  make(network_of("zzz", "own", "10.41.0.0/24"));
  const auto page = std::get<Page<NetworkView>>(
      *cell_.read(ListNetworks{.project = "zzz", .page = {.size = 1, .token = ""}}));
  ASSERT_THAT(page.items, SizeIs(1));
  EXPECT_THAT(page.next_token, Not(HasSubstr("secret")));
  const auto rest = std::get<Page<NetworkView>>(
      *cell_.read(ListNetworks{.project = "zzz", .page = {.size = 9, .token = page.next_token}}));
  ASSERT_FALSE(rest.items.empty());
  EXPECT_EQ(rest.items.back().network.id, "own");
}

TEST_F(ControllerIsolation, ShowsAProjectItsOwnUseOfASharedNetworkAlone) {
  make_project("town");
  cell_.connect_host();
  cell_.import_image();
  const auto flat = [&](const std::string& project) {
    return std::get<NetworkView>(*cell_.read(GetNetwork{project, "flat"}));
  };
  const std::string before = etag_of(flat("town").network.changed_at);
  cell_.create(CellHarness::web());
  EXPECT_EQ(flat("default").ports, 1);
  EXPECT_EQ(flat("town").ports, 0);
  EXPECT_EQ(etag_of(flat("town").network.changed_at), before)
      << "a port of another project changed the etag";
}

}  // namespace
}  // namespace stellwerk::controller

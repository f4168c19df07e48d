// Capabilities as libvirt words them on different machines.
#include "drivers/hypervisor/libvirt/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "temporary_directory.h"

namespace stellwerk::hypervisor {
namespace {

using ::testing::HasSubstr;

std::string machine(const std::string& cells) {
  return "<capabilities><host><uuid>x</uuid><topology><cells num='1'>" + cells +
         "</cells></topology></host><guest/></capabilities>";
}

std::string cell(int id, const std::string& memory, const std::string& cpus) {
  return fmt::format(
      "<cell id='{}'>{}<pages unit='KiB' size='4'>1</pages><distances><sibling "
      "id='0' value='10'/></distances><cpus num='1'>{}</cpus></cell>",
      id, memory, cpus);
}

std::string cpu(int id, const std::string& siblings, int socket = 0, int core = 0) {
  return fmt::format("<cpu id='{}' socket_id='{}' die_id='0' core_id='{}' siblings='{}'/>", id,
                     socket, core, siblings);
}

constexpr char kGibibyte[] = "<memory unit='KiB'>1048576</memory>";

std::vector<NumaNode> nodes_of(const std::string& capabilities,
                               const std::vector<int32_t>& left_out = {}) {
  auto nodes = parse_topology(capabilities, left_out);
  EXPECT_TRUE(nodes.ok()) << describe(nodes.status());
  return nodes.ok() ? *nodes : std::vector<NumaNode>();
}

absl::Status refusal(const std::string& cells) {
  return parse_topology(machine(cells), {}).status();
}

TEST(Topology, OfOneSocketWithoutHyperthreading) {
  const std::string text = machine(cell(0, kGibibyte, cpu(0, "0") + cpu(1, "1", 0, 1)));
  EXPECT_EQ(nodes_of(text), (std::vector<NumaNode>{{0, gibibytes(1), {{{0}}, {{1}}}}}));
}

TEST(Topology, OfTwoSocketsWithTwoThreadsACore) {
  const std::string text = machine(
      cell(0, kGibibyte,
           cpu(0, "0,4") + cpu(1, "1,5", 0, 1) + cpu(4, "0,4") + cpu(5, "1,5", 0, 1)) +
      cell(1, kGibibyte,
           cpu(2, "2,6", 1) + cpu(3, "3,7", 1, 1) + cpu(6, "2,6", 1) + cpu(7, "3,7", 1, 1)));
  EXPECT_EQ(nodes_of(text), (std::vector<NumaNode>{{0, gibibytes(1), {{{0, 4}}, {{1, 5}}}},
                                                   {1, gibibytes(1), {{{2, 6}}, {{3, 7}}}}}));
}

TEST(Topology, OfThreadsNumberedSideBySide) {
  const std::string text =
      machine(cell(0, kGibibyte, cpu(0, "0-1") + cpu(1, "0-1") + cpu(2, "2-3") + cpu(3, "2-3")));
  EXPECT_EQ(nodes_of(text), (std::vector<NumaNode>{{0, gibibytes(1), {{{0, 1}}, {{2, 3}}}}}));
}

TEST(Topology, LeavesOutThreadsThatAreOffline) {
  const std::string text =
      machine(cell(0, kGibibyte, cpu(0, "0-1") + cpu(1, "0-1") + cpu(2, "2") + "<cpu id='3'/>"));
  EXPECT_EQ(nodes_of(text), (std::vector<NumaNode>{{0, gibibytes(1), {{{0, 1}}, {{2}}}}}));
}

TEST(Topology, LeavesOutThreadsThatAreIsolated) {
  const std::string text =
      machine(cell(0, kGibibyte, cpu(0, "0-1") + cpu(1, "0-1") + cpu(2, "2-3") + cpu(3, "2-3")));
  EXPECT_EQ(nodes_of(text, {2, 3}), (std::vector<NumaNode>{{0, gibibytes(1), {{{0, 1}}}}}));
  EXPECT_TRUE(nodes_of(text, {0, 1, 2, 3}).empty());
}

TEST(Topology, HasNodesWithoutMemoryOrWithoutProcessors) {
  const std::string text = machine(cell(2, kGibibyte, "") + cell(1, "", cpu(0, "0")));
  EXPECT_EQ(nodes_of(text), (std::vector<NumaNode>{{1, Bytes(), {{{0}}}}, {2, gibibytes(1), {}}}));
}

TEST(Topology, IsUnknownWhereTheHostTellsNone) {
  EXPECT_TRUE(nodes_of("<capabilities><host/></capabilities>").empty());
  EXPECT_TRUE(nodes_of(machine("")).empty());
  EXPECT_TRUE(nodes_of(machine(cell(0, kGibibyte, ""))).empty());
}

TEST(Topology, IsRefusedWhereItContradictsItself) {
  EXPECT_TRUE(absl::IsDataLoss(parse_topology("<capabilities", {}).status()));
  EXPECT_THAT(message_of(refusal(cell(0, "", cpu(0, "0")) + cell(1, "", cpu(0, "0")))),
              HasSubstr("processor 0 is there twice"));
  EXPECT_THAT(message_of(refusal(cell(0, "", cpu(0, "0-1") + cpu(1, "1")))),
              HasSubstr("processor 1 belongs to the cores"));
  EXPECT_THAT(message_of(refusal(cell(0, "", cpu(0, "1")))), HasSubstr("makes no sense"));
  EXPECT_THAT(message_of(refusal(cell(0, "", cpu(-1, "0")))), HasSubstr("makes no sense"));
  EXPECT_THAT(message_of(refusal(cell(0, "", cpu(0, "0-99999")))), HasSubstr("makes no sense"));
  EXPECT_THAT(message_of(refusal(cell(0, "", "") + cell(0, "", ""))), HasSubstr("has the id '0'"));
}

TEST(Topology, CountsCoresAndThreads) {
  HostFacts facts{.cores = 1, .threads = 1};
  count_processors(facts);
  EXPECT_EQ(facts.threads, 1);
  facts.numa = {{0, Bytes(), {{{0, 4}}, {{1, 5}}}}, {1, Bytes(), {{{2}}}}};
  count_processors(facts);
  EXPECT_EQ(facts.cores, 3);
  EXPECT_EQ(facts.threads, 5);
}

TEST(Topology, KnowsWhatTheKernelKeepsItsSchedulerAwayFrom) {
  const TemporaryDirectory sys;
  EXPECT_TRUE(isolated_cpus(sys.path()).empty());
  sys.write("devices/system/cpu/isolated", "\n");
  EXPECT_TRUE(isolated_cpus(sys.path()).empty());
  sys.write("devices/system/cpu/isolated", "2-3,8\n");
  EXPECT_EQ(isolated_cpus(sys.path()), (std::vector<int32_t>{2, 3, 8}));
}

TEST(Topology, KnowsWhetherMemoryCouldComeFromMoreThanOnePlace) {
  const TemporaryDirectory sys;
  EXPECT_FALSE(has_several_nodes(sys.path()));
  sys.write("devices/system/node/online", "0\n");
  EXPECT_FALSE(has_several_nodes(sys.path()));
  sys.write("devices/system/node/online", "0-1\n");
  EXPECT_TRUE(has_several_nodes(sys.path()));
}

}  // namespace
}  // namespace stellwerk::hypervisor

#include "core/scs_flavors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stellwerk {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;
using testing::Pair;

TEST(ScsFlavors, AreTheFifteenOfTheStandard) {
  std::vector<std::string_view> ids;
  for (const ScsFlavor& flavor : mandatory_scs_flavors()) ids.push_back(flavor.id);
  EXPECT_THAT(
      ids, ElementsAre("SCS-1V-4", "SCS-2V-8", "SCS-4V-16", "SCS-8V-32", "SCS-1V-2", "SCS-2V-4",
                       "SCS-4V-8", "SCS-8V-16", "SCS-16V-32", "SCS-1V-8", "SCS-2V-16", "SCS-4V-32",
                       "SCS-1L-1", "SCS-2V-4-20s", "SCS-4V-16-100s"));
}

TEST(ScsFlavors, CanAllBeOfferedAndKeepTheirNames) {
  for (const ScsFlavor& flavor : mandatory_scs_flavors()) {
    EXPECT_EQ(format_flavor_name(flavor.name), flavor.id);
    EXPECT_EQ(check_promises(flavor.name), std::nullopt) << flavor.id;
  }
}

TEST(ScsFlavors, AFlavorHasTheSizeThatItsNameSays) {
  const Flavor flavor =
      flavor_from_name("SCS-4T-15.5-100s", parse_flavor_name("SCS-4T-15.5-100s").value());
  EXPECT_EQ(flavor.id, "SCS-4T-15.5-100s");
  EXPECT_EQ(flavor.cpu_class, CpuClass::kDedicatedThread);
  EXPECT_EQ(flavor.vcpus, VcpuCount(4));
  EXPECT_EQ(flavor.memory, mebibytes(15'872));
  EXPECT_EQ(flavor.disks, (FlavorDisks{1, gigabytes(100), DiskType::kSsd}));
  EXPECT_FALSE(flavor.builtin);
}

TEST(ScsFlavors, ANameMayNotPromiseWhatNobodyCanGive) {
  const auto problem = [](std::string_view name) {
    return check_promises(parse_flavor_name(name).value());
  };
  EXPECT_EQ(problem("SCS-2Li-8uo-50n_kvm"), std::nullopt);
  EXPECT_THAT(problem("SCS-2V-8_xen"), Optional(HasSubstr("other than KVM")));
  EXPECT_THAT(problem("SCS-2V-8_hwv"), Optional(HasSubstr("nested virtualisation")));
  EXPECT_THAT(problem("SCS-2V-8_z3"), Optional(HasSubstr("CPU vendor")));
  EXPECT_THAT(problem("SCS-2V-8_GNa"), Optional(HasSubstr("GPU")));
  EXPECT_THAT(problem("SCS-2V-8_ib"), Optional(HasSubstr("InfiniBand")));
  EXPECT_THAT(problem("SCS-2V-8-2x50n"), Optional(HasSubstr("several disks")));
}

Flavor named(std::string_view id) {
  return flavor_from_name(id, parse_flavor_name(id).value());
}

TEST(ScsFlavors, ExtraSpecsFollowTheName) {
  EXPECT_THAT(
      scs_extra_specs(named("SCS-2V-4-20s")),
      ElementsAre(Pair("scs:cpu-type", "shared-core"), Pair("scs:disk0-type", "ssd"),
                  Pair("scs:name-v1", "SCS-2V:4:20s"), Pair("scs:name-v2", "SCS-2V-4-20s")));
  EXPECT_THAT(scs_extra_specs(named("SCS-1L-1")),
              ElementsAre(Pair("scs:cpu-type", "crowded-core"), Pair("scs:name-v1", "SCS-1L:1"),
                          Pair("scs:name-v2", "SCS-1L-1")));
  EXPECT_EQ(scs_extra_specs(named("SCS-1T-1-5n"))["scs:cpu-type"], "dedicated-thread");
  EXPECT_EQ(scs_extra_specs(named("SCS-1T-1-5n"))["scs:disk0-type"], "network");
  EXPECT_EQ(scs_extra_specs(named("SCS-1C-1-5h"))["scs:cpu-type"], "dedicated-core");
  EXPECT_EQ(scs_extra_specs(named("SCS-1C-1-5h"))["scs:disk0-type"], "hdd");
  EXPECT_EQ(scs_extra_specs(named("SCS-1C-1-5p"))["scs:disk0-type"], "nvme");
}

TEST(ScsFlavors, ExtraSpecsOfAFreeNameClaimNoStandardName) {
  Flavor flavor;
  flavor.id = "tiny";
  flavor.disks = FlavorDisks{};
  EXPECT_THAT(scs_extra_specs(flavor), ElementsAre(Pair("scs:cpu-type", "shared-core")));
}

}  // namespace
}  // namespace stellwerk

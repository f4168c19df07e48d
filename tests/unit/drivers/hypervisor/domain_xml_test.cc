#include "drivers/hypervisor/libvirt/domain_xml.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <pugixml.hpp>
#include <sstream>

namespace stellwerk::hypervisor {
namespace {

DomainSpec spec() {
  DomainSpec spec;
  spec.owner.cell = *CellUid::parse("11111111-2222-4333-8444-555555555555");
  spec.owner.instance = *InstanceUid::parse("aaaaaaaa-bbbb-5ccc-8ddd-eeeeeeeeeeee");
  spec.owner.run = Generation(3);
  spec.owner.reboot_count = 1;
  spec.owner.project_id = "default";
  spec.owner.instance_id = "web-1";
  spec.owner.adoption = "CgQIARAC";
  spec.vcpus = VcpuCount(2);
  spec.memory = gibibytes(4);
  spec.boot_disk = {"/var/lib/stellwerk/storage/instances/web/disk.qcow2", ImageFormat::kQcow2};
  spec.seed_path = "/var/lib/stellwerk/storage/instances/web/seed.iso";
  spec.console_socket = "/var/lib/stellwerk/consoles/aaaaaaaabbbb5ccc";
  spec.ports = {{0x52540000002a, "stellwerk0", "swaaaaaaaabbbb"}};
  return spec;
}

// STELLWERK_UPDATE_GOLDEN=1 writes the files anew, for a look at the difference.
void expect_golden(const std::string& name, const DomainSpec& spec, Accelerator accelerator) {
  const auto xml = domain_xml(spec, accelerator);
  ASSERT_TRUE(xml.ok()) << describe(xml.status());
  const std::string path = std::string(STELLWERK_GOLDEN) + "/domain/" + name + ".xml";
  if (std::getenv("STELLWERK_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << *xml;
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  const std::string golden{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(*xml, golden) << path;
}

// Of a domain with that metadata and nothing else.
std::optional<Ownership> owner_in(const std::string& metadata) {
  const auto described = parse_domain("<domain><metadata>" + metadata + "</metadata></domain>");
  EXPECT_TRUE(described.ok()) << describe(described.status());
  return described.ok() ? described->owner : std::nullopt;
}

TEST(DomainXml, DescribesBiosGuestUnderTcg) {
  expect_golden("bios_tcg", spec(), Accelerator::kTcg);
}

TEST(DomainXml, DescribesBiosGuestUnderKvm) {
  expect_golden("bios_kvm", spec(), Accelerator::kKvm);
}

TEST(DomainXml, DescribesUefiGuest) {
  DomainSpec uefi = spec();
  uefi.firmware = Firmware::kUefi;
  expect_golden("uefi_kvm", uefi, Accelerator::kKvm);
}

TEST(DomainXml, DescribesGuestWithoutPortsSeedAndConsole) {
  DomainSpec bare = spec();
  bare.ports.clear();
  bare.seed_path.clear();
  bare.console_socket.clear();
  bare.boot_disk.format = ImageFormat::kRaw;
  expect_golden("bare_tcg", bare, Accelerator::kTcg);
}

TEST(DomainXml, DescribesGuestWithSeveralPorts) {
  DomainSpec several = spec();
  several.ports.push_back({0x52540000002b, "stellwerk1", "swaaaaaaaacccc"});
  several.ports.push_back({0x52540000002c, "stellwerk1", "swaaaaaaaadddd"});
  expect_golden("several_ports_kvm", several, Accelerator::kKvm);
}

// Each vCPU on a thread of its own, QEMU's other threads beside them, memory from close by.
TEST(DomainXml, DescribesGuestWithDedicatedThreads) {
  DomainSpec pinned = spec();
  pinned.pins = CpuPins{{{9}, {1}}, {0, 2, 3, 4}};
  pinned.memory_nodes = {0};
  expect_golden("dedicated_threads_kvm", pinned, Accelerator::kKvm);
}

TEST(DomainXml, DescribesGuestWithDedicatedCoresOfTwoNodes) {
  DomainSpec pinned = spec();
  pinned.pins = CpuPins{{{1, 9}, {4, 12}}, {0, 8}};
  pinned.memory_nodes = {0, 1};
  expect_golden("dedicated_cores_kvm", pinned, Accelerator::kKvm);
}

TEST(DomainXml, DescribesGuestOnSharedThreads) {
  DomainSpec pinned = spec();
  pinned.pins = CpuPins{{{0, 2, 3}, {0, 2, 3}}, {0, 2, 3}};
  expect_golden("shared_threads_tcg", pinned, Accelerator::kTcg);
}

TEST(DomainXml, KeepsHostileTextInItsPlace) {
  DomainSpec hostile = spec();
  hostile.owner.project_id = "../../etc/passwd";
  hostile.owner.instance_id = "--help\"'</stellwerk:owner><evil/>";
  hostile.owner.adoption = std::string("a\0b\x01\xff\r\n %41 ]]>&amp;", 20);
  hostile.boot_disk.path = "/disks/\"/><evil attribute='&'/>";
  hostile.ports[0].bridge = "br\"<&>";
  expect_golden("hostile_tcg", hostile, Accelerator::kTcg);
}

TEST(DomainXml, RoundsMemoryUpToWholeKibibytes) {
  DomainSpec odd = spec();
  odd.memory = mebibytes(64) + Bytes(1);
  const auto xml = domain_xml(odd, Accelerator::kTcg);
  ASSERT_TRUE(xml.ok());
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(xml->c_str()));
  EXPECT_EQ(document.child("domain").child("memory").text().as_llong(), 64 * 1024 + 1);
}

TEST(DomainXml, RefusesWhatNoDomainCanHaveAndNamesTheField) {
  const auto refusal = [](auto change) {
    DomainSpec bad = spec();
    change(bad);
    return domain_xml(bad, Accelerator::kTcg).status();
  };
  const std::vector<std::pair<std::string, absl::Status>> refusals = {
      {"vcpus", refusal([](DomainSpec& s) { s.vcpus = VcpuCount(0); })},
      {"memory", refusal([](DomainSpec& s) { s.memory = Bytes(17); })},
      {"boot_disk.path", refusal([](DomainSpec& s) { s.boot_disk.path = "disk.qcow2"; })},
      {"boot_disk.path", refusal([](DomainSpec& s) { s.boot_disk.path = ""; })},
      {"boot_disk.path",
       refusal([](DomainSpec& s) { s.boot_disk.path = std::string("/a\0b", 4); })},
      {"seed_path", refusal([](DomainSpec& s) { s.seed_path = "/seed\x01.iso"; })},
      {"console_socket", refusal([](DomainSpec& s) { s.console_socket = "-"; })},
      {"console_socket",
       refusal([](DomainSpec& s) { s.console_socket = "/" + std::string(107, 'c'); })},
      {"pins.vcpus", refusal([](DomainSpec& s) {
         s.pins = CpuPins{{{1}}, {0}};
       })},
      {"pins.vcpus", refusal([](DomainSpec& s) {
         s.pins = CpuPins{{{1}, {}}, {0}};
       })},
      {"pins.emulator", refusal([](DomainSpec& s) {
         s.pins = CpuPins{{{1}, {2}}, {}};
       })},
      {"ports.bridge", refusal([](DomainSpec& s) { s.ports[0].bridge = ""; })},
      {"ports.interface_name",
       refusal([](DomainSpec& s) { s.ports[0].interface_name = "sixteen-letters-"; })},
      {"ports.interface_name", refusal([](DomainSpec& s) { s.ports[0].interface_name = "../x"; })},
  };
  for (const auto& [field, status] : refusals) {
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << field;
    EXPECT_TRUE(message_of(status).starts_with(field + ":")) << describe(status);
  }
}

TEST(ParsedDomain, IsWhatTheXmlWasMadeFrom) {
  DomainSpec pinned = spec();
  pinned.pins = CpuPins{{{1, 9}, {2, 10}}, {0, 8}};
  const auto xml = domain_xml(pinned, Accelerator::kTcg);
  ASSERT_TRUE(xml.ok());
  const auto described = parse_domain(*xml);
  ASSERT_TRUE(described.ok()) << describe(described.status());
  EXPECT_EQ(described->owner, pinned.owner);
  EXPECT_EQ(described->vcpus, pinned.vcpus);
  EXPECT_EQ(described->memory, pinned.memory);
  EXPECT_EQ(described->pins, *pinned.pins);
}

TEST(ParsedDomain, RunsWhereTheWholeMayWhatHasNoPinOfItsOwn) {
  const auto pins = [](const std::string& xml) {
    const auto described = parse_domain("<domain>" + xml + "</domain>");
    EXPECT_TRUE(described.ok()) << describe(described.status());
    return described->pins;
  };
  EXPECT_EQ(pins("<vcpu>2</vcpu>"), (CpuPins{{{}, {}}, {}}));
  EXPECT_EQ(pins("<vcpu cpuset='0-2'>2</vcpu>"), (CpuPins{{{0, 1, 2}, {0, 1, 2}}, {0, 1, 2}}));
  EXPECT_EQ(pins("<vcpu cpuset='0-1'>2</vcpu><cputune><vcpupin vcpu='1' cpuset='7'/>"
                 "<emulatorpin cpuset='3,5'/></cputune>"),
            (CpuPins{{{0, 1}, {7}}, {3, 5}}));
  EXPECT_EQ(pins("<vcpu>1</vcpu><cputune><vcpupin vcpu='9' cpuset='7'/></cputune>"),
            (CpuPins{{{}}, {}}));
}

TEST(ParsedDomain, CountsTheVcpusThatArePluggedIn) {
  const auto described =
      parse_domain("<domain><memory unit='KiB'>2048</memory><vcpu current='1'>4</vcpu></domain>");
  ASSERT_TRUE(described.ok());
  EXPECT_EQ(described->vcpus, VcpuCount(1));
  EXPECT_EQ(described->memory, mebibytes(2));
  EXPECT_EQ(described->owner, std::nullopt);
  EXPECT_FALSE(parse_domain("<domain").ok());
}

RC_GTEST_PROP(Ownership, ComesBackWhateverTheTextHolds,
              (const std::string& project, const std::string& instance, uint64_t reboots,
               uint64_t generation, bool declared)) {
  Ownership owner = spec().owner;
  owner.project_id = project;
  owner.instance_id = instance;
  owner.adoption = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  owner.reboot_count = reboots;
  owner.run = Generation(generation);
  std::string xml = ownership_xml(owner, declared ? NameSpace::kDeclared : NameSpace::kImplied);
  if (!declared) xml.replace(xml.find("owner"), 5, fmt::format("owner xmlns='{}'", kMetadataUri));
  RC_ASSERT(owner_in(xml) == owner);
}

TEST(Ownership, IsNobodysWhenAnythingIsMissingOrMalformed) {
  const std::string good = ownership_xml(spec().owner, NameSpace::kDeclared);
  ASSERT_TRUE(owner_in(good));
  const auto with = [&good](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return owner_in(text);
  };
  EXPECT_FALSE(owner_in(""));
  EXPECT_FALSE(owner_in("<other/>"));
  EXPECT_FALSE(with(kMetadataUri, "urn:somebody:else"));
  EXPECT_FALSE(with("<stellwerk:cell>11111111-2222-4333-8444-555555555555</stellwerk:cell>", ""));
  EXPECT_FALSE(with("11111111", "1111111z"));
  EXPECT_FALSE(with("generation>3", "generation>-3"));
  EXPECT_FALSE(with("reboot-count>1", "reboot-count>1x"));
  EXPECT_FALSE(with("web-1", "web%4"));
}

}  // namespace
}  // namespace stellwerk::hypervisor

#include "core/flavor_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <regex.h>

namespace stellwerk {
namespace {

using testing::HasSubstr;

// The standard's grammar as a POSIX expression; its tables are checked apart. (std::regex does not
// compile without warnings under GCC 12's sanitizers.)
bool follows_grammar(const std::string& text) {
  static const regex_t grammar = [] {
    regex_t compiled;
    const int result = regcomp(
        &compiled,
        "^SCS-[1-9][0-9]*[LVTC]i?-([1-9][0-9]*([.]5)?|0[.]5)u?o?"
        "(-([1-9][0-9]*x)?([1-9][0-9]*)?[nhsp]?)?(_(kvm|chy|xen|vmw|hyv|bms))?"
        "(_hwv)?(_[izar][0-9]*h{0,3})?"
        "(_[Gg][NAI]([a-z]|[0-9]+([.][0-9]+)?)?(-[1-9][0-9]*h{0,2})?(-[1-9][0-9]*h{0,2})?)?"
        "(_ib)?$",
        REG_EXTENDED | REG_NOSUB);
    EXPECT_EQ(result, 0);
    return compiled;
  }();
  return regexec(&grammar, text.c_str(), 0, nullptr, 0) == 0;
}

template <class Value>
rc::Gen<std::optional<Value>> optional_of(rc::Gen<Value> values) {
  return rc::gen::oneOf(rc::gen::just(std::optional<Value>()),
                        rc::gen::map(values, [](Value v) { return std::optional(std::move(v)); }));
}

FlavorDisks any_disks() {
  FlavorDisks disks;
  disks.count = *rc::gen::inRange<int64_t>(1, kMaxFlavorDisks + 1);
  disks.size = gigabytes(*rc::gen::inRange<int64_t>(0, kMaxFlavorDiskGb + 1));
  disks.type = static_cast<DiskType>(*rc::gen::inRange(0, 5));
  return disks;
}

FlavorCpuVendor any_vendor() {
  static const std::map<char, int> kNewest = {{'i', 6}, {'z', 6}, {'a', 5}, {'r', 0}};
  FlavorCpuVendor vendor;
  vendor.vendor = *rc::gen::element('i', 'z', 'a', 'r');
  const int generation = *rc::gen::inRange(0, kNewest.at(vendor.vendor) + 1);
  if (generation > 0) vendor.generation = generation;
  vendor.frequency = *rc::gen::inRange(0, 4);
  return vendor;
}

FlavorGpu any_gpu() {
  static const std::map<char, std::vector<std::string>> kGenerations = {
      {'N', {"", "f", "k", "m", "p", "v", "t", "a", "l", "g", "b"}},
      {'A', {"", "0.4", "0.5", "1", "1.1", "2", "2.1", "3", "3.1", "3.5", "4", "4.1", "5.1"}},
      {'I', {"", "0.9", "0.95", "1", "2", "3", "4"}}};
  FlavorGpu gpu;
  gpu.pass_through = *rc::gen::arbitrary<bool>();
  gpu.vendor = *rc::gen::element('N', 'A', 'I');
  gpu.generation = *rc::gen::elementOf(kGenerations.at(gpu.vendor));
  gpu.units = *optional_of(rc::gen::inRange<int64_t>(1, 20'000));
  if (!gpu.units) return gpu;
  gpu.units_frequency = *rc::gen::inRange(0, 3);
  gpu.memory_gib = *optional_of(rc::gen::inRange<int64_t>(1, 500));
  if (gpu.memory_gib) gpu.memory_bandwidth = *rc::gen::inRange(0, 3);
  return gpu;
}

FlavorName any_name() {
  FlavorName name;
  name.vcpus = *rc::gen::inRange<int64_t>(1, kMaxFlavorVcpus + 1);
  name.cpu_class = static_cast<CpuClass>(*rc::gen::inRange(0, 4));
  name.insufficient_mitigation = *rc::gen::arbitrary<bool>();
  name.memory = mebibytes(512) * *rc::gen::inRange<int64_t>(1, 2 * kMaxFlavorMemoryGib + 1);
  name.no_ecc = *rc::gen::arbitrary<bool>();
  name.memory_oversubscribed = *rc::gen::arbitrary<bool>();
  if (*rc::gen::arbitrary<bool>()) name.disks = any_disks();
  name.hypervisor = static_cast<HypervisorKind>(*rc::gen::inRange(0, 7));
  name.nested_virtualisation = *rc::gen::arbitrary<bool>();
  if (*rc::gen::arbitrary<bool>()) name.cpu_vendor = any_vendor();
  if (*rc::gen::arbitrary<bool>()) name.gpu = any_gpu();
  name.infiniband = *rc::gen::arbitrary<bool>();
  return name;
}

RC_GTEST_PROP(FlavorName, EveryFormattedNameParsesToWhatItSays, ()) {
  const FlavorName name = any_name();
  const std::string text = format_flavor_name(name);
  RC_ASSERT(follows_grammar(text));
  const absl::StatusOr<FlavorName> parsed = parse_flavor_name(text);
  RC_ASSERT(parsed.ok());
  RC_ASSERT(*parsed == name);
}

// Texts that are nearly names: whatever is accepted is spelled as the standard spells it.
RC_GTEST_PROP(FlavorName, WhateverIsAcceptedRoundTrips, ()) {
  std::string text = format_flavor_name(any_name());
  const std::string_view alphabet = "SCS-0123456789LVTCiuoxnhsp_.kvmhwvzarGgNAIb";
  const int changes = *rc::gen::inRange(1, 4);
  for (int i = 0; i < changes; ++i) {
    const size_t at = *rc::gen::inRange<size_t>(0, text.size());
    const char c = alphabet[*rc::gen::inRange<size_t>(0, alphabet.size())];
    switch (*rc::gen::inRange(0, 3)) {
      case 0: text[at] = c; break;
      case 1: text.insert(at, 1, c); break;
      default: text.erase(at, 1);
    }
  }
  const absl::StatusOr<FlavorName> parsed = parse_flavor_name(text);
  if (!parsed.ok()) {
    RC_ASSERT(parsed.status().code() == absl::StatusCode::kInvalidArgument);
    return;
  }
  RC_ASSERT(format_flavor_name(*parsed) == text);
  RC_ASSERT(follows_grammar(text));
}

RC_GTEST_PROP(FlavorName, RefusesArbitraryBytesAndStaysReadable, (const std::string& tail)) {
  const absl::StatusOr<FlavorName> parsed = parse_flavor_name("SCS-" + tail);
  RC_ASSERT(!parsed.ok());
  for (const char c : message_of(parsed.status())) {
    RC_ASSERT(static_cast<unsigned char>(c) >= 0x20);
  }
}

TEST(FlavorName, ReadsEveryPart) {
  const FlavorName name =
      parse_flavor_name("SCS-16Ci-7.5uo-3x50p_chy_hwv_z3hh_GNa-72h-24hh_ib").value();
  EXPECT_EQ(name.vcpus, 16);
  EXPECT_EQ(name.cpu_class, CpuClass::kDedicatedCore);
  EXPECT_TRUE(name.insufficient_mitigation);
  EXPECT_EQ(name.memory, mebibytes(7680));
  EXPECT_TRUE(name.no_ecc);
  EXPECT_TRUE(name.memory_oversubscribed);
  EXPECT_EQ(name.disks, (FlavorDisks{3, gigabytes(50), DiskType::kNvme}));
  EXPECT_EQ(name.hypervisor, HypervisorKind::kChyp);
  EXPECT_TRUE(name.nested_virtualisation);
  EXPECT_EQ(name.cpu_vendor, (FlavorCpuVendor{'z', 3, 2}));
  EXPECT_EQ(name.gpu, (FlavorGpu{true, 'N', "a", 72, 1, 24, 2}));
  EXPECT_TRUE(name.infiniband);
}

TEST(FlavorName, TellsAbsentDisksFromDisksThatTheCloudChooses) {
  EXPECT_EQ(parse_flavor_name("SCS-2V-8")->disks, std::nullopt);
  EXPECT_EQ(parse_flavor_name("SCS-2V-8-")->disks, FlavorDisks());
  EXPECT_EQ(parse_flavor_name("SCS-2V-8-n")->disks->type, DiskType::kNetwork);
  EXPECT_EQ(parse_flavor_name("SCS-2V-8-20h")->disks->type, DiskType::kHardDisk);
  EXPECT_EQ(parse_flavor_name("SCS-2V-8-20s")->disks->type, DiskType::kSsd);
  EXPECT_EQ(parse_flavor_name("SCS-2V-8-2x")->disks->count, 2);
  EXPECT_TRUE(parse_flavor_name("SCS-2C-4-_bms_z3h_GNa-64_ib").ok());
}

TEST(FlavorName, TellsTheCpuVendorFromInfiniband) {
  EXPECT_TRUE(parse_flavor_name("SCS-2V-8_ib")->infiniband);
  EXPECT_EQ(parse_flavor_name("SCS-2V-8_i")->cpu_vendor, FlavorCpuVendor());
  EXPECT_TRUE(parse_flavor_name("SCS-2V-8_i_ib")->infiniband);
}

TEST(FlavorName, ReadsTheCpuClasses) {
  EXPECT_EQ(parse_flavor_name("SCS-1L-1")->cpu_class, CpuClass::kLowPerformance);
  EXPECT_EQ(parse_flavor_name("SCS-1V-1")->cpu_class, CpuClass::kShared);
  EXPECT_EQ(parse_flavor_name("SCS-1T-1")->cpu_class, CpuClass::kDedicatedThread);
  EXPECT_EQ(parse_flavor_name("SCS-1C-1")->cpu_class, CpuClass::kDedicatedCore);
}

struct Rejected {
  std::string_view name;
  std::string_view message;
};

void PrintTo(const Rejected& rejected, std::ostream* out) { *out << rejected.name; }

class RejectedFlavorName : public testing::TestWithParam<Rejected> {};

TEST_P(RejectedFlavorName, IsRefusedForThePartThatIsWrong) {
  const absl::StatusOr<FlavorName> parsed = parse_flavor_name(GetParam().name);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(message_of(parsed.status())), HasSubstr(GetParam().message));
}

// The standard's spelling exists and is proposed.
INSTANTIATE_TEST_SUITE_P(
    Spelling, RejectedFlavorName,
    testing::Values(
        Rejected{"SCS-02V-8", "number of vCPUs has a leading zero; write SCS-2V-8"},
        Rejected{"SCS-2V-08", "the memory has a leading zero; write SCS-2V-8"},
        Rejected{"SCS-2V-4.0", "the memory has needless decimals; write SCS-2V-4"},
        Rejected{"SCS-2V-4.50", "the memory has needless decimals; write SCS-2V-4.5"},
        Rejected{"SCS-2V-4.", "the memory has needless decimals; write SCS-2V-4"},
        Rejected{"SCS-2V-00.5", "the memory has a leading zero; write SCS-2V-0.5"},
        Rejected{"SCS-2V-8ou", "'o' stands before 'u' after the memory; write SCS-2V-8uo"},
        Rejected{"SCS-2V-8-1x50", "one disk needs no count; write SCS-2V-8-50"},
        Rejected{"SCS-2V-8-050n", "the disk size has a leading zero; write SCS-2V-8-50n"},
        Rejected{"SCS-2V-8-02x50n", "number of disks has a leading zero; write SCS-2V-8-2x50n"},
        Rejected{"SCS-2V-8_i0", "CPU generation 0 is written without a number; write SCS-2V-8_i"},
        Rejected{"SCS-2V-8_z03", "the CPU generation has a leading zero; write SCS-2V-8_z3"},
        Rejected{"SCS-2V-8_hwv_kvm", "\"kvm\" stands too late; write SCS-2V-8_kvm_hwv"},
        Rejected{"SCS-2V-8_ib_GN", "\"GN\" stands too late; write SCS-2V-8_GN_ib"},
        Rejected{"SCS-2V-8_GNa-072", "GPU units has a leading zero; write SCS-2V-8_GNa-72"}));

INSTANTIATE_TEST_SUITE_P(
    CpuAndMemory, RejectedFlavorName,
    testing::Values(Rejected{"", "does not begin with SCS-"},
                    Rejected{"scs-2V-8", "does not begin with SCS-"},
                    Rejected{" SCS-2V-8", "does not begin with SCS-"},
                    Rejected{"SCS-", "the number of vCPUs is missing"},
                    Rejected{"SCS-V-8", "the number of vCPUs is missing"},
                    Rejected{"SCS--2V-8", "the number of vCPUs is missing"},
                    Rejected{"SCS-0V-8", "the number of vCPUs is 0"},
                    Rejected{"SCS-65537V-8", "larger than 65536"},
                    Rejected{"SCS-99999999999999999999V-8", "larger than 65536"},
                    Rejected{"SCS-2-8", "followed by \"\", which is no class; append L"},
                    Rejected{"SCS-2v-8", "followed by \"v\", which is no class"},
                    Rejected{"SCS-2iV-8", "which is no class"},
                    Rejected{"SCS-2VV-8", "\"V\" follows the vCPU class"},
                    Rejected{"SCS-2V", "the memory is missing"},
                    Rejected{"SCS-2V-", "the memory is missing"},
                    Rejected{"SCS-2V-x", "the memory \"x\" does not begin with a number"},
                    Rejected{"SCS-2V-.5", "does not begin with a number"},
                    Rejected{"SCS-2V-0", "the memory is 0"},
                    Rejected{"SCS-2V-0.0", "the memory is 0"},
                    Rejected{"SCS-2V-1.3", "the fraction .3; give whole or half GiB"},
                    Rejected{"SCS-2V-1000001", "larger than 1000000"},
                    Rejected{"SCS-2V-8G", "\"G\" follows the memory"},
                    Rejected{"SCS-2V-8uu", "\"u\" follows the memory"}));

INSTANTIATE_TEST_SUITE_P(
    DisksAndExtensions, RejectedFlavorName,
    testing::Values(Rejected{"SCS-2V-8-1.5n", "\".5n\" is not understood in the disk part"},
                    Rejected{"SCS-2V-8-50q", "\"q\" is not understood in the disk part"},
                    Rejected{"SCS-2V-8-0n", "the disk size is 0"},
                    Rejected{"SCS-2V-8-0x50n", "the number of disks is 0"},
                    Rejected{"SCS-2V-8-1001x50", "larger than 1000"},
                    Rejected{"SCS-2V-8-1000001", "larger than 1000000"},
                    Rejected{"SCS-2V-8-50n-2", "\"-2\" follows the disk part"},
                    Rejected{"SCS-2V-8--", "\"-\" follows the disk part"},
                    Rejected{"SCS-2V-8_", "the extension \"\" is not known"},
                    Rejected{"SCS-2V-8_KVM", "the extension \"KVM\" is not known; known are _kvm"},
                    Rejected{"SCS-2V-8_intel", "the extension \"intel\" is not known"},
                    Rejected{"SCS-2V-8_kvm_xen", "\"xen\" is the second of its kind"},
                    Rejected{"SCS-2V-8_i2_z3", "\"z3\" is the second of its kind"},
                    Rejected{"SCS-2V-8_i7", "the CPU generation is larger than 6"},
                    Rejected{"SCS-2V-8_a6", "the CPU generation is larger than 5"},
                    Rejected{"SCS-2V-8_r1", "the CPU generation is larger than 0"},
                    Rejected{"SCS-2V-8_i2hhhh", "at most three 'h'"},
                    Rejected{"SCS-2V-8_ih2", "the CPU vendor \"ih2\" is not understood"},
                    Rejected{"SCS-2V-8_G", "the GPU \"G\" has no vendor"},
                    Rejected{"SCS-2V-8_GX", "has no vendor; give N"},
                    Rejected{"SCS-2V-8_GNz", "the GPU generation \"z\" is not known for vendor N"},
                    Rejected{"SCS-2V-8_GA5", "one of 0.4, 0.5, 1, 1.1"},
                    Rejected{"SCS-2V-8_GNa-0", "the number of GPU units \"0\""},
                    Rejected{"SCS-2V-8_GNa-", "the number of GPU units \"\""},
                    Rejected{"SCS-2V-8_GNa-72hhh", "at most two 'h'"},
                    Rejected{"SCS-2V-8_GNa-72-24x", "the GPU memory \"24x\""},
                    Rejected{"SCS-2V-8_GNa-72-24-1", "has too many parts"}));

TEST(FlavorName, RefusesHostileTextsWithoutRepeatingThem) {
  const std::string nul = std::string("SCS-2V-8") + '\0';
  for (const std::string& text :
       {nul, std::string("SCS-2V-8\n"), std::string("SCS-2V-8-50n\xe2\x80\xae"),
        std::string("SCS-２V-8"), std::string("SCS-2V-8_<xml>"), std::string("SCS-../../etc"),
        std::string("SCS-") + std::string(1 << 20, '9'),
        std::string("SCS-") + std::string(1 << 20, '_')}) {
    const absl::StatusOr<FlavorName> parsed = parse_flavor_name(text);
    ASSERT_FALSE(parsed.ok());
    const std::string message(message_of(parsed.status()));
    EXPECT_LT(message.size(), 500u);
    EXPECT_THAT(message, testing::Not(HasSubstr("\n")));
    EXPECT_EQ(message.find('\0'), std::string::npos);
  }
}

TEST(FlavorName, BoundsTheLengthOfAName) {
  const std::string longest = "SCS-65536Ci-999999.5uo-1000x1000000p_kvm_hwv_i6hhh_GI0.95-1000000hh";
  EXPECT_TRUE(parse_flavor_name(longest + "-1000000hh_ib").ok());
  EXPECT_THAT(std::string(message_of(
                  parse_flavor_name("SCS-2V-8" + std::string(121, '_')).status())),
              HasSubstr("longer than 128 bytes"));
}

TEST(FlavorName, VersionOneSpellingExchangesTheSeparators) {
  EXPECT_EQ(flavor_name_v1("SCS-2V-4-20s"), "SCS-2V:4:20s");
  EXPECT_EQ(flavor_name_v1("SCS-2V-4-20s_kvm_GNa-72"), "SCS-2V:4:20s-kvm-GNa:72");
}

}  // namespace
}  // namespace stellwerk

#include "drivers/storage/local/image_inspector.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "../../../support/status_assertions.h"
#include "../../../support/temporary_directory.h"
#include "image_bytes.h"

namespace stellwerk::storage {
namespace {

using ::testing::HasSubstr;
using std::string_literals::operator""s;

constexpr InspectionLimits kLimits{.largest_virtual_size = gibibytes(64)};

absl::StatusOr<InspectedImage> inspect(std::string bytes) {
  return inspect_image(MemoryReader(std::move(bytes)), kLimits);
}

// What is said of an image that is refused, or "accepted".
std::string verdict(const std::string& bytes) {
  const auto inspected = inspect(bytes);
  if (inspected.ok()) return "accepted";
  EXPECT_EQ(inspected.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(message_of(inspected.status()));
}

std::string sectors(std::string beginning, size_t count = 80) {
  beginning.resize(count * 512, '\0');
  return beginning;
}

// Offsets in a qcow2 header.
constexpr size_t kVersion = 4, kBackingOffset = 8, kBackingSize = 16, kClusterBits = 20,
                 kVirtualSize = 24, kCryptMethod = 32, kL1Size = 36, kL1Offset = 40,
                 kRefcountOffset = 48, kRefcountClusters = 56, kSnapshots = 60, kIncompatible = 72,
                 kRefcountOrder = 96, kHeaderLength = 100, kCompression = 104;

class Qcow2Images : public ::testing::Test {
 protected:
  // A disk with data in its first, a middle and its last sectors.
  std::string make(const std::string& options, const std::string& size = "16M") {
    const std::string path = directory_ / "disk.qcow2";
    run_tool({"qemu-img", "create", "-q", "-f", "qcow2", "-o", options, path, size});
    run_tool({"qemu-io", "-t", "unsafe", "-f", "qcow2", "-c", "write -P 7 0 64k", "-c",
              "write -P 8 5M 512", "-c", "write -P 9 7M 4k", path});
    return content_of(path);
  }
  const std::string& make_plain() {
    if (plain_.empty()) plain_ = make("compat=1.1");
    return plain_;
  }
  // The same with one header field changed.
  template <class Word>
  std::string make_with(size_t field, Word value) {
    std::string bytes = make_plain();
    put_big_endian(bytes, field, value);
    return bytes;
  }

  testing::TemporaryDirectory directory_;

 private:
  std::string plain_;
};

TEST_F(Qcow2Images, AreAcceptedInEveryUsualShape) {
  for (const char* options : {"compat=1.1", "compat=0.10", "cluster_size=512", "cluster_size=2M",
                              "extended_l2=on", "compression_type=zstd", "refcount_bits=1",
                              "preallocation=metadata", "preallocation=falloc"}) {
    const auto inspected = inspect(make(options));
    ASSERT_OK(inspected) << options;
    EXPECT_EQ(inspected->format, ImageFormat::kQcow2);
    EXPECT_EQ(inspected->virtual_size, mebibytes(16));
  }
}

TEST_F(Qcow2Images, AreAcceptedWhenDataEndsWithinTheLastCluster) {
  const std::string raw = directory_ / "disk.raw";
  const std::string path = directory_ / "disk.qcow2";
  write_content(raw, std::string(1024 * 1024 + 512, 'x'));
  run_tool({"qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, path});
  const auto inspected = inspect(content_of(path));
  ASSERT_OK(inspected);
  EXPECT_EQ(inspected->virtual_size, Bytes(1024 * 1024 + 512));
}

TEST_F(Qcow2Images, AreAcceptedWhenCompressed) {
  const std::string raw = directory_ / "disk.raw";
  const std::string path = directory_ / "disk.qcow2";
  std::string content;
  for (uint64_t i = 0; i < 300'000; ++i) content += std::to_string(i * 7919);
  content.resize(content.size() / 512 * 512);
  write_content(raw, content);
  for (const char* type : {"compression_type=zlib", "compression_type=zstd"}) {
    run_tool({"qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", type, raw, path});
    const std::string bytes = content_of(path);
    ASSERT_LT(bytes.size(), content.size());
    EXPECT_EQ(verdict(bytes), "accepted") << type;
    EXPECT_THAT(verdict(bytes.substr(0, bytes.size() - 4096)), HasSubstr("truncated")) << type;
  }
}

TEST_F(Qcow2Images, AreRefusedWithABackingFile) {
  const std::string path = directory_ / "disk.qcow2";
  for (const char* backing : {"/etc/passwd", "json:{\"driver\":\"file\"}", "nbd:unix:/x"}) {
    run_tool(
        {"qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b", backing, path, "1M"});
    EXPECT_THAT(verdict(content_of(path)), HasSubstr("refers to a backing file")) << backing;
  }
  EXPECT_THAT(verdict(make_with<uint64_t>(kBackingOffset, 0x200)), HasSubstr("backing file"));
  EXPECT_THAT(verdict(make_with<uint32_t>(kBackingSize, 11)), HasSubstr("backing file"));
}

TEST_F(Qcow2Images, AreRefusedWithAnExternalDataFile) {
  const std::string path = directory_ / "disk.qcow2";
  run_tool({"qemu-img", "create", "-q", "-f", "qcow2", "-o",
            "data_file=" + (directory_ / "elsewhere") + ",data_file_raw=on", path, "1M"});
  std::string bytes = content_of(path);
  EXPECT_THAT(verdict(bytes), HasSubstr("external data file"));
  // The extension that names the file is enough, whatever the feature bit says.
  put_big_endian<uint64_t>(bytes, kIncompatible, 0);
  EXPECT_THAT(verdict(bytes), HasSubstr("external data file"));
  EXPECT_THAT(verdict(make_with<uint64_t>(kIncompatible, 4)), HasSubstr("external data file"));
}

TEST_F(Qcow2Images, AreRefusedWhenEncrypted) {
  const std::string path = directory_ / "disk.qcow2";
  run_tool({"qemu-img", "create", "-q", "-f", "qcow2", "--object", "secret,id=s,data=secret", "-o",
            "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10", path, "1M"});
  std::string bytes = content_of(path);
  EXPECT_THAT(verdict(bytes), HasSubstr("encrypted"));
  put_big_endian<uint32_t>(bytes, kCryptMethod, 0);
  EXPECT_THAT(verdict(bytes), HasSubstr("encrypted"));
  EXPECT_THAT(verdict(make_with<uint32_t>(kCryptMethod, 1)), HasSubstr("encrypted"));
}

TEST_F(Qcow2Images, AreRefusedWithInternalSnapshots) {
  const std::string path = directory_ / "disk.qcow2";
  make_plain();
  run_tool({"qemu-img", "snapshot", "-c", "before", path});
  EXPECT_THAT(verdict(content_of(path)), HasSubstr("1 internal snapshots"));
}

TEST_F(Qcow2Images, AreRefusedWhenMarkedDirtyCorruptOrUnknown) {
  EXPECT_THAT(verdict(make_with<uint64_t>(kIncompatible, 1)), HasSubstr("not closed cleanly"));
  EXPECT_THAT(verdict(make_with<uint64_t>(kIncompatible, 2)), HasSubstr("corrupt"));
  EXPECT_THAT(verdict(make_with<uint64_t>(kIncompatible, 1ull << 40)), HasSubstr("unknown"));
  EXPECT_THAT(verdict(make_with<uint8_t>(kCompression, 2)), HasSubstr("compression type"));
}

TEST_F(Qcow2Images, AreRefusedWithImpossibleHeaders) {
  EXPECT_THAT(verdict(make_with<uint32_t>(kVersion, 1)), HasSubstr("qcow version 1"));
  EXPECT_THAT(verdict(make_with<uint32_t>(kVersion, 4)), HasSubstr("qcow version 4"));
  for (const uint32_t bits : {0u, 8u, 22u, 63u, 64u, 0xffffffffu}) {
    EXPECT_THAT(verdict(make_with<uint32_t>(kClusterBits, bits)), HasSubstr("cluster_bits"));
  }
  EXPECT_THAT(verdict(make_with<uint64_t>(kVirtualSize, 0)), HasSubstr("multiple of 512"));
  EXPECT_THAT(verdict(make_with<uint64_t>(kVirtualSize, 777)), HasSubstr("multiple of 512"));
  EXPECT_THAT(verdict(make_with<uint64_t>(kVirtualSize, 1ull << 35)), HasSubstr("L1 table has"));
  for (const uint64_t offset : {0ull, 8ull, 1ull << 40, ~0ull, ~0ull << 16}) {
    EXPECT_THAT(verdict(make_with(kL1Offset, offset)), HasSubstr("L1 table ("));
    EXPECT_THAT(verdict(make_with(kRefcountOffset, offset)), HasSubstr("refcount table ("));
  }
  EXPECT_THAT(verdict(make_with<uint32_t>(kL1Size, 0xffffffff)), HasSubstr("L1 table ("));
  EXPECT_THAT(verdict(make_with<uint32_t>(kRefcountClusters, 0)), HasSubstr("refcount table ("));
  EXPECT_THAT(verdict(make_with<uint32_t>(kRefcountClusters, 0xffffffff)),
              HasSubstr("refcount table ("));
  EXPECT_THAT(verdict(make_with<uint32_t>(kRefcountOrder, 7)), HasSubstr("refcount_order"));
  for (const uint32_t length : {0u, 72u, 105u, 0xfffffff8u}) {
    EXPECT_THAT(verdict(make_with<uint32_t>(kHeaderLength, length)), HasSubstr("claims a length"));
  }
  EXPECT_THAT(verdict(make_with<uint32_t>(kSnapshots, 3)), HasSubstr("3 internal snapshots"));
}

TEST_F(Qcow2Images, AreRefusedAboveTheLargestVirtualSize) {
  const std::string path = directory_ / "disk.qcow2";
  run_tool({"qemu-img", "create", "-q", "-f", "qcow2", path, "65G"});
  EXPECT_THAT(verdict(content_of(path)), HasSubstr("65 GiB; at most 64 GiB"));
  EXPECT_THAT(verdict(make_with<uint64_t>(kVirtualSize, ~0ull << 9)), HasSubstr("at most 64 GiB"));
}

TEST_F(Qcow2Images, AreRefusedWhereverTheyAreCutOff) {
  const std::string bytes = make_plain();
  for (size_t size = 4; size < bytes.size(); size += size < 256 ? 1 : 4093) {
    EXPECT_THAT(verdict(bytes.substr(0, size)), HasSubstr("truncated")) << size;
  }
  EXPECT_THAT(verdict(bytes.substr(0, bytes.size() - 1)), HasSubstr("truncated"));
}

TEST_F(Qcow2Images, AreRefusedWhenAHeaderExtensionLeavesTheCluster) {
  std::string bytes = make_plain();
  const auto length = get_big_endian<uint32_t>(bytes, kHeaderLength);
  put_big_endian<uint32_t>(bytes, length, 0x12345678);
  put_big_endian<uint32_t>(bytes, length + 4, 0xffffffff);
  EXPECT_THAT(verdict(bytes), HasSubstr("header extension 0x12345678"));
}

TEST_F(Qcow2Images, AreRefusedWhenTwoTablesAreOne) {
  std::string bytes = make("cluster_size=512");
  const auto l1 = get_big_endian<uint64_t>(bytes, kL1Offset);
  put_big_endian(bytes, l1 + 8, get_big_endian<uint64_t>(bytes, l1));
  EXPECT_THAT(verdict(bytes), HasSubstr("are the same"));
}

// True if the image is accepted; whatever that is, it must name no other file.
bool expect_harmless(const std::string& bytes) {
  const auto inspected = inspect(bytes);
  if (!inspected.ok() || bytes.size() < 104) return false;
  RC_ASSERT(inspected->format == ImageFormat::kQcow2);
  RC_ASSERT(inspected->virtual_size <= kLimits.largest_virtual_size);
  RC_ASSERT(get_big_endian<uint64_t>(bytes, kBackingOffset) == 0u);
  RC_ASSERT(get_big_endian<uint32_t>(bytes, kCryptMethod) == 0u);
  if (get_big_endian<uint32_t>(bytes, kVersion) == 3) {
    RC_ASSERT((get_big_endian<uint64_t>(bytes, kIncompatible) & ~0x18ull) == 0u);
  }
  return true;
}

// Whatever is done to an image: no crash, and what is accepted names no other file.
TEST_F(Qcow2Images, NeverReferToAnotherFileHoweverTheyAreMangled) {
  const std::string path = directory_ / "overlay.qcow2";
  run_tool({"qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", "-o",
            "cluster_size=512", path, "1M"});
  const std::vector<std::string> seeds = {make("cluster_size=512"), make("extended_l2=on"),
                                          content_of(path)};
  size_t accepted = 0;
  EXPECT_TRUE(rc::check([&] {
    std::string bytes = *rc::gen::elementOf(seeds);
    const auto changes = *rc::gen::inRange(1, 6);
    for (int i = 0; i < changes; ++i) {
      const size_t span = *rc::gen::element<size_t>(112, 600, bytes.size());
      const size_t at = *rc::gen::inRange<size_t>(4, span);
      bytes[at] = *rc::gen::element<char>('\0', '\1', '\4', '\xff', '\x80', 'D');
      if (expect_harmless(bytes)) ++accepted;
    }
    expect_harmless(bytes.substr(0, *rc::gen::inRange<size_t>(0, bytes.size())));
  }));
  EXPECT_GT(accepted, 0u);
}

RC_GTEST_PROP(QcowMagic, IsNeverTakenForARawDisk, (const std::string& tail)) {
  std::string bytes = "QFI\xfb" + tail;
  bytes.resize((bytes.size() + 511) / 512 * 512);
  const auto inspected = inspect(bytes);
  if (inspected.ok()) RC_ASSERT(inspected->format == ImageFormat::kQcow2);
}

TEST(RawImages, AreAcceptedInWholeSectors) {
  for (const std::string& bytes :
       {sectors(""), sectors("\xeb\x63\x90"), sectors("QF"), sectors("QFI\xfa"), sectors("", 1)}) {
    const auto inspected = inspect(bytes);
    ASSERT_OK(inspected);
    EXPECT_EQ(inspected->format, ImageFormat::kRaw);
    EXPECT_EQ(inspected->virtual_size, Bytes(static_cast<int64_t>(bytes.size())));
  }
}

TEST(RawImages, AreRefusedWhenEmptyOrNotInWholeSectors) {
  EXPECT_THAT(verdict(""), HasSubstr("empty"));
  EXPECT_THAT(verdict("x"), HasSubstr("no multiple of 512"));
  EXPECT_THAT(verdict(sectors("") + "x"), HasSubstr("no multiple of 512"));
}

TEST(RawImages, AreRefusedAboveTheLargestVirtualSize) {
  const auto inspected =
      inspect_image(MemoryReader(sectors("", 3)), {.largest_virtual_size = kibibytes(1)});
  EXPECT_THAT(std::string(message_of(inspected.status())), HasSubstr("at most 1 KiB"));
}

TEST(RawImages, AreRefusedWhenTheyAreSomethingElse) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {sectors("KDMV"), "-f vmdk -O qcow2"},
      {sectors("# Disk DescriptorFile\nversion=1\n"), "-f vmdk -O qcow2"},
      {sectors("vhdxfile"), "-f vhdx -O qcow2"},
      {sectors("conectix"), "-f vpc -O qcow2"},
      {sectors("", 79) + sectors("conectix", 1), "-f vpc -O qcow2"},
      {sectors("", 79) + sectors("koly", 1), "-f dmg -O qcow2"},
      {sectors("<<< Oracle VM VirtualBox Disk Image >>>\n"s + std::string(24, '\0') +
               "\x7f\x10\xda\xbe"),
       "-f vdi -O qcow2"},
      {sectors("QED\0"s), "-f qed -O qcow2"},
      {sectors("WithoutFreeSpace"), "-f parallels -O qcow2"},
      {sectors("WithouFreSpacExt"), "-f parallels -O qcow2"},
      {sectors("LUKS\xba\xbe"), "decrypt it first"},
      {sectors("Bochs Virtual HD Image"), "-f bochs -O qcow2"},
      {sectors("#!/bin/sh\n#V2.0 Format\nmodprobe cloop"), "-f cloop -O qcow2"},
      {"\x1f\x8b\x08 odd size", "gunzip"},
      {"\xfd"s + "7zXZ\0odd size"s, "xz -d"},
      {"BZh9", "bunzip2"},
      {"\x28\xb5\x2f\xfd", "zstd -d"},
      {"PK\x03\x04", "unzip"},
      {"<!DOCTYPE html><html>", "checksum"},
      {sectors(std::string(257, 'n') + "ustar"), "tar xf"},
      {sectors(std::string(32769, '\0') + "CD001"), "cloud image"},
  };
  for (const auto& [bytes, remedy] : cases) EXPECT_THAT(verdict(bytes), HasSubstr(remedy));
}

TEST(RawImages, MayHoldAnArchivesBytesBehindABootSector) {
  std::string disk = sectors(std::string(32769, '\0') + "CD001");
  disk.replace(257, 5, "ustar");
  disk.replace(510, 2, "\x55\xaa");
  EXPECT_EQ(verdict(disk), "accepted");
}

}  // namespace
}  // namespace stellwerk::storage

#include "drivers/storage/local/foreign_formats.h"

#include <array>
#include <cstring>
#include <vector>

namespace stellwerk::storage {
namespace {

using std::string_view_literals::operator""sv;

struct Signature {
  uint64_t offset;
  std::string_view bytes;
  ForeignFormat format;
};

constexpr std::string_view kConvertVmdk = "convert it: qemu-img convert -f vmdk -O qcow2 IN OUT";
constexpr std::string_view kConvertVhd = "convert it: qemu-img convert -f vpc -O qcow2 IN OUT";
constexpr std::string_view kConvertParallels =
    "convert it: qemu-img convert -f parallels -O qcow2 IN OUT";
constexpr ForeignFormat kVmdk = {"a VMware disk (VMDK)", kConvertVmdk};
constexpr ForeignFormat kParallels = {"a Parallels disk", kConvertParallels};
constexpr ForeignFormat kVhd = {"a Virtual PC disk (VHD)", kConvertVhd};
constexpr ForeignFormat kWebPage = {
    "a web page", "the download went wrong: fetch the image itself and compare its checksum"};

// From the probe functions of QEMU's block drivers and file(1)'s magic. Every disk with a boot
// sector begins with a jump or zeros, so none of the first kind can be a raw disk that boots.
constexpr auto kSignatures = std::to_array<Signature>({
    {0, "KDMV"sv, kVmdk},
    {0, "COWD"sv, kVmdk},
    {0, "# Disk DescriptorFile"sv, kVmdk},
    {0,
     "vhdxfile"sv,
     {"a Hyper-V disk (VHDX)", "convert it: qemu-img convert -f vhdx -O qcow2 IN OUT"}},
    {0, "conectix"sv, kVhd},
    {64,
     "\x7f\x10\xda\xbe"sv,
     {"a VirtualBox disk (VDI)", "convert it: qemu-img convert -f vdi -O qcow2 IN OUT"}},
    {0, "QED\0"sv, {"a QED disk", "convert it: qemu-img convert -f qed -O qcow2 IN OUT"}},
    {0, "WithoutFreeSpace"sv, kParallels},
    {0, "WithouFreSpacExt"sv, kParallels},
    {0,
     "LUKS\xba\xbe"sv,
     {"an encrypted container (LUKS)", "decrypt it first; encrypted images are not supported"}},
    {0,
     "Bochs Virtual HD Image"sv,
     {"a Bochs disk", "convert it: qemu-img convert -f bochs -O qcow2 IN OUT"}},
    {0,
     "#!/bin/sh\n#V2.0 Format\n"sv,
     {"a cloop disk", "convert it: qemu-img convert -f cloop -O qcow2 IN OUT"}},
    {0, "\x1f\x8b\x08"sv, {"a gzip file", "unpack it: gunzip FILE.gz"}},
    {0,
     "\xfd"
     "7zXZ\0"sv,
     {"an xz file", "unpack it: xz -d FILE.xz"}},
    {0, "BZh"sv, {"a bzip2 file", "unpack it: bunzip2 FILE.bz2"}},
    {0, "\x28\xb5\x2f\xfd"sv, {"a zstd file", "unpack it: zstd -d FILE.zst"}},
    {0, "7z\xbc\xaf\x27\x1c"sv, {"a 7-Zip archive", "unpack it: 7z x FILE.7z"}},
    {0, "PK\x03\x04"sv, {"a zip archive", "unpack it: unzip FILE.zip"}},
    {0, "<!DOCTYPE"sv, kWebPage},
    {0, "<!doctype"sv, kWebPage},
    {0, "<html"sv, kWebPage},
});

// The last sector of a disk image of a kind that keeps its header at the end.
constexpr uint64_t kFooter = 512;

absl::StatusOr<bool> holds(const RandomAccessReader& file, uint64_t offset,
                           std::string_view expected) {
  if (offset > file.size() || expected.size() > file.size() - offset) return false;
  std::vector<uint8_t> bytes(expected.size());
  SW_RETURN_IF_ERROR(file.read(offset, bytes));
  return std::memcmp(bytes.data(), expected.data(), expected.size()) == 0;
}

// The signatures below lie inside what a raw disk may use freely, so they count only on a file
// that has no boot sector.
absl::StatusOr<std::optional<ForeignFormat>> find_unbootable(const RandomAccessReader& file) {
  SW_ASSIGN_OR_RETURN(const bool boots, holds(file, 510, "\x55\xaa"sv));
  if (boots) return std::optional<ForeignFormat>();
  SW_ASSIGN_OR_RETURN(const bool tar, holds(file, 257, "ustar"sv));
  if (tar) {
    return ForeignFormat{"a tar archive (or an OVA)",
                         "unpack it: tar xf FILE, then import the disk that it holds"};
  }
  SW_ASSIGN_OR_RETURN(const bool iso, holds(file, 32769, "CD001"sv));
  if (iso) {
    return ForeignFormat{"a CD or DVD image (ISO 9660)",
                         "give the image of an installed disk, such as a distribution's cloud "
                         "image"};
  }
  return std::optional<ForeignFormat>();
}

}  // namespace

absl::StatusOr<std::optional<ForeignFormat>> find_foreign_format(const RandomAccessReader& file) {
  for (const Signature& signature : kSignatures) {
    SW_ASSIGN_OR_RETURN(const bool found, holds(file, signature.offset, signature.bytes));
    if (found) return signature.format;
  }
  if (file.size() >= kFooter) {
    SW_ASSIGN_OR_RETURN(const bool vhd, holds(file, file.size() - kFooter, "conectix"sv));
    if (vhd) return kVhd;
    SW_ASSIGN_OR_RETURN(const bool dmg, holds(file, file.size() - kFooter, "koly"sv));
    if (dmg) {
      return ForeignFormat{"an Apple disk image (DMG)",
                           "convert it: qemu-img convert -f dmg -O qcow2 IN OUT"};
    }
  }
  return find_unbootable(file);
}

}  // namespace stellwerk::storage

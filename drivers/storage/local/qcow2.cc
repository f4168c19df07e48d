#include "drivers/storage/local/qcow2.h"

#include <algorithm>
#include <array>
#include <vector>

namespace stellwerk::storage {
namespace {

constexpr uint32_t kMagic = 0x514649fb;  // "QFI\xfb"
constexpr uint64_t kHeaderV2 = 72;
constexpr uint64_t kHeaderV3 = 104;
constexpr uint32_t kLongestBackingName = 1023;
constexpr uint64_t kLargestL1 = 32 << 20;
constexpr uint64_t kLargestRefcountTable = 8 << 20;

constexpr uint64_t kDirty = 1 << 0;
constexpr uint64_t kCorrupt = 1 << 1;
constexpr uint64_t kExternalData = 1 << 2;
constexpr uint64_t kCompressionType = 1 << 3;
constexpr uint64_t kExtendedL2 = 1 << 4;

constexpr uint32_t kExtensionEnd = 0;
constexpr uint32_t kExtensionDataFile = 0x44415441;
constexpr uint32_t kExtensionCrypto = 0x0537be77;

constexpr uint64_t kOffsetMask = 0x00fffffffffffe00;
constexpr uint64_t kL1Reserved = 0x7f000000000001ff;
constexpr uint64_t kL2Reserved = 0x3f000000000001fe;
constexpr uint64_t kCompressed = uint64_t{1} << 62;
constexpr uint64_t kReadsAsZero = 1;

template <class Word>
Word big_endian(std::span<const uint8_t> bytes, size_t at) {
  Word value = 0;
  for (size_t i = 0; i < sizeof(Word); ++i) value = static_cast<Word>((value << 8) | bytes[at + i]);
  return value;
}

template <class... Args>
absl::Status damaged(fmt::format_string<Args...> text, Args&&... args) {
  return invalid_argument(
      "the qcow2 image is damaged or truncated: {}; compare its size and "
      "checksum with the source's, or try qemu-img check FILE",
      fmt::format(text, std::forward<Args>(args)...));
}

bool lies_within(uint64_t offset, uint64_t length, uint64_t size) {
  return offset <= size && length <= size - offset;
}

absl::Status read_v3_fields(const RandomAccessReader& file, Qcow2Header& header) {
  std::array<uint8_t, kHeaderV3> bytes{};
  if (file.size() < bytes.size()) return damaged("it ends within its header");
  SW_RETURN_IF_ERROR(file.read(0, bytes));
  header.incompatible_features = big_endian<uint64_t>(bytes, 72);
  header.refcount_order = big_endian<uint32_t>(bytes, 96);
  header.header_length = big_endian<uint32_t>(bytes, 100);
  if (header.header_length < kHeaderV3 || header.header_length % 8 != 0 ||
      header.header_length > header.cluster_size() || header.header_length > file.size()) {
    return damaged("its header claims a length of {} bytes", header.header_length);
  }
  if (header.header_length > kHeaderV3) {
    std::array<uint8_t, 1> type{};
    SW_RETURN_IF_ERROR(file.read(kHeaderV3, type));
    header.compression_type = type[0];
  }
  return absl::OkStatus();
}

absl::Status check_shape(const RandomAccessReader& file, const Qcow2Header& header) {
  const uint64_t cluster = header.cluster_size();
  if (header.refcount_order > 6) return damaged("refcount_order is {}", header.refcount_order);
  if (header.virtual_size == 0 || header.virtual_size % 512 != 0) {
    return damaged("its disk size of {} bytes is no positive multiple of 512", header.virtual_size);
  }
  const uint64_t covered = cluster * header.l2_entries();  // at most 2^39
  const uint64_t needed =
      header.virtual_size / covered + (header.virtual_size % covered != 0 ? 1 : 0);
  if (header.l1_size < needed) {
    return damaged("its L1 table has {} entries, {} are needed", header.l1_size, needed);
  }
  const uint64_t l1_bytes = uint64_t{header.l1_size} * 8;
  if (l1_bytes > kLargestL1 || header.l1_table_offset % cluster != 0 ||
      header.l1_table_offset < cluster ||
      !lies_within(header.l1_table_offset, l1_bytes, file.size())) {
    return damaged("its L1 table ({} entries at byte {}) is not within the file", header.l1_size,
                   header.l1_table_offset);
  }
  const uint64_t refcount_bytes = header.refcount_table_clusters * cluster;
  if (header.refcount_table_clusters == 0 || refcount_bytes > kLargestRefcountTable ||
      header.refcount_table_offset % cluster != 0 || header.refcount_table_offset < cluster ||
      !lies_within(header.refcount_table_offset, refcount_bytes, file.size())) {
    return damaged("its refcount table ({} clusters at byte {}) is not within the file",
                   header.refcount_table_clusters, header.refcount_table_offset);
  }
  return absl::OkStatus();
}

// Extensions fill the first cluster from the header's end to an end mark or the backing file's
// name.
absl::Status read_extensions(const RandomAccessReader& file, Qcow2Header& header) {
  uint64_t end = std::min(header.cluster_size(), file.size());
  if (header.backing_file_offset != 0) end = std::min(end, header.backing_file_offset);
  for (uint64_t at = header.header_length; at + 8 <= end;) {
    std::array<uint8_t, 8> head{};
    SW_RETURN_IF_ERROR(file.read(at, head));
    const auto type = big_endian<uint32_t>(head, 0);
    const auto length = big_endian<uint32_t>(head, 4);
    if (type == kExtensionEnd) return absl::OkStatus();
    if (!lies_within(at + 8, length, end)) {
      return damaged("its header extension {:#x} leaves the first cluster", type);
    }
    header.names_data_file |= type == kExtensionDataFile;
    header.has_crypto_header |= type == kExtensionCrypto;
    at += 8 + (uint64_t{length} + 7) / 8 * 8;
  }
  return absl::OkStatus();
}

struct L2Walk {
  const RandomAccessReader& file;
  const Qcow2Header& header;
  uint64_t guest_offset = 0;  // of the cluster under inspection
};

absl::Status check_compressed(const L2Walk& walk, uint64_t entry) {
  const uint32_t offset_bits = 62 - (walk.header.cluster_bits - 8);
  const uint64_t offset = entry & ((uint64_t{1} << offset_bits) - 1);
  const uint64_t sectors = ((entry & (kCompressed - 1)) >> offset_bits) + 1;
  // The last sector may be cut off by the file's end.
  const uint64_t file_end = (walk.file.size() + 511) / 512 * 512;
  if (offset < walk.file.size() && lies_within(offset / 512 * 512, sectors * 512, file_end)) {
    return absl::OkStatus();
  }
  return damaged("the data for byte {} of the disk lies at byte {}, the file has {} bytes",
                 walk.guest_offset, offset, walk.file.size());
}

absl::Status check_plain(const L2Walk& walk, uint64_t entry, uint64_t subclusters) {
  const uint64_t cluster = walk.header.cluster_size();
  const bool extended = walk.header.has_extended_l2();
  const uint64_t offset = entry & kOffsetMask;
  if ((entry & kL2Reserved) != 0 || offset % cluster != 0) {
    return damaged("the table entry for byte {} of the disk is {:#x}", walk.guest_offset, entry);
  }
  if (!extended && (entry & kReadsAsZero) != 0) return absl::OkStatus();
  if (offset == 0) return absl::OkStatus();
  // Data may end where the disk ends, within the last cluster.
  uint64_t length = std::min(cluster, walk.header.virtual_size - walk.guest_offset);
  if (extended) {
    const auto allocated = static_cast<uint32_t>(subclusters);
    const uint64_t highest = 32 - static_cast<uint64_t>(__builtin_clz(allocated | 1));
    length = allocated == 0 ? 0 : std::min(length, highest * (cluster / 32));
  }
  if (lies_within(offset, length, walk.file.size())) return absl::OkStatus();
  return damaged("the data for byte {} of the disk lies at byte {}, the file has {} bytes",
                 walk.guest_offset, offset, walk.file.size());
}

absl::Status check_l2_table(L2Walk walk, uint64_t table_offset) {
  const size_t entry_size = walk.header.has_extended_l2() ? 16 : 8;
  std::vector<uint8_t> table(walk.header.cluster_size());
  SW_RETURN_IF_ERROR(walk.file.read(table_offset, table));
  for (size_t at = 0; at < table.size() && walk.guest_offset < walk.header.virtual_size;
       at += entry_size, walk.guest_offset += walk.header.cluster_size()) {
    const auto entry = big_endian<uint64_t>(table, at);
    const uint64_t subclusters = entry_size == 16 ? big_endian<uint64_t>(table, at + 8) : 0;
    SW_RETURN_IF_ERROR((entry & kCompressed) != 0 ? check_compressed(walk, entry)
                                                  : check_plain(walk, entry, subclusters));
  }
  return absl::OkStatus();
}

}  // namespace

bool Qcow2Header::has_extended_l2() const {
  return (incompatible_features & kExtendedL2) != 0;
}

uint64_t Qcow2Header::l2_entries() const {
  return cluster_size() / (has_extended_l2() ? 16 : 8);
}

absl::StatusOr<bool> has_qcow_magic(const RandomAccessReader& file) {
  std::array<uint8_t, 4> magic{};
  if (file.size() < magic.size()) return false;
  SW_RETURN_IF_ERROR(file.read(0, magic));
  return big_endian<uint32_t>(magic, 0) == kMagic;
}

absl::StatusOr<Qcow2Header> read_qcow2_header(const RandomAccessReader& file) {
  std::array<uint8_t, kHeaderV2> bytes{};
  if (file.size() < bytes.size()) return damaged("it ends within its header");
  SW_RETURN_IF_ERROR(file.read(0, bytes));
  Qcow2Header header{
      .version = big_endian<uint32_t>(bytes, 4),
      .backing_file_offset = big_endian<uint64_t>(bytes, 8),
      .backing_file_size = big_endian<uint32_t>(bytes, 16),
      .cluster_bits = big_endian<uint32_t>(bytes, 20),
      .virtual_size = big_endian<uint64_t>(bytes, 24),
      .crypt_method = big_endian<uint32_t>(bytes, 32),
      .l1_size = big_endian<uint32_t>(bytes, 36),
      .l1_table_offset = big_endian<uint64_t>(bytes, 40),
      .refcount_table_offset = big_endian<uint64_t>(bytes, 48),
      .refcount_table_clusters = big_endian<uint32_t>(bytes, 56),
      .snapshots = big_endian<uint32_t>(bytes, 60),
      .header_length = kHeaderV2,
  };
  if (header.version != 2 && header.version != 3) {
    return invalid_argument(
        "the image is qcow version {}; versions 2 and 3 are supported: "
        "qemu-img convert -O qcow2 IN OUT",
        header.version);
  }
  if (header.cluster_bits < 9 || header.cluster_bits > 21) {
    return damaged("cluster_bits is {}, not 9 to 21", header.cluster_bits);
  }
  if (header.version == 3) SW_RETURN_IF_ERROR(read_v3_fields(file, header));
  SW_RETURN_IF_ERROR(read_extensions(file, header));
  return header;
}

absl::Status check_stands_alone(const Qcow2Header& header) {
  const uint64_t features = header.incompatible_features;
  if (header.backing_file_offset != 0 || header.backing_file_size != 0) {
    return invalid_argument(
        "the qcow2 image refers to a backing file; make it stand alone: "
        "qemu-img convert -O qcow2 IN OUT");
  }
  if ((features & kExternalData) != 0 || header.names_data_file) {
    return invalid_argument(
        "the qcow2 image refers to an external data file; make it stand alone: "
        "qemu-img convert -O qcow2 IN OUT");
  }
  if (header.crypt_method != 0 || header.has_crypto_header) {
    return invalid_argument(
        "the qcow2 image is encrypted; give it decrypted: qemu-img convert "
        "with --object secret");
  }
  if (header.snapshots != 0) {
    return invalid_argument(
        "the qcow2 image holds {} internal snapshots; drop them: "
        "qemu-img convert -O qcow2 IN OUT",
        header.snapshots);
  }
  if ((features & (kDirty | kCorrupt)) != 0) {
    return invalid_argument(
        "the qcow2 image is marked as {}; repair it: qemu-img check -r all "
        "FILE",
        (features & kCorrupt) != 0 ? "corrupt" : "not closed cleanly");
  }
  if ((features & ~(kCompressionType | kExtendedL2)) != 0) {
    return invalid_argument(
        "the qcow2 image needs features that are unknown here ({:#x}); write "
        "it anew: qemu-img convert -O qcow2 -o compat=1.1 IN OUT",
        features & ~(kCompressionType | kExtendedL2));
  }
  const bool zstd = (features & kCompressionType) != 0;
  if (header.compression_type > 1 || (header.compression_type != 0) != zstd) {
    return damaged("its compression type is {}", header.compression_type);
  }
  if (header.has_extended_l2() && header.cluster_bits < 14) {
    return damaged("cluster_bits is {}, too little for subclusters", header.cluster_bits);
  }
  return absl::OkStatus();
}

absl::Status check_whole(const RandomAccessReader& file, const Qcow2Header& header) {
  SW_RETURN_IF_ERROR(check_shape(file, header));
  const uint64_t cluster = header.cluster_size();
  const uint64_t covered = cluster * header.l2_entries();
  const uint64_t reachable = (header.virtual_size - 1) / covered + 1;
  std::vector<uint8_t> l1(reachable * 8);
  SW_RETURN_IF_ERROR(file.read(header.l1_table_offset, l1));
  std::vector<uint64_t> tables;
  for (uint64_t index = 0; index < reachable; ++index) {
    const auto entry = big_endian<uint64_t>(l1, index * 8);
    const uint64_t offset = entry & kOffsetMask;
    if ((entry & kL1Reserved) != 0 || offset % cluster != 0 ||
        !lies_within(offset, cluster, file.size())) {
      return damaged("entry {} of its L1 table is {:#x}, the file has {} bytes", index, entry,
                     file.size());
    }
    if (offset != 0) tables.push_back(offset);
  }
  // A table that is used twice is damage; refusing it first keeps the walk below linear in the
  // file's size, whatever the header claims.
  std::sort(tables.begin(), tables.end());
  if (std::adjacent_find(tables.begin(), tables.end()) != tables.end()) {
    return damaged("two entries of its L1 table are the same");
  }
  for (uint64_t index = 0; index < reachable; ++index) {
    const uint64_t offset = big_endian<uint64_t>(l1, index * 8) & kOffsetMask;
    if (offset == 0) continue;
    const L2Walk walk{.file = file, .header = header, .guest_offset = index * covered};
    SW_RETURN_IF_ERROR(check_l2_table(walk, offset));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> qcow2_backing_file(const RandomAccessReader& file) {
  SW_ASSIGN_OR_RETURN(const Qcow2Header header, read_qcow2_header(file));
  if (header.backing_file_offset == 0) return std::optional<std::string>();
  if (header.backing_file_size > kLongestBackingName ||
      !lies_within(header.backing_file_offset, header.backing_file_size, file.size())) {
    return damaged("its backing file's name is not within the file");
  }
  std::string name(header.backing_file_size, '\0');
  SW_RETURN_IF_ERROR(file.read(header.backing_file_offset,
                               {reinterpret_cast<uint8_t*>(name.data()), name.size()}));
  return name;
}

}  // namespace stellwerk::storage

// What of a qcow2 file must hold before QEMU may open it (QEMU's docs/interop/qcow2.txt).
//
// Stricter than QEMU: no reference to another file of any kind, no encryption, no snapshots,
// nothing unknown, nothing that a repair would change, and no table or cluster beyond the end.
// Reference counts are not checked: an image is only ever read. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/status.h"
#include "drivers/storage/local/random_access_reader.h"

namespace stellwerk::storage {

struct Qcow2Header {
  uint32_t version = 0;
  uint64_t backing_file_offset = 0;
  uint32_t backing_file_size = 0;
  uint32_t cluster_bits = 0;
  uint64_t virtual_size = 0;
  uint32_t crypt_method = 0;
  uint32_t l1_size = 0;
  uint64_t l1_table_offset = 0;
  uint64_t refcount_table_offset = 0;
  uint32_t refcount_table_clusters = 0;
  uint32_t snapshots = 0;
  uint64_t incompatible_features = 0;
  uint32_t refcount_order = 4;
  uint32_t header_length = 0;
  uint8_t compression_type = 0;
  bool names_data_file = false;  // by a header extension
  bool has_crypto_header = false;

  uint64_t cluster_size() const { return uint64_t{1} << cluster_bits; }
  bool has_extended_l2() const;
  // Entries in one L2 table.
  uint64_t l2_entries() const;
};

// The first four bytes claim the file for the qcow family; it must then never be used as raw.
absl::StatusOr<bool> has_qcow_magic(const RandomAccessReader& file);

// Reads the header and its extensions, which lie in the first cluster. Of a disk in use, too:
// what QEMU may be changing at the moment is left to check_whole.
absl::StatusOr<Qcow2Header> read_qcow2_header(const RandomAccessReader& file);

// Refuses references to other files, encryption, snapshots, unknown or unsafe feature bits.
absl::Status check_stands_alone(const Qcow2Header& header);

// Walks every table that the guest can reach: a table or cluster beyond the end means a truncated
// file. Only of a file that check_stands_alone accepts and nobody writes.
absl::Status check_whole(const RandomAccessReader& file, const Qcow2Header& header);

// The name of the backing file as it stands in the header, of overlays that we made ourselves.
absl::StatusOr<std::optional<std::string>> qcow2_backing_file(const RandomAccessReader& file);

}  // namespace stellwerk::storage

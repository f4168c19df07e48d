// cloud-init's NoCloud seed: an ISO 9660 file system named "cidata" with Joliet and Rock Ridge
// names. https://cloudinit.readthedocs.io/en/22.4.2/topics/datasources/nocloud.html
// Holds user-data: the caller sees to it that nobody else can read the file. Any thread.
#pragma once

#include "core/status.h"
#include "drivers/storage/storage.h"

namespace stellwerk::storage {

// Writes the file system to an open, empty file. `path` is for messages.
absl::Status write_seed_iso(int fd, const SeedSpec& spec, std::string_view path);

}  // namespace stellwerk::storage

#include "drivers/storage/local/seed_iso.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <gmock/gmock.h>

#include <map>

#include "../../../support/status_assertions.h"
#include "../../../support/temporary_directory.h"
#include "drivers/storage/local/file.h"
#include "image_bytes.h"

namespace stellwerk::storage {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;

absl::Status write_to(const std::string& path, const SeedSpec& spec) {
  const auto file = open_file(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  return write_seed_iso(file->get(), spec, path);
}

// Names and contents as a guest sees them. `options` hides one of the two name systems, so that
// the other is seen.
std::map<std::string, std::string> read_back(const std::string& path, const char* options) {
  std::map<std::string, std::string> files;
  archive* iso = archive_read_new();
  archive_read_support_format_iso9660(iso);
  EXPECT_EQ(archive_read_set_options(iso, options), ARCHIVE_OK);
  EXPECT_EQ(archive_read_open_filename(iso, path.c_str(), 10240), ARCHIVE_OK);
  archive_entry* entry = nullptr;
  while (archive_read_next_header(iso, &entry) == ARCHIVE_OK) {
    if (archive_entry_filetype(entry) != AE_IFREG) continue;
    std::string content(static_cast<size_t>(archive_entry_size(entry)), '\0');
    archive_read_data(iso, content.data(), content.size());
    files[archive_entry_pathname(entry)] = content;
  }
  archive_read_free(iso);
  return files;
}

SeedSpec full_seed() {
  return {.instance = {},
          .meta_data = "instance-id: 1\n",
          .user_data = std::string(64 * 1024, 'u'),
          .network_config = "version: 2\n"};
}

TEST(SeedIso, HoldsTheThreeFilesUnderBothNameSystems) {
  const testing::TemporaryDirectory directory;
  const SeedSpec spec = full_seed();
  ASSERT_OK(write_to(directory / "seed.iso", spec));
  for (const char* options : {"!joliet", "!rockridge"}) {
    EXPECT_THAT(
        read_back(directory / "seed.iso", options),
        UnorderedElementsAre(Pair("meta-data", spec.meta_data), Pair("user-data", spec.user_data),
                             Pair("network-config", spec.network_config)))
        << options;
  }
}

TEST(SeedIso, HoldsNoNetworkConfigWhenThereIsNone) {
  const testing::TemporaryDirectory directory;
  SeedSpec spec = full_seed();
  spec.network_config.clear();
  spec.user_data.clear();
  ASSERT_OK(write_to(directory / "seed.iso", spec));
  EXPECT_THAT(read_back(directory / "seed.iso", "!joliet"),
              UnorderedElementsAre(Pair("meta-data", spec.meta_data), Pair("user-data", "")));
}

// cloud-init finds the seed by this label, in capitals or not.
TEST(SeedIso, IsLabelledCidata) {
  const testing::TemporaryDirectory directory;
  ASSERT_OK(write_to(directory / "seed.iso", full_seed()));
  const std::string bytes = content_of(directory / "seed.iso");
  constexpr size_t kPrimaryDescriptor = 32768, kVolumeId = 40;
  EXPECT_THAT(bytes.substr(kPrimaryDescriptor + kVolumeId, 32),
              ::testing::AnyOf("cidata" + std::string(26, ' '), "CIDATA" + std::string(26, ' ')));
}

}  // namespace
}  // namespace stellwerk::storage

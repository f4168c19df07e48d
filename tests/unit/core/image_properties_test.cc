#include "core/image_properties.h"

#include <gmock/gmock.h>

namespace stellwerk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ImageProperties, EachHasARuleOfItsOwn) {
  const std::tuple<const char*, std::vector<const char*>, std::vector<const char*>> kRules[] = {
      {"architecture", {"x86_64"}, {"", "aarch64", "amd64", "X86_64"}},
      {"hw_disk_bus", {"virtio"}, {"", "scsi", "ide", "floppy"}},
      {"os_distro", {"debian", "opensuse-leap", "ubuntu"}, {"", "Debian", "a b", "x\n"}},
      {"os_version", {"12", "24.04", "2022 R2"}, {"", "1\n2"}},
      {"os_purpose", {"generic", "minimal", "k8snode", "gpu", "network", "custom"}, {"", "server"}},
      {"replace_frequency",
       {"yearly", "quarterly", "monthly", "weekly", "daily", "critical_bug", "never"},
       {"", "hourly", "Monthly"}},
      {"uuid_validity",
       {"none", "last-3", "2027-01-31", "notice", "forever"},
       {"", "last-0", "last-", "last-x", "2027-02-30", "always"}},
      {"provided_until",
       {"none", "notice", "2028-02-29"},
       {"", "forever", "last-3", "2027-02-29", "31.12.2027"}},
      {"image_source",
       {"https://example.org/x", "http://example.org/", "private"},
       {"", "ftp://example.org/x", "secret", "https://a b"}},
      {"image_description", {"https://example.org/", "Debian 12, minimal"}, {"", "a\nb"}},
      {"image_build_date",
       {"2026-11-23", "2026-11-23 10:15", "2026-11-23 10:15:59"},
       {"", "2026-13-01", "2026-11-23T10:15", "2026-11-23 24:00", "2026-11-23 10:60",
        "2026-11-23 1:15", "2026-11-23 10:15:5", "23.11.2026"}},
      {"image_original_user", {"debian", "none", "Administrator"}, {"", "a b", "-x", "root:x"}},
      {"hotfix_hours", {"0", "48"}, {"", "-1", "two", "1.5", "99999999999999999999"}},
      {"patchlevel", {"5", "deb12u3"}, {""}},
      {"maintained_until", {"2030-01-01"}, {"", "soon"}},
      {"l1_support_contact", {"mailto:help@example.org", "https://example.org/help"}, {"", "help"}},
      {"license_included", {"true", "false"}, {"", "yes", "True", "1"}},
      {"license_required", {"true", "false"}, {"no"}},
      {"subscription_included", {"true", "false"}, {"no"}},
      {"subscription_required", {"true", "false"}, {"no"}},
  };
  EXPECT_EQ(std::size(kRules), known_image_properties().size());
  for (const auto& [key, good, bad] : kRules) {
    for (const char* value : good) {
      EXPECT_EQ(check_image_property(key, value), std::nullopt) << key << "=" << value;
    }
    for (const char* value : bad) {
      EXPECT_TRUE(check_image_property(key, value).has_value()) << key << "=" << value;
    }
  }
}

TEST(ImageProperties, RefusesWhatIsNotHonouredAndSaysWhatIs) {
  EXPECT_THAT(*check_image_property("hw_disk_bus", "scsi"),
              HasSubstr("not offered here: instances get virtio disks"));
  EXPECT_THAT(*check_image_property("architecture", "aarch64"), HasSubstr("the hosts are x86_64"));
  EXPECT_THAT(*check_image_property("min_disk", "5"), HasSubstr("min_disk_bytes"));
  EXPECT_THAT(*check_image_property("min_ram", "512"), HasSubstr("min_memory_bytes"));
}

TEST(ImageProperties, NamesTheKnownOnesWhenOneIsUnknown) {
  const Problem problem = check_image_property("os_color", "blue");
  ASSERT_TRUE(problem.has_value());
  for (const std::string_view key : known_image_properties()) {
    EXPECT_THAT(*problem, HasSubstr(std::string(key)));
  }
}

TEST(ImageProperties, LicensesExcludeEachOther) {
  EXPECT_TRUE(check_image_properties({{"license_included", "true"}, {"license_required", "true"}}));
  EXPECT_FALSE(
      check_image_properties({{"license_included", "true"}, {"license_required", "false"}}));
}

TEST(ImageProperties, KnowsWhatAProvidersImageMustTell) {
  EXPECT_THAT(missing_image_properties({}), ::testing::SizeIs(11));
  EXPECT_THAT(missing_image_properties({{"architecture", "x86_64"},
                                        {"os_version", "12"},
                                        {"os_distro", "debian"},
                                        {"hw_disk_bus", "virtio"},
                                        {"uuid_validity", "none"},
                                        {"provided_until", "none"},
                                        {"replace_frequency", "monthly"},
                                        {"image_source", "private"},
                                        {"image_description", "x"}}),
              ElementsAre("image_build_date", "image_original_user"));
}

}  // namespace
}  // namespace stellwerk

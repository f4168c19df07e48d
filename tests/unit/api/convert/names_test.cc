#include "api/convert/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/resource_names.h"

namespace stellwerk::convert {
namespace {

rc::Gen<std::string> dns_label() {
  return rc::gen::suchThat(
      rc::gen::container<std::string>(rc::gen::elementOf(std::string("abcxyz019-"))),
      [](const std::string& text) {
        return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-';
      });
}

std::string written(const ResourceName& name) {
  switch (name.kind) {
    case ResourceKind::kProject:
      return project_name(name.id);
    case ResourceKind::kInstance:
      return instance_name(name.project, name.id);
    case ResourceKind::kImage:
      return image_name(name.project, name.id);
    case ResourceKind::kNetwork:
      return network_name(name.project, name.id);
    case ResourceKind::kFlavor:
      return flavor_name(name.id);
    case ResourceKind::kHost:
      return host_name(name.id);
    case ResourceKind::kGroup:
      return group_name(name.project, name.id);
    case ResourceKind::kSite:
      return site_name(name.id);
    case ResourceKind::kZone:
      return zone_name(name.id);
    case ResourceKind::kRack:
      return rack_name(name.id);
    case ResourceKind::kFeed:
      return feed_name(name.id);
  }
  return {};
}

RC_GTEST_PROP(Names, ComeBackFromTheirText, ()) {
  const auto kind = *rc::gen::element(
      ResourceKind::kProject, ResourceKind::kInstance, ResourceKind::kImage, ResourceKind::kNetwork,
      ResourceKind::kFlavor, ResourceKind::kHost, ResourceKind::kGroup, ResourceKind::kSite,
      ResourceKind::kZone, ResourceKind::kRack, ResourceKind::kFeed);
  const bool in_project = kind == ResourceKind::kInstance || kind == ResourceKind::kImage ||
                          kind == ResourceKind::kNetwork || kind == ResourceKind::kGroup;
  std::string path = *dns_label();
  const bool two = kind == ResourceKind::kZone || kind == ResourceKind::kFeed;
  for (int more = kind == ResourceKind::kRack ? 2 : two ? 1 : 0; more > 0; --more) {
    path += "/" + *dns_label();
  }
  const ResourceName name{
      .kind = kind, .project = in_project ? *dns_label() : std::string(), .id = path};
  const auto read = parse_name(written(name), kind);
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == name);
  RC_ASSERT(*parse_any_name(written(name)) == name);
}

RC_GTEST_PROP(Names, AreEitherRefusedOrExactlyWhatWasWritten, (const std::string& text)) {
  for (const auto kind :
       {ResourceKind::kInstance, ResourceKind::kFlavor, ResourceKind::kHost, ResourceKind::kRack}) {
    const auto read = parse_name(text, kind);
    if (read.ok()) RC_ASSERT(written(*read) == text);
  }
}

TEST(Names, SayWhatIsWrongAndWhatWouldDo) {
  const auto problem = [](std::string_view text, ResourceKind kind) {
    return std::string(message_of(parse_name(text, kind).status()));
  };
  EXPECT_EQ(problem("", ResourceKind::kFlavor), "is missing; write flavors/{flavor}");
  EXPECT_EQ(problem("SCS-2V-8", ResourceKind::kFlavor),
            "\"SCS-2V-8\" is not the name of a flavor; write flavors/{flavor}");
  EXPECT_THAT(problem("projects/p/images/x", ResourceKind::kInstance),
              testing::HasSubstr("write projects/{project}/instances/{instance}"));
  EXPECT_THAT(problem("projects/P/instances/x", ResourceKind::kInstance),
              testing::StartsWith("the project \"P\" is not a DNS label"));
  EXPECT_THAT(problem("projects/p/instances/../x", ResourceKind::kInstance),
              testing::HasSubstr("is not the name of an instance"));
  EXPECT_EQ(problem("sites/dc1/racks/r07", ResourceKind::kRack),
            "\"sites/dc1/racks/r07\" is not the name of a rack; write "
            "sites/{site}/zones/{zone}/racks/{rack}");
  EXPECT_THAT(problem("sites/dc1/zones/A/racks/r07", ResourceKind::kRack),
              testing::StartsWith("the zone \"A\" is not a DNS label"));
  EXPECT_THAT(problem("projects/p/instances/", ResourceKind::kInstance),
              testing::StartsWith("the id is missing"));
}

TEST(Names, OfHostsMayHaveDots) {
  EXPECT_FALSE(check_host_id("node1"));
  EXPECT_FALSE(check_host_id("node1.rack2.example.org"));
  for (const std::string_view bad : {"", ".", "a..b", "a.", "-a.b", "A.b", "a_b"}) {
    EXPECT_TRUE(check_host_id(bad)) << bad;
  }
}

}  // namespace
}  // namespace stellwerk::convert

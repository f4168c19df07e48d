#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/convert/from_wire.h"

namespace stellwerk::convert {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Origin origin() {
  return {.caller = "uid 1000", .fresh = *RequestId::parse("11111111-2222-4333-8444-555555555555")};
}

std::vector<std::string> fields_of(const std::vector<FieldViolation>& violations) {
  std::vector<std::string> fields;
  for (const FieldViolation& violation : violations) fields.push_back(violation.field);
  return fields;
}

TEST(FromWire, ReadsAnImport) {
  v1::ImportImageRequest::Spec spec;
  spec.set_parent("projects/p");
  spec.set_image_id("debian-12");
  spec.mutable_image()->set_firmware(v1::Image::UEFI);
  spec.mutable_image()->set_min_disk_bytes(1);
  spec.set_size_bytes(3);
  const Sha256 digest = sha256("abc");
  spec.set_sha256(to_hex(digest));
  const Import import = to_import(spec, origin());
  EXPECT_THAT(import.begin.context.violations, IsEmpty());
  EXPECT_EQ(import.sha256, digest);
  EXPECT_EQ(import.size, Bytes(3));
  const auto& begin = std::get<controller::BeginImageImport>(import.begin.body);
  EXPECT_EQ(begin.project, "p");
  EXPECT_EQ(begin.id, "debian-12");
  EXPECT_EQ(begin.firmware, Firmware::kUefi);
  EXPECT_EQ(begin.minimum_disk, Bytes(1));
}

TEST(FromWire, TellsEveryMistakeOfAnImport) {
  v1::ImportImageRequest::Spec spec;
  spec.mutable_image()->set_firmware(static_cast<v1::Image::Firmware>(7));
  spec.mutable_image()->set_min_disk_bytes(-1);
  spec.mutable_image()->set_min_memory_bytes(-1);
  (*spec.mutable_image()->mutable_labels())[""] = "";
  spec.set_sha256("ABC");
  spec.set_size_bytes(-1);
  EXPECT_THAT(
      fields_of(to_import(spec, origin()).begin.context.violations),
      UnorderedElementsAre("parent", "image_id", "image.firmware", "image.min_disk_bytes",
                           "image.min_memory_bytes", "image.labels[\"\"]", "sha256", "size_bytes"));
  spec.set_sha256(std::string(63, 'a') + "G");
  EXPECT_FALSE(to_import(spec, origin()).sha256);
}

TEST(FromWire, ReadsWhatIsFetchedFromAUrl) {
  v1::ImportImageFromUrlRequest request;
  request.set_parent("projects/p");
  request.set_image_id("debian-12");
  request.set_url("https://images.example/debian.qcow2");
  request.set_sha256(std::string(64, 'a'));
  request.mutable_image()->set_visibility(v1::Image::PUBLIC);
  (*request.mutable_image()->mutable_properties())["os_distro"] = "debian";
  const controller::Mutation mutation = to_mutation(request, origin());
  EXPECT_THAT(mutation.context.violations, IsEmpty());
  const auto& import = std::get<controller::ImportImageFromUrl>(mutation.body);
  EXPECT_EQ(import.image.project, "p");
  EXPECT_EQ(import.image.id, "debian-12");
  EXPECT_TRUE(import.image.is_public);
  EXPECT_EQ(import.image.properties, (Labels{{"os_distro", "debian"}}));
  EXPECT_EQ(import.source.url, "https://images.example/debian.qcow2");
  EXPECT_TRUE(import.source.sha256);
}

TEST(FromWire, TellsEveryMistakeOfAFetch) {
  v1::ImportImageFromUrlRequest request;
  request.set_url("file:///etc/passwd");
  request.set_sha256("x");
  request.mutable_image()->set_visibility(static_cast<v1::Image::Visibility>(9));
  auto& properties = *request.mutable_image()->mutable_properties();
  properties[std::string(64, 'k')] = "x";
  properties["os_version"] = "a\nb";
  EXPECT_THAT(fields_of(to_mutation(request, origin()).context.violations),
              UnorderedElementsAre("parent", "image_id", "url", "sha256", "image.visibility",
                                   "image.properties[\"" + std::string(40, 'k') + "\"… (64 bytes)]",
                                   "image.properties[\"os_version\"]"));
  for (int i = 0; i < 33; ++i) properties["key" + std::to_string(i)] = "x";
  EXPECT_THAT(fields_of(to_mutation(request, origin()).context.violations),
              ::testing::Contains("image.properties"));
}

TEST(FromWire, AnImagesUpdateChangesWhatItsMaskNames) {
  v1::UpdateImageRequest request;
  request.mutable_image()->set_name("projects/p/images/i");
  request.mutable_image()->set_visibility(v1::Image::PUBLIC);
  request.mutable_image()->set_min_disk_bytes(7);
  request.mutable_update_mask()->add_paths("visibility");
  request.set_etag("4");
  controller::Mutation mutation = to_mutation(request, origin());
  EXPECT_THAT(mutation.context.violations, IsEmpty());
  EXPECT_EQ(mutation.context.etag, "4");
  auto update = std::get<controller::UpdateImage>(mutation.body);
  EXPECT_EQ(update.is_public, true);
  EXPECT_EQ(update.minimum_disk, std::nullopt);
  EXPECT_EQ(update.labels, std::nullopt);
  for (const char* path : {"labels", "properties", "min_disk_bytes", "min_memory_bytes"}) {
    request.mutable_update_mask()->add_paths(path);
  }
  update = std::get<controller::UpdateImage>(to_mutation(request, origin()).body);
  EXPECT_EQ(update.minimum_disk, Bytes(7));
  EXPECT_EQ(update.minimum_memory, Bytes(0));
  EXPECT_EQ(update.labels, Labels());
  EXPECT_EQ(update.properties, Labels());
}

TEST(FromWire, AnImagesUpdateWithoutAMaskChangesWhatIsSet) {
  v1::UpdateImageRequest request;
  request.mutable_image()->set_name("projects/p/images/i");
  EXPECT_THAT(fields_of(to_mutation(request, origin()).context.violations),
              ElementsAre("update_mask"));
  request.mutable_image()->set_min_disk_bytes(7);
  const controller::Mutation mutation = to_mutation(request, origin());
  EXPECT_THAT(mutation.context.violations, IsEmpty());
  const auto update = std::get<controller::UpdateImage>(mutation.body);
  EXPECT_EQ(update.minimum_disk, Bytes(7));
  EXPECT_EQ(update.is_public, std::nullopt);
  EXPECT_EQ(update.labels, std::nullopt);
}

TEST(FromWire, RefusesMasksThatNameWhatCannotBeChanged) {
  v1::UpdateImageRequest request;
  request.mutable_image()->set_name("projects/p/images/i");
  request.mutable_update_mask()->add_paths("sha256");
  EXPECT_THAT(to_mutation(request, origin()).context.violations.at(0).description,
              HasSubstr("\"sha256\" cannot be changed; changeable are: labels, properties"));
}

}  // namespace
}  // namespace stellwerk::convert

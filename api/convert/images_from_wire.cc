// Messages about images.
#include "api/convert/from_wire.h"
#include "api/convert/mask.h"
#include "api/convert/mutation_context.h"
#include "api/convert/reading.h"
#include "core/image_url.h"
#include "core/validate.h"

namespace stellwerk::convert {
namespace {

// Of one image: more than SCS-0102 has; each value is a URL or a sentence at most.
constexpr int kMostProperties = 32;
constexpr size_t kLongestPropertyKey = 63;
constexpr size_t kLongestProperty = 500;

Firmware read_firmware(RequestReader& reader, const v1::Image& image) {
  switch (image.firmware()) {
    case v1::Image::FIRMWARE_UNSPECIFIED:
    case v1::Image::BIOS:
      return Firmware::kBios;
    case v1::Image::UEFI:
      return Firmware::kUefi;
    default:
      break;  // proto3 enums are open: any number may come
  }
  reader.add("image.firmware", fmt::format("{} is no firmware; give BIOS or UEFI",
                                           static_cast<int>(image.firmware())));
  return Firmware::kBios;
}

bool read_public(RequestReader& reader, const v1::Image& image) {
  switch (image.visibility()) {
    case v1::Image::VISIBILITY_UNSPECIFIED:
    case v1::Image::PRIVATE:
      return false;
    case v1::Image::PUBLIC:
      return true;
    default:
      break;
  }
  reader.add("image.visibility", fmt::format("{} is no visibility; give PRIVATE or PUBLIC",
                                             static_cast<int>(image.visibility())));
  return false;
}

// Sizes and texts; what each property may hold is the controller's to judge.
Labels read_properties(RequestReader& reader, const v1::Image& image) {
  if (image.properties_size() > kMostProperties) {
    reader.add("image.properties", fmt::format("has {} entries; give at most {}",
                                               image.properties_size(), kMostProperties));
    return {};
  }
  Labels properties;
  for (const auto& [key, value] : image.properties()) {
    const std::string field = fmt::format("image.properties[{}]", quoted(key));
    if (key.size() > kLongestPropertyKey) {
      reader.add(field, fmt::format("has a key of {} bytes; give at most {}", key.size(),
                                    kLongestPropertyKey));
    } else if (const Problem problem = check_display_text(value, kLongestProperty)) {
      reader.add(field, *problem);
    } else {
      properties.emplace(key, value);
    }
  }
  return properties;
}

controller::BeginImageImport read_new_image(RequestReader& reader, const v1::Image& image) {
  return {.firmware = read_firmware(reader, image),
          .minimum_disk = reader.size("image.min_disk_bytes", image.min_disk_bytes()),
          .minimum_memory = reader.size("image.min_memory_bytes", image.min_memory_bytes()),
          .labels = reader.labels("image.labels", image.labels()),
          .is_public = read_public(reader, image),
          .properties = read_properties(reader, image)};
}

}  // namespace

Import to_import(const v1::ImportImageRequest::Spec& spec, const Origin& origin) {
  RequestReader reader;
  Import import;
  controller::BeginImageImport begin = read_new_image(reader, spec.image());
  begin.project = reader.parent("parent", spec.parent());
  begin.id = reader.label_id("image_id", spec.image_id());
  import.sha256 = reader.digest("sha256", spec.sha256());
  const Bytes size = reader.size("size_bytes", spec.size_bytes());
  if (size > Bytes()) import.size = size;
  import.begin = mutation(spec, {"ImportImage", origin}, reader, std::move(begin));
  return import;
}

controller::Mutation to_mutation(const v1::ImportImageFromUrlRequest& request,
                                 const Origin& origin) {
  RequestReader reader;
  controller::ImportImageFromUrl import{.image = read_new_image(reader, request.image())};
  import.image.project = reader.parent("parent", request.parent());
  import.image.id = reader.label_id("image_id", request.image_id());
  const Problem problem = check_image_url(request.url());
  reader.add_if("url", problem);
  if (!problem) import.source.url = request.url();
  import.source.sha256 = reader.digest("sha256", request.sha256());
  return mutation(request, {"ImportImageFromUrl", origin}, reader, std::move(import));
}

controller::Mutation to_mutation(const v1::UpdateImageRequest& request, const Origin& origin) {
  RequestReader reader;
  const v1::Image& image = request.image();
  const ResourceName name = reader.name("image.name", image.name(), ResourceKind::kImage);
  const auto meant = read_mask(reader, request.update_mask(),
                               {{"labels", !image.labels().empty()},
                                {"properties", !image.properties().empty()},
                                {"visibility", image.visibility() != 0},
                                {"min_disk_bytes", image.min_disk_bytes() != 0},
                                {"min_memory_bytes", image.min_memory_bytes() != 0}});
  controller::UpdateImage update{.project = name.project, .id = name.id};
  if (meant.contains("labels")) update.labels = reader.labels("image.labels", image.labels());
  if (meant.contains("properties")) update.properties = read_properties(reader, image);
  if (meant.contains("visibility")) update.is_public = read_public(reader, image);
  if (meant.contains("min_disk_bytes")) {
    update.minimum_disk = reader.size("image.min_disk_bytes", image.min_disk_bytes());
  }
  if (meant.contains("min_memory_bytes")) {
    update.minimum_memory = reader.size("image.min_memory_bytes", image.min_memory_bytes());
  }
  return mutation(request, {"UpdateImage", origin}, reader, std::move(update));
}

controller::Mutation to_mutation(const v1::DeleteImageRequest& request, const Origin& origin) {
  RequestReader reader;
  const ResourceName name = reader.name("name", request.name(), ResourceKind::kImage);
  return mutation(request, {"DeleteImage", origin}, reader,
                  controller::DeleteImage{.project = name.project, .id = name.id});
}

absl::StatusOr<controller::Query> to_query(const v1::GetImageRequest& request) {
  RequestReader reader;
  ResourceName name = reader.name("name", request.name(), ResourceKind::kImage);
  SW_RETURN_IF_ERROR(reader.status());
  return controller::GetImage{.project = std::move(name.project), .id = std::move(name.id)};
}

absl::StatusOr<controller::Query> to_query(const v1::ListImagesRequest& request) {
  RequestReader reader;
  controller::ListImages list;
  list.project = reader.parent_or_all("parent", request.parent());
  list.page = {.size = reader.page_size(request.page_size()),
               .token = reader.page_token(request.page_token())};
  list.public_too = request.include_public();
  SW_RETURN_IF_ERROR(reader.status());
  return list;
}

}  // namespace stellwerk::convert

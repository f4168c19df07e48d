#include <algorithm>
#include <memory>

#include "api/cli/commands.h"
#include "api/cli/exit_code.h"
#include "api/cli/format.h"
#include "api/cli/image_view.h"
#include "api/cli/image_wait.h"
#include "api/cli/import.h"
#include "api/cli/pages.h"
#include "api/cli/verbs.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

using v1::Image;
using v1::Images;

struct ImportOptions {
  std::string id;
  std::string path;
  std::string sha256;
  std::string firmware = "bios";
  std::string min_disk;
  std::string min_memory;
  std::vector<std::string> labels;
  std::vector<std::string> properties;
  bool is_public = false;
  bool wait = true;
  int64_t timeout_seconds = 6 * 3600;
  MutationOptions mutation;
};

struct UpdateOptions {
  std::string id;
  std::string min_disk;
  std::string min_memory;
  std::vector<std::string> labels;
  std::vector<std::string> unlabels;
  std::vector<std::string> properties;
  std::vector<std::string> unproperties;
  bool make_public = false;
  bool make_private = false;
  MutationOptions mutation;
};

std::string image_name(const Context& context, std::string_view id) {
  return full_name(project_name(context) + "/images/", id);
}

bool is_url(std::string_view text) {
  return text.find("://") != std::string_view::npos;
}

std::string lower_hex(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  return text;
}

void fill_image(const ImportOptions& options, Image& image) {
  image.set_firmware(options.firmware == "uefi" ? Image::UEFI : Image::BIOS);
  image.set_min_disk_bytes(bytes_of(options.min_disk));
  image.set_min_memory_bytes(bytes_of(options.min_memory));
  copy_labels(options.labels, *image.mutable_labels());
  copy_labels(options.properties, *image.mutable_properties());
  if (options.is_public) image.set_visibility(Image::PUBLIC);
}

absl::StatusOr<Image> import_file(Context& context, const ImportOptions& options) {
  v1::ImportImageRequest::Spec spec;
  spec.set_parent(project_name(context));
  spec.set_image_id(options.id);
  fill_image(options, *spec.mutable_image());
  spec.set_sha256(lower_hex(options.sha256));
  spec.set_request_id(claim_request_id(context, options.mutation));
  return import_image(context, options.path, std::move(spec));
}

absl::StatusOr<Image> import_url(Context& context, const ImportOptions& options) {
  v1::ImportImageFromUrlRequest request;
  request.set_parent(project_name(context));
  request.set_image_id(options.id);
  fill_image(options, *request.mutable_image());
  request.set_url(options.path);
  request.set_sha256(lower_hex(options.sha256));
  request.set_request_id(claim_request_id(context, options.mutation));
  SW_ASSIGN_OR_RETURN(Image begun, context.client.call(&Images::Stub::ImportImageFromUrl, request));
  if (!options.wait) return begun;
  return wait_for_import(context, std::move(begun), std::chrono::seconds(options.timeout_seconds));
}

absl::Status import(Context& context, const ImportOptions& options) {
  SW_ASSIGN_OR_RETURN(const Image imported, is_url(options.path) ? import_url(context, options)
                                                                 : import_file(context, options));
  print_one(context, imported, image_columns(context, false));
  return absl::OkStatus();
}

// As change_labels does, of labels and properties alike.
absl::Status change_pairs(Context& context, const UpdateOptions& options,
                          v1::UpdateImageRequest& request) {
  const bool labels = !options.labels.empty() || !options.unlabels.empty();
  const bool properties = !options.properties.empty() || !options.unproperties.empty();
  if (!labels && !properties) return absl::OkStatus();
  Image& image = *request.mutable_image();
  SW_ASSIGN_OR_RETURN(const Image present, get(context, &Images::Stub::GetImage, image.name()));
  if (options.mutation.etag.empty()) request.set_etag(present.etag());
  if (labels) {
    *image.mutable_labels() = present.labels();
    for (const std::string& key : options.unlabels) image.mutable_labels()->erase(key);
    copy_labels(options.labels, *image.mutable_labels());
    request.mutable_update_mask()->add_paths("labels");
  }
  if (properties) {
    *image.mutable_properties() = present.properties();
    for (const std::string& key : options.unproperties) image.mutable_properties()->erase(key);
    copy_labels(options.properties, *image.mutable_properties());
    request.mutable_update_mask()->add_paths("properties");
  }
  return absl::OkStatus();
}

absl::Status update_image(Context& context, const UpdateOptions& options) {
  v1::UpdateImageRequest request;
  Image& image = *request.mutable_image();
  google::protobuf::FieldMask& mask = *request.mutable_update_mask();
  image.set_name(image_name(context, options.id));
  request.set_etag(options.mutation.etag);
  SW_RETURN_IF_ERROR(change_pairs(context, options, request));
  if (options.make_public || options.make_private) mask.add_paths("visibility");
  image.set_visibility(options.make_public ? Image::PUBLIC : Image::PRIVATE);
  if (!options.min_disk.empty()) mask.add_paths("min_disk_bytes");
  image.set_min_disk_bytes(bytes_of(options.min_disk));
  if (!options.min_memory.empty()) mask.add_paths("min_memory_bytes");
  image.set_min_memory_bytes(bytes_of(options.min_memory));
  if (mask.paths().empty()) {
    return usage_error("nothing to change is given; see stellwerk image update --help");
  }
  request.set_request_id(claim_request_id(context, options.mutation));
  SW_ASSIGN_OR_RETURN(const Image updated,
                      context.client.call(&Images::Stub::UpdateImage, request));
  print_details(context, updated, image_details(updated, context.now().wall));
  return absl::OkStatus();
}

absl::Status list_images(Context& context, bool own) {
  v1::ListImagesRequest request;
  request.set_parent(project_name(context));
  request.set_include_public(!own && context.project != "-");
  SW_ASSIGN_OR_RETURN(const std::vector<Image> images,
                      collect(context, &Images::Stub::ListImages, request,
                              &v1::ListImagesResponse::mutable_images));
  const bool foreign = std::any_of(images.begin(), images.end(), [&](const Image& image) {
    return project_of(image.name()) != context.project;
  });
  print_list(context, images, image_columns(context, foreign || context.project == "-"));
  return absl::OkStatus();
}

absl::Status show_image(Context& context, const std::string& id) {
  SW_ASSIGN_OR_RETURN(const Image image,
                      get(context, &Images::Stub::GetImage, image_name(context, id)));
  print_details(context, image, image_details(image, context.now().wall));
  return absl::OkStatus();
}

absl::Status delete_image(Context& context, const DeleteOptions& options) {
  return delete_resource(context, &Images::Stub::DeleteImage, image_name(context, options.id),
                         options.mutation, "image {} is being deleted");
}

void add_properties(CLI::App* verb, std::vector<std::string>& values) {
  add_pairs(verb, "--property", values, "Metadata after SCS-0102; may be repeated");
}

std::string check_sha256(const std::string& text) {
  const bool hex = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
  if (hex && text.size() == 64) return "";
  return fmt::format("{} is not a SHA-256 sum, which has 64 hexadecimal digits",
                     stellwerk::quoted(text));
}

void add_import(CLI::App* noun, Command& chosen) {
  CLI::App* verb =
      add_verb(noun, {"import", "Send a disk image (raw or qcow2) to the cell, or let it fetch one",
                      "stellwerk image import debian-12 ./debian-12.qcow2 --min-memory 512MiB"});
  auto options = std::make_shared<ImportOptions>();
  verb->add_option("NAME", options->id, "A DNS label, unique in the project")->required();
  verb->add_option("SOURCE", options->path,
                   "A file; - for standard input; or an http:// or https:// URL that the daemon "
                   "fetches")
      ->required();
  verb->add_option("--sha256", options->sha256, "Refuse the file if its sum is another")
      ->type_name("HEX")
      ->check(CLI::Validator(check_sha256, ""));
  verb->add_option("--firmware", options->firmware, "What boots it")
      ->capture_default_str()
      ->check(CLI::IsMember({"bios", "uefi"}));
  add_size(verb, "--min-disk", options->min_disk, "Smallest boot disk that it works on");
  add_size(verb, "--min-memory", options->min_memory, "Least memory that it works with");
  add_labels(verb, options->labels);
  add_properties(verb, options->properties);
  verb->add_flag("--public", options->is_public, "Every project may boot from it");
  verb->add_flag("--wait,!--no-wait", options->wait,
                 "Of a URL: wait until it is here, showing how far it is (the default)");
  verb->add_option("--timeout", options->timeout_seconds, "How long to wait")
      ->type_name("SECONDS")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{1}, int64_t{7 * 86400}));
  add_request_id(verb, options->mutation);
  choose(verb, options, chosen, import);
}

void add_update(CLI::App* noun, Command& chosen) {
  CLI::App* verb = add_verb(noun, {"update", "Change what is said of an image, or who may use it",
                                   "stellwerk image update debian-12 --public"});
  auto options = std::make_shared<UpdateOptions>();
  verb->add_option("NAME", options->id, "The image")->required();
  add_labels(verb, options->labels);
  add_unlabels(verb, options->unlabels);
  add_properties(verb, options->properties);
  add_repeated(verb, {"--unproperty", "KEY", "A property to take away; may be repeated"},
               options->unproperties);
  CLI::Option* open =
      verb->add_flag("--public", options->make_public, "Every project may boot from it");
  verb->add_flag("--private", options->make_private, "Only its own project may")->excludes(open);
  add_size(verb, "--min-disk", options->min_disk, "Smallest boot disk that it works on");
  add_size(verb, "--min-memory", options->min_memory, "Least memory that it works with");
  add_mutation(verb, options, chosen, update_image);
}

}  // namespace

void add_image_commands(CLI::App& app, Command& chosen) {
  CLI::App* noun = add_noun(app, "image", "What instances boot from");
  add_import(noun, chosen);
  add_update(noun, chosen);
  CLI::App* list =
      add_verb(noun, {"list", "List the project's images and public ones; --project - lists all",
                      "stellwerk image list"});
  auto own = std::make_shared<bool>(false);
  list->add_flag("--own", *own, "Leave out the public images of other projects");
  choose(list, own, chosen, list_images);
  add_show(noun, chosen, {"show", "Show one image", "stellwerk image show debian-12"}, show_image);
  add_delete(noun, chosen,
             {"delete", "Delete an image that no instance was made from",
              "stellwerk image delete debian-12"},
             delete_image);
}

}  // namespace stellwerk::cli

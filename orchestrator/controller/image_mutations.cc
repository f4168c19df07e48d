// Mutations of images, and what becomes of imports.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "core/image_properties.h"
#include "core/image_url.h"
#include "core/resource_names.h"
#include "core/validate.h"
#include "orchestrator/controller/frame.h"
#include "orchestrator/controller/mutations.h"
#include "orchestrator/controller/users.h"
#include "orchestrator/controller/views.h"
#include "placement/capacity.h"

namespace stellwerk::controller {
namespace {

constexpr size_t kLongestFailure = 500;

// The first few instances of its own project that were made from the image; those of others are
// counted, for their names are their projects' own affair.
std::vector<std::string> users_of(const Image& image, const Ledger& ledger) {
  const std::string owner = ledger.project_id(image.project);
  std::vector<std::string> names;
  size_t own = 0;
  size_t others = 0;
  for (const auto& [name, uid] : ledger.instance_names()) {
    if (ledger.state().instances.at(uid).image != image.uid) continue;
    if (name.first != owner) {
      ++others;
    } else if (own++ < kMostUsersNamed) {
      names.push_back(name.second);
    }
  }
  if (own > kMostUsersNamed) names.push_back("…");
  if (others > 0) {
    names.push_back(fmt::format("{} instance{} of other projects", others, others == 1 ? "" : "s"));
  }
  return names;
}

void check_properties(const Labels& properties, std::vector<FieldViolation>& violations) {
  for (const auto& [key, value] : properties) {
    if (const Problem problem = check_image_property(key, value)) {
      add_once(violations, fmt::format("image.properties[{}]", quoted(key)), *problem);
    }
  }
  if (const Problem problem = check_image_properties(properties)) {
    add_once(violations, "image.properties", *problem);
  }
}

void check_new_image(const BeginImageImport& begin, std::vector<FieldViolation>& violations) {
  if (const Problem problem = check_dns_label(begin.id)) {
    add_once(violations, "image_id", *problem);
  }
  check_properties(begin.properties, violations);
}

Event event_of(const Image& image, const Ledger& ledger, std::string type, std::string message) {
  const std::string project = ledger.project_id(image.project);
  return {.type = std::move(type),
          .project_id = project,
          .resource = image_name(project, image.id),
          .uid = image.uid.value(),
          .message = std::move(message)};
}

Image image_of(const BeginImageImport& begin) {
  return {.id = begin.id,
          .state = ImageState::kImporting,
          .firmware = begin.firmware,
          .minimum_disk = begin.minimum_disk,
          .minimum_memory = begin.minimum_memory,
          .labels = begin.labels,
          .is_public = begin.is_public,
          .properties = begin.properties};
}

}  // namespace

// An import that has failed gives its name to the next one.
absl::Status Mutations::take_image_name(const std::string& project, const std::string& id) {
  const Image* other = ledger_.image(project, id);
  if (!other) return absl::OkStatus();
  if (other->state != ImageState::kFailed) {
    return with_reason(already_exists("image {} exists ({}); choose another id or delete it", id,
                                      to_string(other->state)),
                       "NAME_TAKEN");
  }
  ledger_.erase(other->uid);
  return absl::OkStatus();
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const BeginImageImport& begin) {
  std::vector<FieldViolation> violations = frame.context.violations;
  check_new_image(begin, violations);
  if (!violations.empty()) return invalid_fields(violations);
  SW_RETURN_IF_ERROR(take_image_name(begin.project, begin.id));
  Image image = image_of(begin);
  image.uid = ImageUid(frame.fresh_uid());
  image.project = frame.project_uid;
  image.created_at = frame.now.wall;
  const ImageUid uid = image.uid;
  ledger_.put(std::move(image));
  imports_under_way_[{frame.scope, frame.context.request_id}] = uid;
  return view_of(ledger_.state().images.at(uid), ledger_);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const ImportImageFromUrl& import) {
  std::vector<FieldViolation> violations = frame.context.violations;
  check_new_image(import.image, violations);
  if (const Problem problem = check_image_url(import.source.url)) {
    add_once(violations, "url", *problem);
  }
  if (!violations.empty()) return invalid_fields(violations);
  SW_RETURN_IF_ERROR(take_image_name(import.image.project, import.image.id));
  Image image = image_of(import.image);
  image.uid = ImageUid(frame.fresh_uid());
  image.project = frame.project_uid;
  image.source = import.source;
  image.created_at = frame.now.wall;
  const ImageUid uid = image.uid;
  record_event(frame.now, event_of(image, ledger_, "ImageImportRequested",
                                   "from " + url_without_query(image.source.url)));
  ledger_.put(std::move(image));
  wanted_fetches_.push_back(uid);
  return view_of(ledger_.state().images.at(uid), ledger_);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const FinishImageImport& finish) {
  std::erase_if(imports_under_way_,
                [&finish](const auto& import) { return import.second == finish.image; });
  const auto found = ledger_.state().images.find(finish.image);
  if (found == ledger_.state().images.end() || found->second.state != ImageState::kImporting) {
    return with_reason(aborted("the import was given up; begin it again"), "IMPORT_GIVEN_UP");
  }
  Image image = found->second;
  if (!finish.content.ok()) {
    std::string why(message_of(finish.content.status()));
    if (finish.files_gone) {
      report_failed_import(image, std::move(why), frame.now);
      ledger_.erase(image.uid);  // the name is free again when the caller hears of it
    } else {
      abandon_import(std::move(image), std::move(why), frame.now);
    }
    return finish.content.status();
  }
  if (const absl::Status fits = check_image_fits(image, *finish.content); !fits.ok()) {
    abandon_import(std::move(image), std::string(message_of(fits)), frame.now);
    return fits;
  }
  const ImageUid uid = image.uid;
  activate(std::move(image), *finish.content, frame.now);
  return view_of(ledger_.state().images.at(uid), ledger_);
}

void Mutations::activate(Image image, const ImportedContent& content, Now now) {
  image.state = ImageState::kActive;
  image.format = content.format;
  image.file_size = content.file_size;
  image.virtual_size = content.virtual_size;
  image.sha256 = content.sha256;
  record_event(now, event_of(image, ledger_, "ImageImported",
                             fmt::format("{}, {}, sha256 {}", to_string(image.format),
                                         to_string(image.virtual_size), to_hex(image.sha256))));
  ledger_.put(std::move(image));
}

void Mutations::finish_fetch(const ImageUid& uid, const absl::StatusOr<ImportedContent>& content,
                             Now now) {
  const auto found = ledger_.state().images.find(uid);
  if (found == ledger_.state().images.end()) return;
  Image image = found->second;
  // Deleted meanwhile.
  if (image.state != ImageState::kImporting || image.source.url.empty()) return;
  const absl::Status good = content.ok() ? check_image_fits(image, *content) : content.status();
  if (good.ok()) return activate(std::move(image), *content, now);
  image.state = ImageState::kFailed;
  image.failure = shortened(message_of(good), kLongestFailure);
  report_failed_import(image, image.failure, now);
  abandoned_images_.push_back(uid);
  ledger_.put(std::move(image));
}

// Else instances could not write what they were promised.
absl::Status Mutations::check_image_fits(const Image& image, const ImportedContent& content) const {
  for (const placement::HostLoad& host : ledger_.fleet().hosts()) {
    const Bytes free = placement::free_disk(host);
    if (content.file_size <= free) continue;
    return with_reason(
        resource_exhausted("image {} takes {}, and host {} has {} that no instance was promised; "
                           "delete images or instances, or give the host more disk",
                           image.id, to_string(content.file_size), host.id, to_string(free)),
        "IMAGE_DOES_NOT_FIT");
  }
  return absl::OkStatus();
}

void Mutations::report_failed_import(const Image& image, std::string why, Now now) {
  Event event = event_of(image, ledger_, "ImageImportFailed", std::move(why));
  event.reason = "ImportFailed";
  record_event(now, std::move(event));
}

void Mutations::abandon_import(Image image, std::string why, Now now) {
  report_failed_import(image, std::move(why), now);
  delete_files(std::move(image));
}

// The record, and with it the name, stays until they are gone.
void Mutations::delete_files(Image image) {
  image.state = ImageState::kDeleting;
  abandoned_images_.push_back(image.uid);
  ledger_.put(std::move(image));
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const DeleteImage& deletion) {
  const Image* found = ledger_.image(deletion.project, deletion.id);
  const std::string name = image_name(deletion.project, deletion.id);
  SW_RETURN_IF_ERROR(check_existing(frame, name, found));
  if (found->state == ImageState::kDeleting) return view_of(*found, ledger_);
  if (found->state == ImageState::kImporting && found->source.url.empty()) {
    return with_reason(
        failed_precondition("image {} is being imported; end the import first", deletion.id),
        "IMPORT_UNDER_WAY");
  }
  const auto used_by = users_of(*found, ledger_);
  if (!used_by.empty()) {
    return with_reason(failed_precondition("image {} is used by: {}; delete these instances first",
                                           deletion.id, fmt::join(used_by, ", ")),
                       "IMAGE_IN_USE");
  }
  const ImageUid uid = found->uid;
  record_event(frame.now, event_of(*found, ledger_, "ImageDeleteRequested", ""));
  delete_files(*found);
  return view_of(ledger_.state().images.at(uid), ledger_);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const UpdateImage& update) {
  std::vector<FieldViolation> violations = frame.context.violations;
  if (update.properties) check_properties(*update.properties, violations);
  if (!violations.empty()) return invalid_fields(violations);
  const Image* found = ledger_.image(update.project, update.id);
  const std::string name = image_name(update.project, update.id);
  if (!found) return missing(name);
  SW_RETURN_IF_ERROR(check_etag(frame, name, etag_of(found->changed_at)));
  if (found->state == ImageState::kDeleting) {
    return with_reason(
        failed_precondition("image {} is being deleted and cannot be changed", update.id),
        "BEING_DELETED");
  }
  Image image = *found;
  if (update.labels) image.labels = *update.labels;
  if (update.properties) image.properties = *update.properties;
  if (update.is_public) image.is_public = *update.is_public;
  if (update.minimum_disk) image.minimum_disk = *update.minimum_disk;
  if (update.minimum_memory) image.minimum_memory = *update.minimum_memory;
  const ImageUid uid = image.uid;
  const bool turned = image.is_public != found->is_public;
  record_event(frame.now, event_of(image, ledger_, "ImageUpdated",
                                   !turned           ? ""
                                   : image.is_public ? "every project may use it now"
                                                     : "other projects may not use it any more"));
  ledger_.put(std::move(image));
  return view_of(ledger_.state().images.at(uid), ledger_);
}

void Mutations::report_image(const ImageUid& uid, std::string type, std::string message, Now now) {
  const auto found = ledger_.state().images.find(uid);
  if (found == ledger_.state().images.end()) return;
  record_event(now, event_of(found->second, ledger_, std::move(type), std::move(message)));
}

void Mutations::report_image_files(const ImageUid& uid, std::string type, std::string message,
                                   Now now) {
  record_event(now, {.type = std::move(type),
                     .resource = "image-files/" + uid.to_string(),
                     .uid = uid.value(),
                     .message = std::move(message)});
}

void Mutations::forget_image(const ImageUid& uid, Now now) {
  const auto found = ledger_.state().images.find(uid);
  if (found == ledger_.state().images.end() || found->second.state != ImageState::kDeleting) return;
  record_event(now, event_of(found->second, ledger_, "ImageDeleted", ""));
  ledger_.erase(uid);
}

}  // namespace stellwerk::controller

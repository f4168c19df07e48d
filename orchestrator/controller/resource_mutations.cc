// Mutations of images and flavors.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "core/resource_names.h"
#include "core/validate.h"
#include "orchestrator/controller/frame.h"
#include "orchestrator/controller/mutations.h"
#include "orchestrator/controller/users.h"
#include "orchestrator/controller/views.h"
#include "placement/capacity.h"

namespace stellwerk::controller {

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const BeginImageImport& begin) {
  std::vector<FieldViolation> violations = frame.context.violations;
  if (const Problem problem = check_dns_label(begin.id)) {
    add_once(violations, "image_id", *problem);
  }
  if (!violations.empty()) return invalid_fields(violations);
  const ImageUid uid(frame.fresh_uid());
  if (const Image* other = ledger_.image(begin.project, begin.id)) {
    return with_reason(already_exists("image {} exists ({}); choose another id or delete it",
                                      begin.id, to_string(other->state)),
                       "NAME_TAKEN");
  }
  ledger_.put(Image{.uid = uid,
                    .project = frame.project_uid,
                    .id = begin.id,
                    .state = ImageState::kImporting,
                    .firmware = begin.firmware,
                    .minimum_disk = begin.minimum_disk,
                    .minimum_memory = begin.minimum_memory,
                    .labels = begin.labels,
                    .created_at = frame.now.wall});
  imports_under_way_[{frame.scope, frame.context.request_id}] = uid;
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
  image.state = ImageState::kActive;
  image.format = finish.content->format;
  image.file_size = finish.content->file_size;
  image.virtual_size = finish.content->virtual_size;
  image.sha256 = finish.content->sha256;
  if (const absl::Status fits = check_image_fits(image); !fits.ok()) {
    abandon_import(std::move(image), std::string(message_of(fits)), frame.now);
    return fits;
  }
  const ImageUid uid = image.uid;
  record_event(frame.now,
               {.type = "ImageImported",
                .project_id = frame.project,
                .resource = image_name(frame.project, image.id),
                .uid = uid.value(),
                .message = fmt::format("{}, {}, sha256 {}", to_string(image.format),
                                       to_string(image.virtual_size), to_hex(image.sha256))});
  ledger_.put(std::move(image));
  return view_of(ledger_.state().images.at(uid), ledger_);
}

// Else instances could not write what they were promised.
absl::Status Mutations::check_image_fits(const Image& image) const {
  for (const placement::HostLoad& host : ledger_.fleet().hosts) {
    const Bytes free = placement::free_disk(host);
    if (image.file_size <= free) continue;
    return with_reason(
        resource_exhausted("image {} takes {}, and host {} has {} that no instance was promised; "
                           "delete images or instances, or give the host more disk",
                           image.id, to_string(image.file_size), host.id, to_string(free)),
        "IMAGE_DOES_NOT_FIT");
  }
  return absl::OkStatus();
}

void Mutations::report_failed_import(const Image& image, std::string why, Now now) {
  const std::string project = ledger_.project_id(image.project);
  record_event(now, {.type = "ImageImportFailed",
                     .project_id = project,
                     .resource = image_name(project, image.id),
                     .uid = image.uid.value(),
                     .reason = "ImportFailed",
                     .message = std::move(why)});
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
  if (!frame.context.violations.empty()) return invalid_fields(frame.context.violations);
  const Image* found = ledger_.image(deletion.project, deletion.id);
  const std::string name = image_name(deletion.project, deletion.id);
  if (!found) return missing(name);
  SW_RETURN_IF_ERROR(check_etag(frame, name, etag_of(found->changed_at)));
  if (found->state == ImageState::kDeleting) return view_of(*found, ledger_);
  if (found->state == ImageState::kImporting) {
    return with_reason(
        failed_precondition("image {} is being imported; end the import first", deletion.id),
        "IMPORT_UNDER_WAY");
  }
  const auto used_by =
      users(ledger_, [found](const Instance& instance) { return instance.image == found->uid; });
  if (!used_by.empty()) {
    return with_reason(failed_precondition("image {} is used by: {}; delete these instances first",
                                           deletion.id, fmt::join(used_by, ", ")),
                       "IMAGE_IN_USE");
  }
  const ImageUid uid = found->uid;
  record_event(frame.now, {.type = "ImageDeleteRequested",
                           .project_id = frame.project,
                           .resource = name,
                           .uid = uid.value()});
  delete_files(*found);
  return view_of(ledger_.state().images.at(uid), ledger_);
}

void Mutations::report_image(const ImageUid& uid, std::string type, std::string message, Now now) {
  const auto found = ledger_.state().images.find(uid);
  if (found == ledger_.state().images.end()) return;
  const std::string project = ledger_.project_id(found->second.project);
  record_event(now, {.type = std::move(type),
                     .project_id = project,
                     .resource = image_name(project, found->second.id),
                     .uid = uid.value(),
                     .message = std::move(message)});
}

void Mutations::forget_image(const ImageUid& uid, Now now) {
  const auto found = ledger_.state().images.find(uid);
  if (found == ledger_.state().images.end() || found->second.state != ImageState::kDeleting) return;
  const std::string project = ledger_.project_id(found->second.project);
  record_event(now, {.type = "ImageDeleted",
                     .project_id = project,
                     .resource = image_name(project, found->second.id),
                     .uid = uid.value()});
  ledger_.erase(uid);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const CreateFlavor& create) {
  std::vector<FieldViolation> violations = frame.context.violations;
  Flavor flavor = check_flavor(create, violations);
  if (!violations.empty()) return invalid_fields(violations);
  if (ledger_.flavor(create.id)) {
    return with_reason(already_exists("flavor {} exists; choose another id", create.id),
                       "NAME_TAKEN");
  }
  flavor.uid = FlavorUid(frame.fresh_uid());
  flavor.created_at = frame.now.wall;
  const FlavorUid uid = flavor.uid;
  record_event(frame.now,
               {.type = "FlavorCreated", .resource = flavor_name(create.id), .uid = uid.value()});
  ledger_.put(std::move(flavor));
  return ledger_.state().flavors.at(uid);
}

absl::StatusOr<Answer> Mutations::apply(const Frame& frame, const DeleteFlavor& deletion) {
  if (!frame.context.violations.empty()) return invalid_fields(frame.context.violations);
  const Flavor* found = ledger_.flavor(deletion.id);
  const std::string name = flavor_name(deletion.id);
  if (!found) return missing(name);
  SW_RETURN_IF_ERROR(check_etag(frame, name, etag_of(found->changed_at)));
  if (found->builtin) {
    return with_reason(
        failed_precondition("flavor {} is mandatory after SCS-0103 and stays", deletion.id),
        "BUILTIN_FLAVOR");
  }
  const Flavor flavor = *found;
  record_event(frame.now, {.type = "FlavorDeleted", .resource = name, .uid = flavor.uid.value()});
  ledger_.erase(flavor.uid);
  return flavor;
}

}  // namespace stellwerk::controller

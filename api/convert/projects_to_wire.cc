#include "api/convert/project_limits.h"
#include "api/convert/to_wire.h"
#include "api/convert/wire_parts.h"
#include "core/resource_names.h"

namespace stellwerk::convert {

v1::Project to_wire(const controller::ProjectView& view) {
  const Project& project = view.project;
  v1::Project wire;
  wire.set_name(project_name(project.id));
  wire.set_uid(project.uid.to_string());
  wire.set_etag(etag_of(project.changed_at));
  set_time(project.created_at, wire.mutable_create_time());
  set_map(project.labels, wire.mutable_labels());
  wire.mutable_limits();
  for (const LimitField& field : kLimitFields) {
    const auto limit = controller::value_of(project.limits, field.limit);
    if (limit) (wire.mutable_limits()->*field.set)(*limit);
    (wire.mutable_use()->*field.set_use)(controller::value_of(view.use, field.limit));
  }
  return wire;
}

v1::ListProjectsResponse to_wire(const controller::Page<controller::ProjectView>& page) {
  v1::ListProjectsResponse response;
  for (const controller::ProjectView& view : page.items) *response.add_projects() = to_wire(view);
  response.set_next_page_token(page.next_token);
  return response;
}

}  // namespace stellwerk::convert

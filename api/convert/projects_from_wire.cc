// Projects.
#include "api/convert/from_wire.h"
#include "api/convert/mask.h"
#include "api/convert/mutation_context.h"
#include "api/convert/project_limits.h"

namespace stellwerk::convert {
namespace {

constexpr std::string_view kLimits = "limits";

std::string path_of(const LimitField& field) {
  return fmt::format("{}.{}", kLimits, field.name);
}

ProjectLimits read_limits(RequestReader& reader, const v1::Project& project) {
  ProjectLimits limits;
  for (const LimitField& field : kLimitFields) {
    if (!(project.limits().*field.has)()) continue;
    const int64_t value = reader.amount({.field = "project." + path_of(field),
                                         .value = (project.limits().*field.get)(),
                                         .most = kMostBytes.count()});
    controller::set_value(limits, field.limit, value);
  }
  return limits;
}

}  // namespace

controller::Mutation to_mutation(const v1::CreateProjectRequest& request, const Origin& origin) {
  RequestReader reader;
  controller::CreateProject create;
  create.id = reader.label_id("project_id", request.project_id());
  create.labels = reader.labels("project.labels", request.project().labels());
  create.limits = read_limits(reader, request.project());
  return mutation(request, {"CreateProject", origin}, reader, std::move(create));
}

controller::Mutation to_mutation(const v1::UpdateProjectRequest& request, const Origin& origin) {
  RequestReader reader;
  const v1::Project& project = request.project();
  controller::UpdateProject update;
  update.id = reader.name("project.name", project.name(), ResourceKind::kProject).id;
  // Without a mask the limits that are set are meant, and no others.
  std::vector<Changeable> fields = {{"labels", !project.labels().empty()},
                                    {std::string(kLimits), false}};
  for (const LimitField& field : kLimitFields) {
    fields.push_back({path_of(field), (project.limits().*field.has)()});
  }
  const auto meant = read_mask(reader, request.update_mask(), fields);
  if (meant.contains("labels")) update.labels = reader.labels("project.labels", project.labels());
  update.values = read_limits(reader, project);
  for (const LimitField& field : kLimitFields) {
    const bool named = meant.contains(std::string(kLimits)) || meant.contains(path_of(field));
    if (named) update.limits.insert(field.limit);
  }
  return mutation(request, {"UpdateProject", origin}, reader, std::move(update));
}

controller::Mutation to_mutation(const v1::DeleteProjectRequest& request, const Origin& origin) {
  RequestReader reader;
  const ResourceName name = reader.name("name", request.name(), ResourceKind::kProject);
  return mutation(request, {"DeleteProject", origin}, reader,
                  controller::DeleteProject{.id = name.id});
}

}  // namespace stellwerk::convert

#include <memory>

#include "api/cli/commands.h"
#include "api/cli/exit_code.h"
#include "api/cli/format.h"
#include "api/cli/pages.h"
#include "api/cli/project_limits.h"
#include "api/cli/verbs.h"

namespace stellwerk::cli {
namespace {

using v1::Project;
using v1::Projects;

struct CreateOptions {
  std::string id;
  std::vector<std::string> labels;
  LimitOptions limits;
  MutationOptions mutation;
};

struct UpdateOptions {
  std::string id;
  std::vector<std::string> labels;
  std::vector<std::string> unlabels;
  LimitOptions limits;
  MutationOptions mutation;
};

Columns<Project> project_columns(const Context& context) {
  const WallTime now = context.now().wall;
  return {
      {"NAME", Shown::kAlways, [](const Project& p) { return Cell(id_of(p.name())); }},
      {"AGE", Shown::kAlways, [now](const Project& p) { return Cell(age(p.create_time(), now)); }},
      {"LABELS", Shown::kAlways, [](const Project& p) { return Cell(labels_text(p.labels())); }},
      {"ETAG", Shown::kWide, [](const Project& p) { return Cell(p.etag()); }},
      {"UID", Shown::kWide, [](const Project& p) { return Cell(p.uid()); }},
  };
}

KeyValues details_of(const Context& context, const Project& project) {
  KeyValues pairs = {{"Name", id_of(project.name())}, {"Labels", labels_text(project.labels())}};
  const KeyValues limits = limits_and_use(project);
  pairs.insert(pairs.end(), limits.begin(), limits.end());
  pairs.emplace_back("Created", time_and_age(project.create_time(), context.now().wall));
  pairs.emplace_back("UID", project.uid());
  pairs.emplace_back("Etag", project.etag());
  return pairs;
}

absl::Status create_project(Context& context, const CreateOptions& options) {
  v1::CreateProjectRequest request;
  request.set_project_id(options.id);
  copy_labels(options.labels, *request.mutable_project()->mutable_labels());
  SW_RETURN_IF_ERROR(read_limits(options.limits, *request.mutable_project()).status());
  request.set_request_id(claim_request_id(context, options.mutation));
  SW_ASSIGN_OR_RETURN(const Project project,
                      context.client.call(&Projects::Stub::CreateProject, request));
  print_one(context, project, project_columns(context));
  return absl::OkStatus();
}

absl::Status update_project(Context& context, const UpdateOptions& options) {
  v1::UpdateProjectRequest request;
  Project& project = *request.mutable_project();
  project.set_name(full_name("projects/", options.id));
  request.set_etag(options.mutation.etag);
  SW_ASSIGN_OR_RETURN(const std::vector<std::string> limits, read_limits(options.limits, project));
  for (const std::string& path : limits) request.mutable_update_mask()->add_paths(path);
  SW_RETURN_IF_ERROR(
      change_labels(context, options, &Projects::Stub::GetProject, project, request));
  if (request.update_mask().paths().empty()) {
    return usage_error("nothing to change is given; see stellwerk project update --help");
  }
  request.set_request_id(claim_request_id(context, options.mutation));
  SW_ASSIGN_OR_RETURN(const Project answer,
                      context.client.call(&Projects::Stub::UpdateProject, request));
  print_details(context, answer, details_of(context, answer));
  return absl::OkStatus();
}

absl::Status list_projects(Context& context) {
  SW_ASSIGN_OR_RETURN(const std::vector<Project> projects,
                      collect(context, &Projects::Stub::ListProjects, v1::ListProjectsRequest(),
                              &v1::ListProjectsResponse::mutable_projects));
  print_list(context, projects, project_columns(context));
  return absl::OkStatus();
}

absl::Status show_project(Context& context, const std::string& id) {
  SW_ASSIGN_OR_RETURN(const Project project,
                      get(context, &Projects::Stub::GetProject, full_name("projects/", id)));
  print_details(context, project, details_of(context, project));
  return absl::OkStatus();
}

absl::Status delete_project(Context& context, const DeleteOptions& options) {
  return delete_resource(context, &Projects::Stub::DeleteProject,
                         full_name("projects/", options.id), options.mutation,
                         "project {} is deleted");
}

void add_create(CLI::App* noun, Command& chosen) {
  CLI::App* verb = add_verb(noun, {"create", "Make a project",
                                   "stellwerk project create town-hall --label owner=registry \\\n"
                                   "      --limit-instances 20 --limit-vcpus shared=40"});
  auto options = std::make_shared<CreateOptions>();
  verb->add_option("NAME", options->id, "A DNS label")->required();
  add_labels(verb, options->labels);
  add_limits(verb, options->limits);
  add_request_id(verb, options->mutation);
  choose(verb, options, chosen, create_project);
}

void add_update(CLI::App* noun, Command& chosen) {
  CLI::App* verb = add_verb(noun, {"update", "Change a project's labels and limits",
                                   "stellwerk project update town-hall --limit-memory 64GiB \\\n"
                                   "      --limit-disk none --label tier=gold"});
  auto options = std::make_shared<UpdateOptions>();
  verb->add_option("NAME", options->id, "The project")->required();
  add_labels(verb, options->labels);
  add_unlabels(verb, options->unlabels);
  add_limits(verb, options->limits);
  add_mutation(verb, options, chosen, update_project);
}

}  // namespace

void add_project_commands(CLI::App& app, Command& chosen) {
  CLI::App* noun = add_noun(app, "project", "Tenants");
  add_create(noun, chosen);
  add_update(noun, chosen);
  CLI::App* list = add_verb(noun, {"list", "List the projects", "stellwerk project list"});
  list->callback([&chosen] { chosen = list_projects; });
  add_show(noun, chosen, {"show", "Show one project", "stellwerk project show default"},
           show_project);
  add_delete(
      noun, chosen,
      {"delete", "Delete a project in which nothing is left", "stellwerk project delete town-hall"},
      delete_project);
}

}  // namespace stellwerk::cli

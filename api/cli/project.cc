#include <memory>

#include "api/cli/commands.h"
#include "api/cli/format.h"
#include "api/cli/options.h"
#include "api/cli/pages.h"
#include "api/cli/print.h"

namespace stellwerk::cli {
namespace {

using v1::Project;
using v1::Projects;

struct CreateOptions {
  std::string id;
  std::vector<std::string> labels;
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

absl::Status create_project(Context& context, const CreateOptions& options) {
  v1::CreateProjectRequest request;
  request.set_project_id(options.id);
  copy_labels(options.labels, *request.mutable_project()->mutable_labels());
  request.set_request_id(claim_request_id(context, options.mutation));
  SW_ASSIGN_OR_RETURN(const Project project,
                      context.client.call(&Projects::Stub::CreateProject, request));
  print_one(context, project, project_columns(context));
  return absl::OkStatus();
}

absl::Status list_projects(Context& context) {
  std::vector<Project> projects;
  SW_RETURN_IF_ERROR(for_each_page(context, &Projects::Stub::ListProjects,
                                   v1::ListProjectsRequest(), [&](v1::ListProjectsResponse& page) {
                                     for (Project& project : *page.mutable_projects())
                                       projects.push_back(std::move(project));
                                   }));
  print_list(context, projects, project_columns(context));
  return absl::OkStatus();
}

absl::Status show_project(Context& context, const std::string& id) {
  v1::GetProjectRequest request;
  request.set_name(full_name("projects/", id));
  SW_ASSIGN_OR_RETURN(const Project project,
                      context.client.call(&Projects::Stub::GetProject, request));
  print_details(context, project,
                {{"Name", id_of(project.name())},
                 {"Labels", labels_text(project.labels())},
                 {"Created", time_and_age(project.create_time(), context.now().wall)},
                 {"UID", project.uid()},
                 {"Etag", project.etag()}});
  return absl::OkStatus();
}

absl::Status delete_project(Context& context, const std::string& id,
                            const MutationOptions& options) {
  v1::DeleteProjectRequest request;
  request.set_name(full_name("projects/", id));
  request.set_etag(options.etag);
  request.set_request_id(claim_request_id(context, options));
  SW_ASSIGN_OR_RETURN(const Project project,
                      context.client.call(&Projects::Stub::DeleteProject, request));
  print_deleted(context, project, fmt::format("project {} is deleted", id_of(project.name())));
  return absl::OkStatus();
}

void add_create(CLI::App* noun, Command& chosen) {
  CLI::App* verb = add_verb(noun, {"create", "Make a project",
                                   "stellwerk project create town-hall --label owner=registry"});
  auto options = std::make_shared<CreateOptions>();
  verb->add_option("NAME", options->id, "A DNS label")->required();
  add_labels(verb, options->labels);
  add_request_id(verb, options->mutation);
  verb->callback([options, &chosen] {
    chosen = [options](Context& context) { return create_project(context, *options); };
  });
}

}  // namespace

void add_project_commands(CLI::App& app, Command& chosen) {
  CLI::App* noun = add_noun(app, "project", "Tenants");
  add_create(noun, chosen);
  CLI::App* list = add_verb(noun, {"list", "List the projects", "stellwerk project list"});
  list->callback([&chosen] { chosen = list_projects; });
  auto id = std::make_shared<std::string>();
  CLI::App* show = add_verb(noun, {"show", "Show one project", "stellwerk project show default"});
  show->add_option("NAME", *id, "The project")->required();
  show->callback(
      [id, &chosen] { chosen = [id](Context& context) { return show_project(context, *id); }; });
  CLI::App* remove = add_verb(noun, {"delete", "Delete a project without instances and images",
                                     "stellwerk project delete town-hall"});
  auto options = std::make_shared<MutationOptions>();
  remove->add_option("NAME", *id, "The project")->required();
  add_etag(remove, *options);
  add_request_id(remove, *options);
  remove->callback([id, options, &chosen] {
    chosen = [id, options](Context& context) { return delete_project(context, *id, *options); };
  });
}

}  // namespace stellwerk::cli

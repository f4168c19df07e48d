#include "api/convert/from_wire.h"
#include "api/convert/instance_fields.h"
#include "api/convert/mutation_context.h"
#include "api/convert/reading.h"

namespace stellwerk::convert {
controller::Mutation to_mutation(const v1::StartInstanceRequest& request, const Origin& origin) {
  RequestReader reader;
  const ResourceName name = instance_named(reader, request);
  return mutation(request, {"StartInstance", origin}, reader,
                  controller::StartInstance{.project = name.project, .id = name.id});
}

controller::Mutation to_mutation(const v1::StopInstanceRequest& request, const Origin& origin) {
  RequestReader reader;
  const ResourceName name = instance_named(reader, request);
  return mutation(
      request, {"StopInstance", origin}, reader,
      controller::StopInstance{.project = name.project, .id = name.id, .hard = request.force()});
}

controller::Mutation to_mutation(const v1::RebootInstanceRequest& request, const Origin& origin) {
  RequestReader reader;
  const ResourceName name = instance_named(reader, request);
  return mutation(
      request, {"RebootInstance", origin}, reader,
      controller::RebootInstance{.project = name.project, .id = name.id, .hard = request.force()});
}

controller::Mutation to_mutation(const v1::DeleteInstanceRequest& request, const Origin& origin) {
  RequestReader reader;
  const ResourceName name = instance_named(reader, request);
  return mutation(request, {"DeleteInstance", origin}, reader,
                  controller::DeleteInstance{.project = name.project, .id = name.id});
}

absl::StatusOr<controller::Query> to_query(const v1::GetInstanceRequest& request) {
  RequestReader reader;
  ResourceName name = instance_named(reader, request);
  SW_RETURN_IF_ERROR(reader.status());
  return controller::GetInstance{.project = std::move(name.project), .id = std::move(name.id)};
}

absl::StatusOr<controller::Query> to_query(const v1::ListInstancesRequest& request) {
  RequestReader reader;
  controller::ListInstances list;
  list.project = reader.parent_or_all("parent", request.parent());
  list.page = {.size = reader.page_size(request.page_size()),
               .token = reader.page_token(request.page_token())};
  list.labels = read_label_filter(reader, request.filter());
  SW_RETURN_IF_ERROR(reader.status());
  return list;
}

}  // namespace stellwerk::convert

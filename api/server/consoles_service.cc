#include "api/server/consoles_service.h"

#include "api/server/attach_call.h"

namespace stellwerk::server {
namespace {

absl::StatusOr<InstanceUid> uid_in(const absl::StatusOr<controller::Answer>& answer,
                                   bool also_leaving) {
  if (!answer.ok()) return answer.status();
  const auto* view = std::get_if<controller::InstanceView>(&*answer);
  if (view == nullptr) return foreign_answer();
  if (view->instance.desired == DesiredState::kDeleted && !also_leaving) {
    return with_reason(not_found("instance {} is being deleted", view->instance.id),
                       "INSTANCE_DELETED");
  }
  return view->instance.uid;
}

absl::StatusOr<size_t> bytes_asked_for(const v1::GetConsoleLogRequest& request) {
  if (request.max_bytes() < 0) return invalid_fields({{"max_bytes", "is negative"}});
  if (request.max_bytes() == 0) return kConsoleHistory;
  return std::min<size_t>(request.max_bytes(), kConsoleHistory);
}

}  // namespace

void find_instance(Gateway& gateway, const ConsoleName& name,
                   std::function<void(absl::StatusOr<InstanceUid>)> done) {
  v1::GetInstanceRequest request;
  request.set_name(name.name);
  absl::StatusOr<controller::Query> query = convert::to_query(request);
  if (!query.ok()) return done(query.status());
  std::get<controller::GetInstance>(*query).uid = name.uid;
  gateway.submit(*std::move(query),
                 answered_once([done = std::move(done), also_leaving = name.also_leaving](
                                   const absl::StatusOr<controller::Answer>& answer) {
                   done(uid_in(answer, also_leaving));
                 }));
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* ConsolesService::AttachConsole(
    grpc::CallbackServerContext* context) {
  return AttachCall::start(context, environment_);
}

grpc::ServerUnaryReactor* ConsolesService::GetConsoleLog(grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request,
                                                         grpc::ByteBuffer* response) {
  const RawCall call(context, request, response);
  v1::GetConsoleLogRequest message;
  absl::Status wrong = parse(*request, &message);
  const absl::StatusOr<size_t> most = bytes_asked_for(message);
  if (wrong.ok()) wrong = most.status();
  if (!wrong.ok()) {
    finish(call, wrong);
    return call.reactor;
  }
  find_instance(
      environment_.gateway, {.name = message.name(), .also_leaving = true},
      [call, most = *most, environment = environment_](const absl::StatusOr<InstanceUid>& uid) {
        if (!uid.ok()) return finish(call, uid.status());
        environment.gateway.run_blocking([call, most, environment, uid = *uid] {
          absl::StatusOr<std::string> text = environment.consoles.log(uid, most);
          if (!text.ok()) return finish(call, text.status());
          v1::GetConsoleLogResponse answer;
          answer.set_log(*std::move(text));
          finish(call, answer);
        });
      });
  return call.reactor;
}

}  // namespace stellwerk::server

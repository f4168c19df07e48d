#include "api/client/console_session.h"

#include "api/client/error.h"

namespace stellwerk::client {

ConsoleSession::ConsoleSession(Client& client, const v1::AttachConsoleRequest::Start& start)
    : client_(client), stream_(client.stub<v1::Consoles::Stub>().AttachConsole(&context_)) {
  v1::AttachConsoleRequest request;
  *request.mutable_start() = start;
  stream_->Write(request);
}

ConsoleSession::~ConsoleSession() {
  if (finished_) return;
  cancel();
  while (read()) {
  }
  finish().IgnoreError();
}

std::optional<v1::AttachConsoleResponse> ConsoleSession::read() {
  v1::AttachConsoleResponse response;
  if (!stream_->Read(&response)) return std::nullopt;
  return response;
}

bool ConsoleSession::type(std::string_view bytes) {
  v1::AttachConsoleRequest request;
  request.set_input(bytes.data(), bytes.size());
  return stream_->Write(request);
}

void ConsoleSession::end_input() {
  stream_->WritesDone();
}

void ConsoleSession::cancel() {
  context_.TryCancel();
}

absl::Status ConsoleSession::finish() {
  finished_ = true;
  const absl::Status status = from_grpc(stream_->Finish());
  if (!absl::IsUnavailable(status) || reason_of(status)) return status;
  if (const auto problem = socket_problem(client_.endpoint())) return *problem;
  return annotate(status, "the connection to the daemon has ended");
}

}  // namespace stellwerk::client

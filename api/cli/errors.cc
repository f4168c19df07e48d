#include "api/cli/errors.h"

#include "api/cli/exit_code.h"
#include "api/cli/table.h"
#include "api/client/endpoint.h"
#include "api/client/error.h"

namespace stellwerk::cli {

std::string_view hint_for(const absl::Status& status) {
  const std::string reason = reason_of(status).value_or("");
  if (reason == client::kSocketDenied) return "become root, or a member of the group stellwerk";
  if (reason == client::kSocketMissing || reason == client::kSocketRefused) {
    return "is stellwerkd running? another socket: --endpoint or STELLWERK_ENDPOINT";
  }
  if (reason == client::kNotASocket) {
    return "give the daemon's socket with --endpoint or STELLWERK_ENDPOINT";
  }
  if (reason == kWaitTimedOutReason) {
    return "it goes on without you; look again with show, or wait longer with --timeout";
  }
  if (reason == "QUOTA_EXCEEDED") return "project show tells limits and use side by side";
  if (reason == "ADDRESSES_EXHAUSTED") return "network show tells how many ports it has";
  if (reason == "CONSOLE_BUSY") return "--read-only watches, --force takes over";
  if (reason == "REQUEST_ID_REUSED") return "use another --request-id, or none";
  switch (status.code()) {
    case absl::StatusCode::kOutOfRange:
      return "list what there is, then watch without --from";
    case absl::StatusCode::kAborted:
      return "look at what changed, then try again";
    case absl::StatusCode::kResourceExhausted:
      if (is_limit_of_daemon(status)) return "";
      return "see host list for what is free, or delete what is not needed";
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return "this is a defect: the daemon's log tells more";
    default:
      return "";
  }
}

void print_error(std::ostream& err, const absl::Status& status, const std::string& request_id) {
  if (status.ok()) return;
  const auto violations = violations_of(status);
  const bool is_list = !violations.empty() && reason_of(status) != kUsageReason;
  err << "error: " << (is_list ? "the request has mistakes" : Cell(message_of(status)).text())
      << '\n';
  for (const FieldViolation& violation : violations) {
    err << "  " << Cell(violation.field).text() << ": " << Cell(violation.description).text()
        << '\n';
  }
  const std::string_view hint = hint_for(status);
  if (!hint.empty()) err << "hint: " << hint << '\n';
  if (client::is_outcome_unknown(status) && !request_id.empty()) {
    err << "hint: it may have been carried out; repeat it with --request-id " << request_id
        << " to learn, without doing it twice\n";
  }
  err << std::flush;
}

}  // namespace stellwerk::cli

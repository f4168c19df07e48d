#include "orchestrator/controller/mutations.h"

#include <utility>

#include "core/overloaded.h"
#include "core/validate.h"
#include "orchestrator/controller/frame.h"
#include "orchestrator/controller/mutation_names.h"
#include "orchestrator/controller/views.h"

namespace stellwerk::controller {
namespace {

// What is kept of an answer; lists are never answers of mutations.
std::optional<std::pair<records::Kept, Observed>> kept_part(const Answer& answer) {
  using Kept = std::pair<records::Kept, Observed>;
  return std::visit(
      Overloaded{[](const InstanceView& view) {
                   return std::optional(Kept(view.instance, view.observed));
                 },
                 [](const InstancesView& view) {
                   records::Booking booking;
                   for (const InstanceView& one : view.instances) {
                     booking.instances.push_back({one.instance.uid, one.instance.id});
                   }
                   return std::optional(Kept(std::move(booking), {}));
                 },
                 [](const ImageView& view) { return std::optional(Kept(view.image, {})); },
                 [](const Flavor& flavor) { return std::optional(Kept(flavor, {})); },
                 [](const ProjectView& view) { return std::optional(Kept(view.project, {})); },
                 [](const NetworkView& view) { return std::optional(Kept(view.network, {})); },
                 [](const HostView& view) { return std::optional(Kept(view.host, {})); },
                 [](const SiteView& view) { return std::optional(Kept(view.site, {})); },
                 [](const ZoneView& view) { return std::optional(Kept(view.zone, {})); },
                 [](const FeedView& view) { return std::optional(Kept(view.feed, {})); },
                 [](const RackView& view) { return std::optional(Kept(view.rack, {})); },
                 [](const GroupView& view) { return std::optional(Kept(view.group, {})); },
                 [](const auto&) { return std::optional<Kept>(); }},
      answer);
}

}  // namespace

absl::StatusOr<Answer> Mutations::decide(const Mutation& mutation, Now now) {
  Frame frame{.context = mutation.context,
              .now = now,
              .method = std::string(method_of(mutation.body)),
              .sequence = ledger_.pending_sequence()};
  // Named before anything is carried out: a deletion takes the name away.
  const std::string resource = resource_of(mutation.body, ledger_);
  const absl::Status scope = find_scope(frame, mutation.body);
  const absl::StatusOr<std::optional<Answer>> first =
      scope.ok() ? repeated(frame, mutation.body) : scope;
  if (first.ok() && *first) return **first;
  caller_ = frame.context.caller;
  const absl::StatusOr<Answer> answer =
      first.ok() ? carry_out(frame, mutation.body) : absl::StatusOr<Answer>(first.status());
  caller_.clear();
  ledger_.record(AuditEntry{.time = now.wall,
                            .caller = frame.context.caller,
                            .method = frame.method,
                            .resource = resource,
                            .request_id = frame.context.request_id,
                            .outcome = absl::StatusCodeToString(answer.status().code()),
                            .message = std::string(message_of(answer.status()))});
  return answer;
}

absl::Status Mutations::find_scope(Frame& frame, const MutationBody& body) const {
  frame.scope = ledger_.state().cell->uid.value();
  std::optional<std::string> project_id = project_of(body, ledger_);
  if (!project_id) return absl::OkStatus();
  frame.project = *std::move(project_id);
  const Project* project = ledger_.project(frame.project);
  if (project) {
    frame.project_uid = project->uid;
    frame.scope = project->uid.value();
    return absl::OkStatus();
  }
  if (!frame.context.violations.empty()) return invalid_fields(frame.context.violations);
  return with_reason(
      not_found("project {} does not exist; create it or name another", quoted(frame.project)),
      "NOT_FOUND");
}

absl::StatusOr<std::optional<Answer>> Mutations::repeated(const Frame& frame,
                                                          const MutationBody& body) const {
  // The end of an import bears the request id of its beginning.
  if (std::holds_alternative<FinishImageImport>(body)) return std::nullopt;
  const RequestKey key{frame.scope, frame.context.request_id};
  if (imports_under_way_.contains(key)) {
    return with_reason(aborted("an import with request id {} is under way; wait for it",
                               frame.context.request_id.to_string()),
                       "IMPORT_UNDER_WAY");
  }
  const auto& requests = ledger_.state().requests;
  const auto found = requests.find(key);
  if (found == requests.end()) return std::nullopt;
  const records::RequestRecord& request = found->second;
  if (request.method != frame.method || request.body != frame.context.body) {
    return with_reason(already_exists("request id {} was used for another request ({}) at {}; "
                                      "make a new id for a new request",
                                      frame.context.request_id.to_string(), request.method,
                                      to_rfc3339(request.answered_at)),
                       "REQUEST_ID_REUSED");
  }
  return std::visit(
      Overloaded{[&](const Instance& instance) -> Answer {
                   return view_of(instance, ledger_, request.observed);
                 },
                 [&](const Network& network) -> Answer {
                   return view_of(network, frame.project, ledger_);
                 },
                 [&](const Host& host) -> Answer { return view_of(host, ledger_, book_); },
                 [](const Flavor& flavor) -> Answer { return flavor; },
                 [&](const records::Booking& booking) -> Answer {
                   return view_of_booking(frame, booking);
                 },
                 [&](const auto& resource) -> Answer { return view_of(resource, ledger_); }},
      request.resource);
}

absl::StatusOr<Answer> Mutations::carry_out(const Frame& frame, const MutationBody& body) {
  const auto answer =
      std::visit([&](const auto& mutation) { return apply(frame, mutation); }, body);
  if (answer.ok() && !std::holds_alternative<BeginImageImport>(body)) remember(frame, *answer);
  return answer;
}

void Mutations::remember(const Frame& frame, const Answer& answer) {
  auto kept = kept_part(answer);
  if (!kept) return;
  ledger_.remember({.scope = frame.scope,
                    .request_id = frame.context.request_id,
                    .method = frame.method,
                    .body = frame.context.body,
                    .answered_at = frame.now.wall,
                    .resource = std::move(kept->first),
                    .observed = std::move(kept->second)});
}

void Mutations::record_event(Now now, Event event) {
  event.time = now.wall;
  event.caller = caller_;
  ledger_.record(std::move(event));
}

absl::Status Mutations::check_etag(const Frame& frame, const std::string& resource,
                                   const std::string& current) {
  const std::string& etag = frame.context.etag;
  if (etag.empty() || etag == current) return absl::OkStatus();
  return with_reason(
      aborted("{} has changed: its etag is {}, not {}; read it again and decide anew", resource,
              quoted(current), quoted(etag)),
      "ETAG_MISMATCH");
}

}  // namespace stellwerk::controller

#include "core/overloaded.h"
#include "orchestrator/records/wire.h"

namespace stellwerk::records {

void to_wire(const Cell& from, wire::Cell& to) {
  to.set_uid(uuid_to_wire(from.uid.value()));
  to.set_created_at(time_to_wire(from.created_at));
  to.set_next_mac(from.next_mac);
}

Cell from_wire(const wire::Cell& from) {
  return {.uid = CellUid(uuid_from_wire(from.uid())),
          .created_at = time_from_wire(from.created_at()),
          .next_mac = from.next_mac()};
}

namespace {

void booking_to_wire(const Booking& from, wire::Booking& to) {
  for (const Booking::Booked& one : from.instances) {
    wire::Booking::Booked* added = to.add_instances();
    added->set_uid(uuid_to_wire(one.uid.value()));
    added->set_id(one.id);
  }
}

Booking booking_from_wire(const wire::Booking& from) {
  Booking to;
  for (const wire::Booking::Booked& one : from.instances()) {
    to.instances.push_back({uid_from_wire<InstanceUid>(one.uid()), one.id()});
  }
  return to;
}

}  // namespace

void to_wire(const RequestRecord& from, wire::Request& to) {
  to.set_scope(uuid_to_wire(from.scope));
  to.set_request_id(uuid_to_wire(from.request_id.value()));
  to.set_method(from.method);
  to.set_body_sha256(std::string(from.body.begin(), from.body.end()));
  to.set_answered_at(time_to_wire(from.answered_at));
  std::visit(Overloaded{[&](const Instance& r) { to_wire(r, *to.mutable_instance()); },
                        [&](const Image& r) { to_wire(r, *to.mutable_image()); },
                        [&](const Flavor& r) { to_wire(r, *to.mutable_flavor()); },
                        [&](const Project& r) { to_wire(r, *to.mutable_project()); },
                        [&](const Network& r) { to_wire(r, *to.mutable_network()); },
                        [&](const Host& r) { to_wire(r, *to.mutable_host()); },
                        [&](const Site& r) { to_wire(r, *to.mutable_site()); },
                        [&](const Zone& r) { to_wire(r, *to.mutable_zone()); },
                        [&](const Rack& r) { to_wire(r, *to.mutable_rack()); },
                        [&](const Feed& r) { to_wire(r, *to.mutable_feed()); },
                        [&](const Group& r) { to_wire(r, *to.mutable_group()); },
                        [&](const Booking& r) { booking_to_wire(r, *to.mutable_booking()); }},
             from.resource);
  to_wire(from.observed, *to.mutable_observed());
}

namespace {

Kept resource_from_wire(const wire::Request& from) {
  switch (from.resource_case()) {
    case wire::Request::kInstance:
      return from_wire(from.instance());
    case wire::Request::kImage:
      return from_wire(from.image());
    case wire::Request::kFlavor:
      return from_wire(from.flavor());
    case wire::Request::kProject:
      return from_wire(from.project());
    case wire::Request::kNetwork:
      return from_wire(from.network());
    case wire::Request::kHost:
      return from_wire(from.host());
    case wire::Request::kSite:
      return from_wire(from.site());
    case wire::Request::kZone:
      return from_wire(from.zone());
    case wire::Request::kRack:
      return from_wire(from.rack());
    case wire::Request::kFeed:
      return from_wire(from.feed());
    case wire::Request::kGroup:
      return from_wire(from.group());
    case wire::Request::kBooking:
      return booking_from_wire(from.booking());
    case wire::Request::RESOURCE_NOT_SET:
      return Instance{};
  }
  return Instance{};
}

}  // namespace

RequestRecord from_wire(const wire::Request& from) {
  return {.scope = uuid_from_wire(from.scope()),
          .request_id = RequestId(uuid_from_wire(from.request_id())),
          .method = from.method(),
          .body = array_from_wire<32>(from.body_sha256()),
          .answered_at = time_from_wire(from.answered_at()),
          .resource = resource_from_wire(from),
          .observed = from_wire(from.observed())};
}

namespace {

void event_to_wire(const Event& from, wire::Event& to) {
  to.set_time(time_to_wire(from.time));
  to.set_type(from.type);
  to.set_project_id(from.project_id);
  to.set_resource(from.resource);
  to.set_uid(uuid_to_wire(from.uid));
  to.set_reason(from.reason);
  to.set_message(from.message);
  to.set_caller(from.caller);
}

void audit_entry_to_wire(const AuditEntry& from, wire::AuditEntry& to) {
  to.set_time(time_to_wire(from.time));
  to.set_caller(from.caller);
  to.set_method(from.method);
  to.set_resource(from.resource);
  to.set_request_id(uuid_to_wire(from.request_id.value()));
  to.set_outcome(from.outcome);
  to.set_message(from.message);
}

Event event_from_wire(const wire::Event& from) {
  return {.time = time_from_wire(from.time()),
          .type = from.type(),
          .project_id = from.project_id(),
          .resource = from.resource(),
          .uid = uuid_from_wire(from.uid()),
          .reason = from.reason(),
          .message = from.message(),
          .caller = from.caller()};
}

AuditEntry audit_entry_from_wire(const wire::AuditEntry& from) {
  return {.time = time_from_wire(from.time()),
          .caller = from.caller(),
          .method = from.method(),
          .resource = from.resource(),
          .request_id = RequestId(uuid_from_wire(from.request_id())),
          .outcome = from.outcome(),
          .message = from.message()};
}

}  // namespace

void to_wire(const LogRecord& from, wire::Log& to) {
  to.set_sequence(from.sequence.value());
  for (const Event& event : from.events) event_to_wire(event, *to.add_events());
  for (const AuditEntry& entry : from.audit) audit_entry_to_wire(entry, *to.add_audit());
}

LogRecord from_wire(const wire::Log& from) {
  LogRecord to{.sequence = Sequence(from.sequence()), .events = {}, .audit = {}};
  for (const wire::Event& event : from.events()) to.events.push_back(event_from_wire(event));
  for (const wire::AuditEntry& entry : from.audit()) {
    to.audit.push_back(audit_entry_from_wire(entry));
  }
  return to;
}

}  // namespace stellwerk::records

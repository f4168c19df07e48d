// What callers are shown of the cell: decisions from the ledger, observations from the host book.
// Pure.
#pragma once

#include "orchestrator/controller/host_book.h"
#include "orchestrator/controller/ledger.h"
#include "orchestrator/controller/requests.h"

namespace stellwerk::controller {

InstanceView view_of(const Instance& instance, const Ledger& ledger, const HostBook& book,
                     MonotonicTime now);
// With an observation from the past, for repeated requests.
InstanceView view_of(const Instance& instance, const Ledger& ledger, Observed observed);
ImageView view_of(const Image& image, const Ledger& ledger);
HostView view_of(const Host& host, const Ledger& ledger, const HostBook& book);

// "projects/default/instances/web-1": the names of resources in events and messages.
std::string instance_name(std::string_view project, std::string_view id);
std::string image_name(std::string_view project, std::string_view id);
std::string project_name(std::string_view id);
std::string flavor_name(std::string_view id);
std::string host_name(std::string_view id);

}  // namespace stellwerk::controller

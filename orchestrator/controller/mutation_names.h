// What a mutation is called in the audit log and what it works on.
#pragma once

#include <string>
#include <string_view>

#include "orchestrator/controller/ledger.h"
#include "orchestrator/controller/requests.h"

namespace stellwerk::controller {

std::string_view method_of(const MutationBody& body);
std::string resource_of(const MutationBody& body, const Ledger& ledger);
// Whether it concerns a resource of a project, and that project's id.
bool belongs_to_project(const MutationBody& body);
std::string project_of(const MutationBody& body, const Ledger& ledger);

}  // namespace stellwerk::controller

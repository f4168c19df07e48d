// What a mutation is called in the audit log and what it works on.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "orchestrator/controller/ledger.h"
#include "orchestrator/controller/requests.h"

namespace stellwerk::controller {

std::string_view method_of(const MutationBody& body);
std::string resource_of(const MutationBody& body, const Ledger& ledger);
// The id of the project whose resource it concerns; empty if that resource is gone, none for what
// belongs to the cell.
std::optional<std::string> project_of(const MutationBody& body, const Ledger& ledger);

}  // namespace stellwerk::controller

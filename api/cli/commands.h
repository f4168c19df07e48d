// The nouns. Each function adds its noun with all verbs; the verb that the command line names
// fills `chosen`.
#pragma once

#include <CLI/CLI.hpp>

#include "api/cli/context.h"

namespace stellwerk::cli {

void add_instance_commands(CLI::App& app, Command& chosen);
void add_explain_command(CLI::App& app, Command& chosen);
void add_image_commands(CLI::App& app, Command& chosen);
void add_network_commands(CLI::App& app, Command& chosen);
void add_flavor_commands(CLI::App& app, Command& chosen);
void add_host_commands(CLI::App& app, Command& chosen);
void add_project_commands(CLI::App& app, Command& chosen);
// Sites, zones, racks, feeds.
void add_topology_commands(CLI::App& app, Command& chosen);
void add_group_commands(CLI::App& app, Command& chosen);
void add_event_commands(CLI::App& app, Command& chosen);
// Without verbs:
void add_doctor_command(CLI::App& app, Command& chosen);
void add_top_command(CLI::App& app, Command& chosen);
void add_simulate_command(CLI::App& app, Command& chosen);
void add_shell_commands(CLI::App& app, Command& chosen);

}  // namespace stellwerk::cli

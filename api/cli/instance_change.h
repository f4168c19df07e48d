// What the commands that change an instance share: its name, --wait, and one request that is
// answered with an instance.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>

#include "api/cli/commands.h"
#include "api/cli/verbs.h"
#include "api/cli/wait.h"

namespace stellwerk::cli {

struct WaitOptions {
  bool wait = false;
  int64_t timeout_seconds = 300;
};

struct ChangeOptions {
  std::string id;
  bool force = false;
  MutationOptions mutation;
  WaitOptions wait;
};

std::string instance_name(const Context& context, std::string_view id);
void add_wait(CLI::App* verb, WaitOptions& options);
absl::StatusOr<v1::Instance> wait_if_asked(Context& context, const WaitOptions& options, Goal goal,
                                           const v1::Instance& answer);

// Start, stop, reboot, reset and delete: one request shape but for `force`.
template <class Request>
absl::StatusOr<v1::Instance> change(Context& context, const ChangeOptions& options, Goal goal,
                                    grpc::Status (v1::Instances::Stub::*method)(
                                        grpc::ClientContext*, const Request&, v1::Instance*)) {
  auto request =
      mutation_of<Request>(context, instance_name(context, options.id), options.mutation);
  if constexpr (requires { request.set_force(true); }) request.set_force(options.force);
  SW_ASSIGN_OR_RETURN(const v1::Instance answer, context.client.call(method, request));
  return wait_if_asked(context, options.wait, goal, answer);
}

// rename, update and resize.
void add_life_commands(CLI::App* noun, Command& chosen);

}  // namespace stellwerk::cli

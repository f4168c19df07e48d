// What verbs of several nouns share: how they are chosen, and requests that differ in the noun
// alone. One thread.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

#include "api/cli/format.h"
#include "api/cli/options.h"
#include "api/cli/print.h"

namespace stellwerk::cli {

// If the command line names `verb`, `chosen` is `action` with these options.
template <class Options, class Action>
void choose(CLI::App* verb, const std::shared_ptr<Options>& options, Command& chosen,
            Action action) {
  verb->callback([options, action, &chosen] {
    chosen = [options, action](Context& context) { return action(context, *options); };
  });
}

// A verb that changes what is there already: with --etag and --request-id.
template <class Options, class Action>
void add_mutation(CLI::App* verb, const std::shared_ptr<Options>& options, Command& chosen,
                  Action action) {
  add_etag(verb, options->mutation);
  add_request_id(verb, options->mutation);
  choose(verb, options, chosen, action);
}

void add_show(CLI::App* noun, Command& chosen, const VerbText& text,
              absl::Status (*action)(Context&, const std::string& id));

struct DeleteOptions {
  std::string id;
  MutationOptions mutation;
};
void add_delete(CLI::App* noun, Command& chosen, const VerbText& text,
                absl::Status (*action)(Context&, const DeleteOptions&));

// The resource of this full name.
template <class Stub, class Request, class Resource>
absl::StatusOr<Resource> get(Context& context,
                             grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                          Resource*),
                             const std::string& name) {
  Request request;
  request.set_name(name);
  return context.client.call(method, request);
}

// A request to change the resource of this full name, about to be sent.
template <class Request>
Request mutation_of(Context& context, const std::string& name, const MutationOptions& options) {
  Request request;
  request.set_name(name);
  request.set_etag(options.etag);
  request.set_request_id(claim_request_id(context, options));
  return request;
}

// Deletes the resource of this full name. `sentence` says so for people, with a place for its id.
template <class Stub, class Request, class Resource>
absl::Status delete_resource(Context& context,
                             grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                          Resource*),
                             const std::string& name, const MutationOptions& options,
                             fmt::format_string<std::string> sentence) {
  const auto request = mutation_of<Request>(context, name, options);
  SW_ASSIGN_OR_RETURN(const Resource resource, context.client.call(method, request));
  print_deleted(context, resource, fmt::format(sentence, id_of(resource.name())));
  return absl::OkStatus();
}

// Puts into the update of `resource` the labels that it has now, with the changes that are asked
// for. Unless the caller gave an etag, the one that was read keeps another's change from being
// undone.
template <class Options, class Stub, class Get, class Resource, class Update>
absl::Status change_labels(Context& context, const Options& options,
                           grpc::Status (Stub::*method)(grpc::ClientContext*, const Get&,
                                                        Resource*),
                           Resource& resource, Update& update) {
  if (options.labels.empty() && options.unlabels.empty()) return absl::OkStatus();
  SW_ASSIGN_OR_RETURN(const Resource present, get(context, method, resource.name()));
  auto& labels = *resource.mutable_labels();
  labels = present.labels();
  for (const std::string& key : options.unlabels) labels.erase(key);
  copy_labels(options.labels, labels);
  if (options.mutation.etag.empty()) update.set_etag(present.etag());
  update.mutable_update_mask()->add_paths("labels");
  return absl::OkStatus();
}

}  // namespace stellwerk::cli

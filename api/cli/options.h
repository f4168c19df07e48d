// Options that several verbs share.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "api/cli/context.h"
#include "api/cli/size.h"

namespace stellwerk::cli {

struct VerbText {
  const char* name;
  const char* description;
  const char* example;  // a whole command line
};

// A noun with its verbs, one of which must be given.
CLI::App* add_noun(CLI::App& app, const char* name, const char* description);
CLI::App* add_verb(CLI::App* noun, const VerbText& text);

struct MutationOptions {
  std::string request_id;
  std::string etag;
};
void add_request_id(CLI::App* verb, MutationOptions& options);
void add_etag(CLI::App* verb, MutationOptions& options);
// The request id of the mutation that is about to be sent; remembered for error messages.
std::string claim_request_id(Context& context, const MutationOptions& options);

// A size that is checked while the command line is read; empty: not given.
CLI::Option* add_size(CLI::App* verb, const char* name, std::string& value, const char* help);
// Zero when not given.
int64_t bytes_of(const std::string& size);

struct OptionText {
  const char* name;  // with its dashes
  const char* type;  // what stands for its value
  const char* help;
};
// An option that may be repeated, each time with one value.
CLI::Option* add_repeated(CLI::App* verb, const OptionText& text, std::vector<std::string>& values);
// An option KEY=VALUE, repeated.
void add_pairs(CLI::App* verb, const char* name, std::vector<std::string>& values,
               const char* help);
// --label k=v, repeated.
void add_labels(CLI::App* verb, std::vector<std::string>& values);
// --unlabel k, repeated.
void add_unlabels(CLI::App* verb, std::vector<std::string>& keys);
// Each replaces the value that its key has.
template <class Map>
void copy_labels(const std::vector<std::string>& values, Map& labels) {
  for (const std::string& value : values) {
    const size_t equals = value.find('=');
    labels[value.substr(0, equals)] = value.substr(equals + 1);
  }
}

std::string project_name(const Context& context);

}  // namespace stellwerk::cli

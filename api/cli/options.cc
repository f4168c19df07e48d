#include "api/cli/options.h"

#include <fmt/format.h>

#include "api/client/request_id.h"
#include "core/ids.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

std::string check_request_id(const std::string& text) {
  if (Uuid::parse(text)) return "";
  return fmt::format("{} is not a UUID, such as 5f0c6e0e-6f0b-4c0e-9b8e-2f6a1d3c4b5a",
                     stellwerk::quoted(text));
}

std::string check_size(const std::string& text) {
  const auto size = parse_size(text);
  return size.ok() ? "" : std::string(message_of(size.status()));
}

std::string check_label(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals != std::string::npos && equals > 0) return "";
  return fmt::format("{} is not KEY=VALUE", stellwerk::quoted(text));
}

}  // namespace

CLI::App* add_noun(CLI::App& app, const char* name, const char* description) {
  CLI::App* noun = app.add_subcommand(name, description);
  noun->require_subcommand(1);
  return noun;
}

CLI::App* add_verb(CLI::App* noun, const VerbText& text) {
  CLI::App* verb = noun->add_subcommand(text.name, text.description);
  verb->footer(fmt::format("Example:\n  {}\n\nGlobal options and exit codes: stellwerk --help",
                           text.example));
  return verb;
}

void add_request_id(CLI::App* verb, MutationOptions& options) {
  verb->add_option("--request-id", options.request_id,
                   "Identity of this request: repeated with the same one, it is carried out once")
      ->type_name("UUID")
      ->check(CLI::Validator(check_request_id, ""));
}

void add_etag(CLI::App* verb, MutationOptions& options) {
  verb->add_option("--etag", options.etag, "Refuse if the resource has changed since")
      ->type_name("ETAG");
}

std::string claim_request_id(Context& context, const MutationOptions& options) {
  context.request_id = options.request_id.empty() ? client::fresh_request_id() : options.request_id;
  return context.request_id;
}

CLI::Option* add_size(CLI::App* verb, const char* name, std::string& value, const char* help) {
  return verb->add_option(name, value, help)
      ->type_name("SIZE")
      ->check(CLI::Validator(check_size, ""));
}

int64_t bytes_of(const std::string& size) {
  const auto parsed = parse_size(size);
  return parsed.ok() ? parsed->count() : 0;
}

CLI::Option* add_repeated(CLI::App* verb, const OptionText& text,
                          std::vector<std::string>& values) {
  return verb->add_option(text.name, values, text.help)
      ->type_name(text.type)
      ->allow_extra_args(false);
}

void add_pairs(CLI::App* verb, const char* name, std::vector<std::string>& values,
               const char* help) {
  add_repeated(verb, {name, "KEY=VALUE", help}, values)->check(CLI::Validator(check_label, ""));
}

void add_labels(CLI::App* verb, std::vector<std::string>& values) {
  add_pairs(verb, "--label", values, "A label; may be repeated");
}

void add_unlabels(CLI::App* verb, std::vector<std::string>& keys) {
  add_repeated(verb, {"--unlabel", "KEY", "A label to take away; may be repeated"}, keys);
}

std::string project_name(const Context& context) {
  return "projects/" + context.project;
}

}  // namespace stellwerk::cli

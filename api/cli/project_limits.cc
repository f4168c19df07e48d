#include "api/cli/project_limits.h"

#include "api/cli/exit_code.h"
#include "api/cli/format.h"
#include "api/cli/options.h"
#include "api/cli/size.h"
#include "core/parse_number.h"
#include "core/validate.h"

namespace stellwerk::cli {
namespace {

using Limits = v1::Project::Limits;
using Use = v1::Project::Use;

constexpr std::string_view kNone = "none";

struct Field {
  const char* label;
  const char* path;
  const char* cpu_class;  // null: not of vCPUs
  bool is_bytes;
  bool (Limits::*has)() const;
  int64_t (Limits::*get)() const;
  void (Limits::*set)(int64_t);
  int64_t (Use::*used)() const;
};

#define SW_FIELD(label, name, cpu_class, is_bytes)                                   \
  Field {                                                                            \
    label, "limits." #name, cpu_class, is_bytes, &Limits::has_##name, &Limits::name, \
        &Limits::set_##name, &Use::name                                              \
  }
constexpr Field kFields[] = {
    SW_FIELD("Instances", instances, nullptr, false),
    SW_FIELD("Low-performance vCPUs", low_performance_vcpus, "low-performance", false),
    SW_FIELD("Shared vCPUs", shared_vcpus, "shared", false),
    SW_FIELD("Dedicated threads", dedicated_threads, "dedicated-thread", false),
    SW_FIELD("Dedicated cores", dedicated_cores, "dedicated-core", false),
    SW_FIELD("Memory", memory_bytes, nullptr, true),
    SW_FIELD("Disk", disk_bytes, nullptr, true),
    SW_FIELD("Addresses", addresses, nullptr, false),
};
#undef SW_FIELD

const Field& field_of(std::string_view path) {
  for (const Field& field : kFields) {
    if (path == field.path) return field;
  }
  std::abort();  // a path that no field has
}

struct Given {
  const Field& field;
  std::string option;
  const std::string& text;
};

absl::StatusOr<int64_t> value_of(const Given& given) {
  if (given.field.is_bytes) {
    const auto size = parse_size(given.text);
    if (size.ok()) return size->count();
    return usage_error("{}: {}, or none", given.option, message_of(size.status()));
  }
  const auto number = parse_number<int64_t>(given.text);
  if (number && *number >= 0) return *number;
  return usage_error("{}: {} is no number; give one such as 10, or none", given.option,
                     stellwerk::quoted(given.text));
}

absl::Status read_one(const Given& given, Limits& limits, std::vector<std::string>& paths) {
  if (given.text.empty()) return absl::OkStatus();
  paths.emplace_back(given.field.path);
  if (given.text == kNone) return absl::OkStatus();
  SW_ASSIGN_OR_RETURN(const int64_t value, value_of(given));
  (limits.*given.field.set)(value);
  return absl::OkStatus();
}

absl::Status read_vcpus(const std::string& text, Limits& limits, std::vector<std::string>& paths) {
  const size_t equals = text.find('=');
  for (const Field& field : kFields) {
    if (field.cpu_class == nullptr || text.substr(0, equals) != field.cpu_class) continue;
    if (equals == std::string::npos) break;
    const std::string value = text.substr(equals + 1);
    if (value.empty()) break;
    return read_one({field, "--limit-vcpus", value}, limits, paths);
  }
  return usage_error(
      "--limit-vcpus: {} is not CLASS=NUMBER; classes are low-performance, shared, "
      "dedicated-thread and dedicated-core",
      stellwerk::quoted(text));
}

std::string amount(const Field& field, int64_t value) {
  return field.is_bytes ? to_string(Bytes(value)) : std::to_string(value);
}

}  // namespace

void add_limits(CLI::App* verb, LimitOptions& options) {
  verb->add_option("--limit-instances", options.instances, "Most instances; none: no limit")
      ->type_name("NUMBER");
  add_repeated(verb, {"--limit-vcpus", "CLASS=NUMBER", "Most vCPUs of a class; may be repeated"},
               options.vcpus);
  verb->add_option("--limit-memory", options.memory, "Most memory of guests")->type_name("SIZE");
  verb->add_option("--limit-disk", options.disk, "Most disk of guests")->type_name("SIZE");
  verb->add_option("--limit-addresses", options.addresses, "Most IP addresses")
      ->type_name("NUMBER");
}

absl::StatusOr<std::vector<std::string>> read_limits(const LimitOptions& options,
                                                     v1::Project& project) {
  Limits limits;
  std::vector<std::string> paths;
  const auto read = [&](const char* path, const char* option, const std::string& text) {
    return read_one({field_of(path), option, text}, limits, paths);
  };
  SW_RETURN_IF_ERROR(read("limits.instances", "--limit-instances", options.instances));
  for (const std::string& text : options.vcpus) {
    SW_RETURN_IF_ERROR(read_vcpus(text, limits, paths));
  }
  SW_RETURN_IF_ERROR(read("limits.memory_bytes", "--limit-memory", options.memory));
  SW_RETURN_IF_ERROR(read("limits.disk_bytes", "--limit-disk", options.disk));
  SW_RETURN_IF_ERROR(read("limits.addresses", "--limit-addresses", options.addresses));
  if (!paths.empty()) *project.mutable_limits() = limits;
  return paths;
}

KeyValues limits_and_use(const v1::Project& project) {
  KeyValues pairs;
  for (const Field& field : kFields) {
    const std::string used = amount(field, (project.use().*field.used)());
    const bool limited = (project.limits().*field.has)();
    const int64_t most = (project.limits().*field.get)();
    const bool full = limited && (project.use().*field.used)() >= most;
    pairs.emplace_back(field.label, limited
                                        ? Cell(fmt::format("{} of {}", used, amount(field, most)),
                                               full ? Style::kBad : Style::kPlain)
                                        : Cell(used + ", no limit"));
  }
  return pairs;
}

}  // namespace stellwerk::cli

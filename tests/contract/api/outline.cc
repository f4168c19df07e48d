#include "outline.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string_view>

namespace stellwerk::api_contract {
namespace {

namespace pb = google::protobuf;

std::string type_name(const pb::FieldDescriptor& field) {
  if (field.is_map()) {
    return fmt::format("map<{},{}>", type_name(*field.message_type()->map_key()),
                       type_name(*field.message_type()->map_value()));
  }
  if (field.message_type() != nullptr) return field.message_type()->full_name();
  if (field.enum_type() != nullptr) return field.enum_type()->full_name();
  return field.type_name();
}

std::string_view label(const pb::FieldDescriptor& field) {
  if (field.is_repeated()) return "repeated";
  return field.has_optional_keyword() ? "optional" : "single";
}

std::string_view streaming(const pb::MethodDescriptor& method) {
  if (method.client_streaming()) return method.server_streaming() ? "both" : "request";
  return method.server_streaming() ? "response" : "none";
}

void add_enum(const pb::EnumDescriptor& type, Outline& lines) {
  lines.push_back(fmt::format("enum {}:", type.full_name()));
  for (int i = 0; i < type.value_count(); ++i) {
    lines.push_back(fmt::format("value {} {}: number={}", type.full_name(), type.value(i)->name(),
                                type.value(i)->number()));
  }
}

void add_field(const pb::FieldDescriptor& field, Outline& lines) {
  const pb::OneofDescriptor* oneof = field.real_containing_oneof();
  lines.push_back(fmt::format("field {} {}: name={} type={} label={} json={} oneof={}",
                              field.containing_type()->full_name(), field.number(), field.name(),
                              type_name(field), label(field), field.json_name(),
                              oneof != nullptr ? oneof->name() : "-"));
}

void add_message(const pb::Descriptor& type, Outline& lines) {
  if (type.options().map_entry()) return;
  lines.push_back(fmt::format("message {}:", type.full_name()));
  std::vector<const pb::FieldDescriptor*> fields;
  for (int i = 0; i < type.field_count(); ++i) fields.push_back(type.field(i));
  std::sort(fields.begin(), fields.end(),
            [](const auto* a, const auto* b) { return a->number() < b->number(); });
  for (const pb::FieldDescriptor* field : fields) add_field(*field, lines);
  for (int i = 0; i < type.enum_type_count(); ++i) add_enum(*type.enum_type(i), lines);
  for (int i = 0; i < type.nested_type_count(); ++i) add_message(*type.nested_type(i), lines);
}

void add_service(const pb::ServiceDescriptor& service, Outline& lines) {
  lines.push_back(fmt::format("service {}:", service.full_name()));
  for (int i = 0; i < service.method_count(); ++i) {
    const pb::MethodDescriptor& method = *service.method(i);
    lines.push_back(fmt::format(
        "method {} {}: request={} response={} streaming={}", service.full_name(), method.name(),
        method.input_type()->full_name(), method.output_type()->full_name(), streaming(method)));
  }
}

using Attributes = std::map<std::string, std::string>;

// "field M 6: name=vcpus type=int64" → "field M 6", {name: vcpus, type: int64}.
struct Element {
  std::string key;
  Attributes attributes;
};

Element parse(std::string_view line) {
  const size_t colon = line.find(':');
  Element element{std::string(line.substr(0, colon)), {}};
  line.remove_prefix(std::min(line.size(), colon + 1));
  while (!line.empty()) {
    const size_t end = std::min(line.size(), line.find(' '));
    const std::string_view word = line.substr(0, end);
    if (const size_t equals = word.find('='); equals != std::string_view::npos) {
      element.attributes.emplace(word.substr(0, equals), word.substr(equals + 1));
    }
    line.remove_prefix(std::min(line.size(), end + 1));
  }
  return element;
}

std::map<std::string, Attributes> elements(const Outline& outline) {
  std::map<std::string, Attributes> all;
  for (const std::string& line : outline) {
    Element element = parse(line);
    all.emplace(std::move(element.key), std::move(element.attributes));
  }
  return all;
}

void compare_attributes(const std::string& key, const Attributes& before, const Attributes& after,
                        std::vector<std::string>& breaking) {
  for (const auto& [name, value] : before) {
    const auto found = after.find(name);
    const std::string now = found == after.end() ? "nothing" : found->second;
    if (now == value) continue;
    breaking.push_back(fmt::format("{}: {} was {}, is {}", key, name, value, now));
  }
}

}  // namespace

Outline outline_of(const pb::FileDescriptorSet& files, const std::string& package) {
  pb::DescriptorPool pool;
  Outline lines;
  for (const pb::FileDescriptorProto& proto : files.file()) {
    const pb::FileDescriptor* file = pool.BuildFile(proto);
    if (file == nullptr) std::abort();
    if (file->package() != package) continue;
    for (int i = 0; i < file->service_count(); ++i) add_service(*file->service(i), lines);
    for (int i = 0; i < file->enum_type_count(); ++i) add_enum(*file->enum_type(i), lines);
    for (int i = 0; i < file->message_type_count(); ++i) add_message(*file->message_type(i), lines);
  }
  return lines;
}

Changes compare(const Outline& older, const Outline& newer) {
  const std::map<std::string, Attributes> before = elements(older);
  const std::map<std::string, Attributes> after = elements(newer);
  Changes changes;
  for (const auto& [key, attributes] : before) {
    const auto found = after.find(key);
    if (found == after.end()) {
      changes.breaking.push_back(key + ": was removed");
    } else {
      compare_attributes(key, attributes, found->second, changes.breaking);
    }
  }
  for (const std::string& line : newer) {
    if (!before.contains(parse(line).key)) changes.additions.push_back(line);
  }
  return changes;
}

}  // namespace stellwerk::api_contract

#include "api/convert/parse.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/stubs/common.h>
#include <google/protobuf/unknown_field_set.h>

#include <map>
#include <vector>

namespace stellwerk::convert {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

constexpr size_t kMostViolations = 32;
constexpr int kDeepest = 16;

// Walks the raw fields of a message beside its descriptor.
class TextFinder {
 public:
  void walk(const Descriptor& descriptor, std::string_view bytes, const std::string& prefix,
            int depth) {
    UnknownFieldSet fields;
    if (depth > kDeepest || !fields.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      return;
    }
    std::map<int, int> seen;  // by number: how often a repeated field came
    for (int i = 0; i < fields.field_count(); ++i) {
      const UnknownField& field = fields.field(i);
      const FieldDescriptor* known = descriptor.FindFieldByNumber(field.number());
      if (known == nullptr || field.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
      visit(*known, field.length_delimited(), path(*known, prefix, seen[field.number()]++), depth);
    }
  }

  std::vector<FieldViolation> take() { return std::move(found_); }

 private:
  static std::string path(const FieldDescriptor& field, const std::string& prefix, int index) {
    std::string result = prefix.empty() ? field.name() : prefix + "." + field.name();
    if (field.is_repeated() && !field.is_map()) result += fmt::format("[{}]", index);
    return result;
  }

  void visit(const FieldDescriptor& field, const std::string& bytes, const std::string& path,
             int depth) {
    if (field.type() == FieldDescriptor::TYPE_MESSAGE) {
      walk(*field.message_type(), bytes, path, depth + 1);
    } else if (field.type() == FieldDescriptor::TYPE_STRING &&
               !google::protobuf::internal::IsStructurallyValidUTF8(bytes) &&
               found_.size() < kMostViolations) {
      found_.push_back({path, "is not valid UTF-8"});
    }
  }

  std::vector<FieldViolation> found_;
};

}  // namespace

absl::Status parse_message(std::string_view bytes, google::protobuf::Message* message) {
  if (message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::OkStatus();
  }
  const Descriptor& descriptor = *message->GetDescriptor();
  TextFinder finder;
  finder.walk(descriptor, bytes, "", 0);
  const std::vector<FieldViolation> found = finder.take();
  if (!found.empty()) return invalid_fields(found);
  return with_reason(invalid_argument("the request is not a message of type {}; was it cut short?",
                                      descriptor.full_name()),
                     "MALFORMED_REQUEST");
}

}  // namespace stellwerk::convert

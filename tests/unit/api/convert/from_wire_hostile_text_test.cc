// Every text field of every request, filled with hostile texts one after the other: each is either
// refused with its field's name, shown escaped and shortened, or cannot do harm.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "api/convert/from_wire.h"

namespace stellwerk::convert {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const std::vector<std::string>& hostile_texts() {
  static const std::vector<std::string> texts = {
      "../../etc/passwd",
      std::string("nul\0byte", 8),
      "quotes\"'`$(reboot)",
      "<xml attribute='&quot;'/>",
      "--leading-dashes",
      "-",
      "new\nline\r\t",
      "\x1b[31mred",
      "überall",
      "%s%n{}{0}",
      std::string(1 << 20, 'A'),
  };
  return texts;
}

// Not checked as text: other rules hold for these.
bool any_text_will_do(const std::string& path) {
  return path == "instance.user_data";
}

bool is_output_only(const std::string& path) {
  static const std::vector<std::string> paths = {"instance.name",
                                                 "instance.uid",
                                                 "instance.etag",
                                                 "instance.host",
                                                 "instance.backup.host",
                                                 "instance.reason",
                                                 "instance.message",
                                                 "image.name",
                                                 "image.uid",
                                                 "image.etag",
                                                 "image.sha256",
                                                 "image.source_url",
                                                 "image.failure",
                                                 "flavor.name",
                                                 "flavor.uid",
                                                 "flavor.etag",
                                                 "network.name",
                                                 "network.uid",
                                                 "network.etag",
                                                 "project.name",
                                                 "project.uid",
                                                 "project.etag",
                                                 "instance.timeline[0].caller",
                                                 "instance.timeline[0].message",
                                                 "instance.timeline[0].reason",
                                                 "instance.timeline[0].type",
                                                 "instance.network_interfaces[0].mac_address",
                                                 "instance.network_interfaces[0].ip_address"};
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

struct TextField {
  std::string path;
  std::function<void(Message*, const std::string&)> set;
};

// Every string and bytes field reachable from `message`, at most one element deep in lists.
std::vector<TextField> text_fields(const google::protobuf::Descriptor& descriptor,
                                   const std::string& prefix,
                                   const std::function<Message*(Message*)>& reach) {
  std::vector<TextField> result;
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor* field = descriptor.field(i);
    const std::string path =
        prefix + field->name() + (field->is_repeated() && !field->is_map() ? "[0]" : "");
    if (field->is_map()) continue;  // see HostileText.InLabelsIsRefused
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      result.push_back({path, [field, reach](Message* root, const std::string& text) {
                          Message* owner = reach(root);
                          const auto* reflection = owner->GetReflection();
                          if (field->is_repeated()) {
                            reflection->AddString(owner, field, text);
                          } else {
                            reflection->SetString(owner, field, text);
                          }
                        }});
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      const auto inner = [field, reach](Message* root) {
        Message* owner = reach(root);
        const auto* reflection = owner->GetReflection();
        return field->is_repeated() ? reflection->AddMessage(owner, field)
                                    : reflection->MutableMessage(owner, field);
      };
      for (TextField& found : text_fields(*field->message_type(), path + ".", inner)) {
        result.push_back(std::move(found));
      }
    }
  }
  return result;
}

std::vector<FieldViolation> violations_in(const v1::ImportImageRequest::Spec& spec) {
  return to_import(spec, {}).begin.context.violations;
}
std::vector<FieldViolation> violations_in(const v1::ListEventsRequest& request) {
  return violations_of(to_listing(request, CellUid()).status());
}
std::vector<FieldViolation> violations_in(const v1::WatchEventsRequest& request) {
  return violations_of(to_watch(request, CellUid()).status());
}
template <class Request>
std::vector<FieldViolation> violations_in(const Request& request) {
  if constexpr (requires { request.request_id(); }) {
    return to_mutation(request, {}).context.violations;
  } else {
    return violations_of(to_query(request).status());
  }
}

bool is_printable_and_short(const std::string& text) {
  return text.size() < 1000 && std::all_of(text.begin(), text.end(),
                                           [](unsigned char c) { return c >= ' ' && c != 0x7F; });
}

template <class Request>
class HostileText : public testing::Test {};
using Requests =
    testing::Types<v1::CreateInstanceRequest, v1::StartInstanceRequest, v1::StopInstanceRequest,
                   v1::RebootInstanceRequest, v1::DeleteInstanceRequest, v1::GetInstanceRequest,
                   v1::ListInstancesRequest, v1::ImportImageRequest::Spec, v1::DeleteImageRequest,
                   v1::GetImageRequest, v1::ListImagesRequest, v1::CreateFlavorRequest,
                   v1::DeleteFlavorRequest, v1::GetFlavorRequest, v1::GetHostRequest,
                   v1::CreateNetworkRequest, v1::DeleteNetworkRequest, v1::GetNetworkRequest,
                   v1::ListNetworksRequest, v1::CreateProjectRequest, v1::DeleteProjectRequest,
                   v1::GetProjectRequest, v1::ListEventsRequest, v1::WatchEventsRequest>;
TYPED_TEST_SUITE(HostileText, Requests);

// A page token is opaque, so what is printable may be one.
bool may_pass(const std::string& path, const std::string& text) {
  return path == "page_token" && text.size() < 100 && is_printable_and_short(text);
}

TYPED_TEST(HostileText, IsRefusedWithTheNameOfItsField) {
  const auto fields = text_fields(*TypeParam::descriptor(), "", [](Message* root) { return root; });
  ASSERT_FALSE(fields.empty());
  for (const TextField& field : fields) {
    if (any_text_will_do(field.path)) continue;
    for (const std::string& text : hostile_texts()) {
      TypeParam request;
      field.set(&request, text);
      const std::vector<FieldViolation> violations = violations_in(request);
      bool named = false;
      for (const FieldViolation& violation : violations) {
        named |= violation.field == field.path;
        EXPECT_TRUE(is_printable_and_short(violation.description)) << violation.description;
      }
      if (is_output_only(field.path)) {
        EXPECT_FALSE(named) << field.path;
      } else if (!may_pass(field.path, text)) {
        EXPECT_TRUE(named) << field.path << " took " << text.substr(0, 40);
      }
    }
  }
}

TEST(HostileTextInLabels, IsRefused) {
  for (const std::string& text : hostile_texts()) {
    v1::CreateProjectRequest request;
    request.set_project_id("p");
    (*request.mutable_project()->mutable_labels())[text] = "";
    const auto violations = violations_in(request);
    ASSERT_EQ(violations.size(), 1u) << text.substr(0, 40);
    EXPECT_TRUE(violations[0].field.starts_with("project.labels[\"")) << violations[0].field;
    EXPECT_TRUE(is_printable_and_short(violations[0].field));
    EXPECT_TRUE(is_printable_and_short(violations[0].description));
  }
}

TEST(HostileTextInUserData, IsRefusedIfItHoldsNulOrIsTooLong) {
  for (const std::string& text : hostile_texts()) {
    v1::CreateInstanceRequest request;
    request.mutable_instance()->set_user_data(text);
    const bool bad = text.find('\0') != std::string::npos || text.size() > 65536;
    bool named = false;
    for (const FieldViolation& violation : violations_in(request)) {
      named |= violation.field == "instance.user_data";
      EXPECT_EQ(violation.description.find("AAAA"), std::string::npos) << "never shown";
    }
    EXPECT_EQ(named, bad);
  }
}

}  // namespace
}  // namespace stellwerk::convert

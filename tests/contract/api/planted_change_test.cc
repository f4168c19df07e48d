// The comparer is itself checked: every way to break a client is found and named.
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <ostream>

#include "outline.h"

namespace stellwerk::api_contract {
namespace {

using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using testing::ElementsAre;
using testing::IsEmpty;

FileDescriptorProto toy_api() {
  FileDescriptorProto file;
  const bool parsed = google::protobuf::TextFormat::ParseFromString(
      R"pb(
        name: "toy.proto"
        package: "toy"
        syntax: "proto3"
        message_type {
          name: "Guest"
          field { name: "id" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL json_name: "id" }
          field { name: "size" number: 2 type: TYPE_INT64 label: LABEL_OPTIONAL json_name: "size" }
          field { name: "tap" number: 3 type: TYPE_STRING label: LABEL_OPTIONAL oneof_index: 0 }
          field {
            name: "state"
            number: 4
            type: TYPE_ENUM
            type_name: ".toy.Guest.State"
            label: LABEL_OPTIONAL
          }
          field {
            name: "labels"
            number: 5
            type: TYPE_MESSAGE
            label: LABEL_REPEATED
            type_name: ".toy.Guest.LabelsEntry"
          }
          nested_type {
            name: "LabelsEntry"
            options { map_entry: true }
            field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
            field { name: "value" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
          }
          enum_type {
            name: "State"
            value { name: "UNKNOWN" number: 0 }
            value { name: "RUNNING" number: 1 }
          }
          oneof_decl { name: "port" }
        }
        message_type { name: "Page" }
        service {
          name: "Guests"
          method { name: "Get" input_type: ".toy.Page" output_type: ".toy.Guest" }
          method {
            name: "Watch"
            input_type: ".toy.Page"
            output_type: ".toy.Guest"
            server_streaming: true
          }
        }
      )pb",
      &file);
  EXPECT_TRUE(parsed);
  return file;
}

Outline outline(const FileDescriptorProto& file) {
  FileDescriptorSet files;
  *files.add_file() = file;
  return outline_of(files, "toy");
}

struct Change {
  const char* name;
  void (*apply)(FileDescriptorProto&);
  std::vector<std::string> found;
};

void PrintTo(const Change& change, std::ostream* out) {
  *out << change.name;
}

FieldDescriptorProto& field(FileDescriptorProto& file, int index) {
  return *file.mutable_message_type(0)->mutable_field(index);
}

google::protobuf::MethodDescriptorProto& method(FileDescriptorProto& file, int index) {
  return *file.mutable_service(0)->mutable_method(index);
}

std::vector<Change> changes_of_fields() {
  return {
      {"removed",
       [](FileDescriptorProto& f) {
         f.mutable_message_type(0)->mutable_field()->DeleteSubrange(1, 1);
       },
       {"field toy.Guest 2: was removed"}},
      {"renumbered",
       [](FileDescriptorProto& f) { field(f, 1).set_number(7); },
       {"field toy.Guest 2: was removed"}},
      {"numbers exchanged",
       [](FileDescriptorProto& f) {
         field(f, 0).set_number(2);
         field(f, 1).set_number(1);
       },
       {"field toy.Guest 1: json was id, is size", "field toy.Guest 1: name was id, is size",
        "field toy.Guest 1: type was string, is int64", "field toy.Guest 2: json was size, is id",
        "field toy.Guest 2: name was size, is id", "field toy.Guest 2: type was int64, is string"}},
      {"retyped",
       [](FileDescriptorProto& f) { field(f, 1).set_type(FieldDescriptorProto::TYPE_INT32); },
       {"field toy.Guest 2: type was int64, is int32"}},
      {"relabelled",
       [](FileDescriptorProto& f) { field(f, 1).set_label(FieldDescriptorProto::LABEL_REPEATED); },
       {"field toy.Guest 2: label was single, is repeated"}},
      {"renamed",
       [](FileDescriptorProto& f) { field(f, 1).set_name("size_mib"); },
       {"field toy.Guest 2: name was size, is size_mib"}},
      {"renamed in JSON",
       [](FileDescriptorProto& f) { field(f, 1).set_json_name("sizeMib"); },
       {"field toy.Guest 2: json was size, is sizeMib"}},
      {"moved into a oneof",
       [](FileDescriptorProto& f) { field(f, 1).set_oneof_index(0); },
       {"field toy.Guest 2: oneof was -, is port"}},
      {"moved out of a oneof",
       [](FileDescriptorProto& f) {
         field(f, 2).clear_oneof_index();
         f.mutable_message_type(0)->clear_oneof_decl();
       },
       {"field toy.Guest 3: oneof was port, is -"}},
      {"another map",
       [](FileDescriptorProto& f) {
         f.mutable_message_type(0)->mutable_nested_type(0)->mutable_field(1)->set_type(
             FieldDescriptorProto::TYPE_INT64);
       },
       {"field toy.Guest 5: type was map<string,string>, is map<string,int64>"}},
  };
}

std::vector<Change> changes_of_the_rest() {
  return {
      {"message removed",
       [](FileDescriptorProto& f) {
         f.mutable_message_type()->RemoveLast();
         method(f, 0).set_input_type(".toy.Guest");
         method(f, 1).set_input_type(".toy.Guest");
       },
       {"message toy.Page: was removed",
        "method toy.Guests Get: request was toy.Page, is toy.Guest",
        "method toy.Guests Watch: request was toy.Page, is toy.Guest"}},
      {"enum value removed",
       [](FileDescriptorProto& f) {
         f.mutable_message_type(0)->mutable_enum_type(0)->mutable_value()->RemoveLast();
       },
       {"value toy.Guest.State RUNNING: was removed"}},
      {"enum value renumbered",
       [](FileDescriptorProto& f) {
         f.mutable_message_type(0)->mutable_enum_type(0)->mutable_value(1)->set_number(3);
       },
       {"value toy.Guest.State RUNNING: number was 1, is 3"}},
      {"method removed",
       [](FileDescriptorProto& f) { f.mutable_service(0)->mutable_method()->RemoveLast(); },
       {"method toy.Guests Watch: was removed"}},
      {"method's answer changed",
       [](FileDescriptorProto& f) { method(f, 0).set_output_type(".toy.Page"); },
       {"method toy.Guests Get: response was toy.Guest, is toy.Page"}},
      {"method streams no more",
       [](FileDescriptorProto& f) { method(f, 1).clear_server_streaming(); },
       {"method toy.Guests Watch: streaming was response, is none"}},
      {"method streams its request",
       [](FileDescriptorProto& f) { method(f, 0).set_client_streaming(true); },
       {"method toy.Guests Get: streaming was none, is request"}},
      {"service removed",
       [](FileDescriptorProto& f) { f.clear_service(); },
       {"method toy.Guests Get: was removed", "method toy.Guests Watch: was removed",
        "service toy.Guests: was removed"}},
  };
}

class BreakingChange : public testing::TestWithParam<Change> {};
TEST_P(BreakingChange, IsFoundAndNamed) {
  FileDescriptorProto changed = toy_api();
  GetParam().apply(changed);
  EXPECT_EQ(compare(outline(toy_api()), outline(changed)).breaking, GetParam().found);
}
INSTANTIATE_TEST_SUITE_P(Fields, BreakingChange, testing::ValuesIn(changes_of_fields()));
INSTANTIATE_TEST_SUITE_P(Others, BreakingChange, testing::ValuesIn(changes_of_the_rest()));

TEST(Compare, NothingChangedIsNothingFound) {
  const Changes changes = compare(outline(toy_api()), outline(toy_api()));
  EXPECT_THAT(changes.breaking, IsEmpty());
  EXPECT_THAT(changes.additions, IsEmpty());
}

TEST(Compare, AdditionsBreakNothingAndAreListed) {
  FileDescriptorProto changed = toy_api();
  FieldDescriptorProto& added = *changed.mutable_message_type(0)->add_field();
  added.set_name("zone");
  added.set_number(6);
  added.set_type(FieldDescriptorProto::TYPE_STRING);
  added.set_label(FieldDescriptorProto::LABEL_OPTIONAL);
  changed.add_message_type()->set_name("Zone");
  const Changes changes = compare(outline(toy_api()), outline(changed));
  EXPECT_THAT(changes.breaking, IsEmpty());
  EXPECT_THAT(changes.additions,
              ElementsAre("field toy.Guest 6: name=zone type=string label=single json=zone oneof=-",
                          "message toy.Zone:"));
}

TEST(Outline, SaysEverythingThatAClientDependsOn) {
  EXPECT_THAT(
      outline(toy_api()),
      ElementsAre(
          "service toy.Guests:",
          "method toy.Guests Get: request=toy.Page response=toy.Guest streaming=none",
          "method toy.Guests Watch: request=toy.Page response=toy.Guest streaming=response",
          "message toy.Guest:",
          "field toy.Guest 1: name=id type=string label=single json=id oneof=-",
          "field toy.Guest 2: name=size type=int64 label=single json=size oneof=-",
          "field toy.Guest 3: name=tap type=string label=single json=tap oneof=port",
          "field toy.Guest 4: name=state type=toy.Guest.State label=single json=state oneof=-",
          "field toy.Guest 5: name=labels type=map<string,string> label=repeated json=labels "
          "oneof=-",
          "enum toy.Guest.State:", "value toy.Guest.State UNKNOWN: number=0",
          "value toy.Guest.State RUNNING: number=1", "message toy.Page:"));
}

}  // namespace
}  // namespace stellwerk::api_contract

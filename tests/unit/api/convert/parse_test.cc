#include "api/convert/parse.h"

#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "stellwerk/v1/instances.pb.h"

namespace stellwerk::convert {
namespace {

// protobuf's serializer and parser complain on standard error of what these tests do on purpose.
const google::protobuf::LogSilencer kQuiet;

std::string bytes_of(const v1::CreateInstanceRequest& request) {
  return request.SerializePartialAsString();
}

TEST(Parse, ReadsWhatWasWritten) {
  v1::CreateInstanceRequest request;
  request.set_parent("projects/überall");
  v1::CreateInstanceRequest read;
  ASSERT_TRUE(parse_message(bytes_of(request), &read).ok());
  EXPECT_EQ(read.parent(), "projects/überall");
}

TEST(Parse, NamesEveryFieldThatIsNotUtf8) {
  v1::CreateInstanceRequest request;
  request.set_instance_id("caf\xe9");
  request.mutable_instance()->set_flavor("\xff");
  request.mutable_instance()->add_ssh_keys("good");
  request.mutable_instance()->add_ssh_keys("\xc0\x80");
  request.mutable_instance()->add_network_interfaces()->set_network("\x80");
  request.mutable_instance()->set_user_data("\xff\xfe: bytes, so they may");
  (*request.mutable_instance()->mutable_labels())["key"] = "\xed\xa0\x80";

  v1::CreateInstanceRequest read;
  const absl::Status status = parse_message(bytes_of(request), &read);

  std::vector<std::string> fields;
  for (const auto& violation : violations_of(status)) fields.push_back(violation.field);
  EXPECT_THAT(fields, testing::UnorderedElementsAre(
                          "instance_id", "instance.flavor", "instance.ssh_keys[1]",
                          "instance.network_interfaces[0].network", "instance.labels.value"));
}

TEST(Parse, RefusesWhatIsNoMessage) {
  v1::CreateInstanceRequest read;
  const absl::Status status = parse_message("\xff\xff\xff", &read);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(reason_of(status), "MALFORMED_REQUEST");
  EXPECT_THAT(std::string(message_of(status)),
              testing::HasSubstr("stellwerk.v1.CreateInstanceRequest"));
}

RC_GTEST_PROP(Parse, NeverDoesMoreThanRefuse, (const std::string& bytes)) {
  v1::CreateInstanceRequest read;
  const absl::Status status = parse_message(bytes, &read);
  RC_ASSERT(status.ok() || status.code() == absl::StatusCode::kInvalidArgument);
}

RC_GTEST_PROP(Parse, RefusesOrReadsWhatWasCut, (uint8_t length)) {
  v1::CreateInstanceRequest request;
  request.set_parent("projects/p");
  request.mutable_instance()->set_flavor("\xff");
  request.mutable_instance()->add_ssh_keys(std::string(200, 'x'));
  v1::CreateInstanceRequest read;
  const absl::Status status = parse_message(bytes_of(request).substr(0, length), &read);
  RC_ASSERT(status.ok() || reason_of(status).has_value());
}

}  // namespace
}  // namespace stellwerk::convert

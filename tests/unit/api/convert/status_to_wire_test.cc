#include "api/convert/status_to_wire.h"

#include <gmock/gmock.h>
#include <google/protobuf/stubs/common.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace stellwerk::convert {
namespace {

struct Details {
  google::rpc::Status status;
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
};

Details details_of(const grpc::Status& wire) {
  Details details;
  EXPECT_TRUE(details.status.ParseFromString(wire.error_details()));
  for (const auto& detail : details.status.details()) {
    EXPECT_TRUE(detail.UnpackTo(&details.info) || detail.UnpackTo(&details.bad_request));
  }
  return details;
}

TEST(StatusToWire, KeepsCodeMessageAndReason) {
  const grpc::Status wire = to_wire(with_reason(aborted("the instance has changed"), "ETAG_STALE"));
  EXPECT_EQ(wire.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(wire.error_message(), "the instance has changed");
  const Details details = details_of(wire);
  EXPECT_EQ(details.info.reason(), "ETAG_STALE");
  EXPECT_EQ(details.info.domain(), "stellwerk");
  EXPECT_EQ(details.status.code(), static_cast<int>(grpc::StatusCode::ABORTED));
  EXPECT_EQ(details.status.message(), wire.error_message());
  EXPECT_EQ(details.status.details_size(), 1);
  EXPECT_TRUE(to_wire(absl::OkStatus()).ok());
}

TEST(StatusToWire, GivesEveryErrorAReason) {
  // In the order of the codes, from 1 to 16.
  const std::vector<std::string> reasons = {"CANCELLED",
                                            "UNKNOWN",
                                            "INVALID_ARGUMENT",
                                            "DEADLINE_EXCEEDED",
                                            "NOT_FOUND",
                                            "ALREADY_EXISTS",
                                            "PERMISSION_DENIED",
                                            "RESOURCE_EXHAUSTED",
                                            "FAILED_PRECONDITION",
                                            "ABORTED",
                                            "OUT_OF_RANGE",
                                            "UNIMPLEMENTED",
                                            "INTERNAL",
                                            "UNAVAILABLE",
                                            "DATA_LOSS",
                                            "UNAUTHENTICATED"};
  for (int code = 1; code <= 16; ++code) {
    const grpc::Status wire = to_wire(make_status(static_cast<absl::StatusCode>(code), "x"));
    EXPECT_EQ(wire.error_code(), code);
    EXPECT_EQ(details_of(wire).info.reason(), reasons[code - 1]);
  }
}

TEST(StatusToWire, NamesTheFieldsThatAreWrong) {
  const Details details = details_of(
      to_wire(invalid_fields({{"parent", "is missing"}, {"instance.flavor", "is unknown"}})));
  ASSERT_EQ(details.bad_request.field_violations_size(), 2);
  EXPECT_EQ(details.bad_request.field_violations(1).field(), "instance.flavor");
  EXPECT_EQ(details.bad_request.field_violations(1).description(), "is unknown");
  EXPECT_EQ(details.info.reason(), "INVALID_FIELDS");
}

TEST(StatusToWire, StaysBelowWhatClientsTake) {
  std::vector<FieldViolation> violations;
  for (int i = 0; i < 500; ++i) {
    violations.push_back({fmt::format("instance.ssh_keys[{}]", i), std::string(150, 'x')});
  }
  const grpc::Status wire = to_wire(invalid_fields(violations));
  EXPECT_LT(wire.error_message().size() + wire.error_details().size(), 7500u);
  const auto fields = details_of(wire).bad_request.field_violations();
  EXPECT_GT(fields.size(), 20);
  EXPECT_EQ(fields.rbegin()->description(),
            fmt::format("{} more mistakes; correct these first", 500 - (fields.size() - 1)));

  EXPECT_LT(to_wire(not_found("{}", std::string(1 << 20, 'x'))).error_details().size(), 3000u);
}

RC_GTEST_PROP(StatusToWire, IsValidUtf8AndShortWhateverComes, (std::string text)) {
  while (text.size() < 4000 && !text.empty()) text += text;
  const grpc::Status wire = to_wire(with_reason(not_found("{}", text), text));
  RC_ASSERT(google::protobuf::internal::IsStructurallyValidUTF8(wire.error_message()));
  google::rpc::Status details;
  RC_ASSERT(details.ParseFromString(wire.error_details()));
  RC_ASSERT(wire.error_message().size() + wire.error_details().size() < 7500u);
}

TEST(StatusToWire, CutsBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "ü";
  const std::string message = to_wire(not_found("{}", text)).error_message();
  EXPECT_TRUE(google::protobuf::internal::IsStructurallyValidUTF8(message));
  EXPECT_THAT(message, testing::EndsWith("ü…"));
}

TEST(NestFields, PutsAPrefixBeforeEveryField) {
  const absl::Status nested =
      nest_fields(with_reason(invalid_fields({{"image_id", "is taken"}}), "SOMETHING"), "spec");
  EXPECT_THAT(violations_of(nested),
              testing::ElementsAre(FieldViolation{"spec.image_id", "is taken"}));
  EXPECT_EQ(reason_of(nested), "SOMETHING");
  EXPECT_EQ(nest_fields(not_found("x"), "spec"), not_found("x"));
}

}  // namespace
}  // namespace stellwerk::convert

#include "core/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace stellwerk {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Status, ConstructorsGiveTheirCode) {
  EXPECT_EQ(describe(invalid_argument("{} GiB", 12)), "INVALID_ARGUMENT: 12 GiB");
  EXPECT_EQ(describe(not_found("x")), "NOT_FOUND: x");
  EXPECT_EQ(describe(already_exists("x")), "ALREADY_EXISTS: x");
  EXPECT_EQ(describe(failed_precondition("x")), "FAILED_PRECONDITION: x");
  EXPECT_EQ(describe(resource_exhausted("x")), "RESOURCE_EXHAUSTED: x");
  EXPECT_EQ(describe(unavailable("x")), "UNAVAILABLE: x");
  EXPECT_EQ(describe(aborted("x")), "ABORTED: x");
  EXPECT_EQ(describe(out_of_range("x")), "OUT_OF_RANGE: x");
  EXPECT_EQ(describe(permission_denied("x")), "PERMISSION_DENIED: x");
  EXPECT_EQ(describe(deadline_exceeded("x")), "DEADLINE_EXCEEDED: x");
  EXPECT_EQ(describe(data_loss("x")), "DATA_LOSS: x");
  EXPECT_EQ(describe(internal_error("x")), "INTERNAL: x");
  EXPECT_EQ(describe(absl::OkStatus()), "OK");
}

TEST(Status, AnnotationKeepsCodeAndDetails) {
  const absl::Status inner = with_reason(not_found("no such image"), "IMAGE_NOT_FOUND");
  const absl::Status outer = annotate(inner, "instance web-1");
  EXPECT_EQ(describe(outer), "NOT_FOUND: instance web-1: no such image");
  EXPECT_EQ(reason_of(outer), "IMAGE_NOT_FOUND");
  EXPECT_TRUE(annotate(absl::OkStatus(), "instance web-1").ok());
}

TEST(Status, HasNoReasonUnlessGivenOne) {
  EXPECT_EQ(reason_of(not_found("x")), std::nullopt);
  EXPECT_EQ(reason_of(absl::OkStatus()), std::nullopt);
}

TEST(Status, NamesEveryFieldAtOnce) {
  const absl::Status status =
      invalid_fields({{"instance_id", "is missing"}, {"ssh_keys[2]", "is not base64"}});
  EXPECT_EQ(describe(status),
            "INVALID_ARGUMENT: instance_id: is missing; ssh_keys[2]: is not base64");
  EXPECT_EQ(reason_of(status), "INVALID_FIELDS");
  EXPECT_THAT(violations_of(status), ElementsAre(FieldViolation{"instance_id", "is missing"},
                                                 FieldViolation{"ssh_keys[2]", "is not base64"}));
}

TEST(Status, HasNoViolationsOfOtherKinds) {
  EXPECT_THAT(violations_of(invalid_argument("x")), IsEmpty());
}

TEST(Status, BecomesTheMistakeOfAField) {
  const absl::Status status = in_field(with_reason(out_of_range("is too old"), "OLD"), "token");
  EXPECT_EQ(describe(status), "INVALID_ARGUMENT: token: is too old");
  EXPECT_EQ(reason_of(status), "OLD");
  EXPECT_THAT(violations_of(status), ElementsAre(FieldViolation{"token", "is too old"}));
  EXPECT_EQ(reason_of(in_field(not_found("x"), "token")), "INVALID_FIELDS");
}

RC_GTEST_PROP(Status, ViolationsComeBackAsGiven, ()) {
  const auto text = rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '\x7f'));
  const auto pairs =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<std::pair<std::string, std::string>>>(
          rc::gen::pair(text, text)));
  std::vector<FieldViolation> violations;
  for (const auto& [field, description] : pairs) violations.push_back({field, description});
  RC_ASSERT(violations_of(invalid_fields(violations)) == violations);
}

absl::StatusOr<int> half(int value) {
  if (value % 2 != 0) return invalid_argument("{} is odd", value);
  return value / 2;
}

absl::StatusOr<int> quarter(int value) {
  SW_ASSIGN_OR_RETURN(const int once, half(value));
  SW_ASSIGN_OR_RETURN(const int twice, half(once));
  return twice;
}

absl::Status check_even(int value) {
  SW_RETURN_IF_ERROR(half(value).status());
  return absl::OkStatus();
}

TEST(Status, MacrosPassErrorsUpAndValuesOn) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(describe(quarter(6).status()), "INVALID_ARGUMENT: 3 is odd");
  EXPECT_EQ(describe(check_even(3)), "INVALID_ARGUMENT: 3 is odd");
  EXPECT_TRUE(check_even(4).ok());
}

}  // namespace
}  // namespace stellwerk

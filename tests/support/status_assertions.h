// EXPECT_OK(status) and ASSERT_OK(status_or): a failure shows code and message.
#pragma once

#include <gtest/gtest.h>

#include "core/status.h"

namespace stellwerk::testing {

inline ::testing::AssertionResult is_ok(const absl::Status& status) {
  if (status.ok()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << describe(status);
}
template <class Value>
::testing::AssertionResult is_ok(const absl::StatusOr<Value>& result) {
  return is_ok(result.status());
}

}  // namespace stellwerk::testing

#define EXPECT_OK(expression) EXPECT_TRUE(::stellwerk::testing::is_ok(expression))
#define ASSERT_OK(expression) ASSERT_TRUE(::stellwerk::testing::is_ok(expression))

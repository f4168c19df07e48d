#include "core/overloaded.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace stellwerk {
namespace {

TEST(Overloaded, CallsTheVisitorOfTheAlternative) {
  const Overloaded visitor{[](int) { return "int"; }, [](const std::string&) { return "text"; }};
  EXPECT_STREQ(std::visit(visitor, std::variant<int, std::string>(7)), "int");
  EXPECT_STREQ(std::visit(visitor, std::variant<int, std::string>("x")), "text");
}

}  // namespace
}  // namespace stellwerk

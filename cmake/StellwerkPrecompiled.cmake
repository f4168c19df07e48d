# Precompiled headers: reading headers is most of what compiling costs. A group holds what others
# made and nothing of ours, so that a folder still sees only what it links; api/proto, whose messages
# are generated, adds those to the groups of the folders that link it.
#
# Everything in a group is compiled with the group's flags, or GCC refuses the header (and -Werror
# the source). CMAKE_DISABLE_PRECOMPILE_HEADERS=ON shows sources that rely on a group's includes.

set(stellwerk_test_options -O0 -g0)
set(stellwerk_base_headers
  <algorithm> <array> <chrono> <cstdint> <filesystem> <fstream> <functional> <map> <memory> <mutex>
  <optional> <set> <span> <string> <string_view> <thread> <utility> <variant> <vector>
  <absl/status/status.h> <absl/status/statusor.h> <fmt/format.h> <fmt/ranges.h>)
set(stellwerk_test_headers <gmock/gmock.h> <gtest/gtest.h> <rapidcheck/gtest.h>)

# stellwerk_precompiled(GROUP HEADERS <a.h> ... DEPENDS lib ... [TEST])
function(stellwerk_precompiled group)
  cmake_parse_arguments(ARG "TEST" "" "HEADERS;DEPENDS" ${ARGN})
  set(target stellwerk_${group}_precompiled)
  set(source ${CMAKE_BINARY_DIR}/precompiled/${group}.cc)
  file(CONFIGURE OUTPUT ${source} CONTENT "// Carries the precompiled headers of a group.\n")
  add_library(${target} OBJECT ${source})
  target_link_libraries(${target} PRIVATE ${ARG_DEPENDS} stellwerk_flags)
  target_precompile_headers(${target} PRIVATE ${ARG_HEADERS})
  if(ARG_TEST)
    # Tests are executables, which CMake compiles with -fPIE.
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIE ${stellwerk_test_options})
  endif()
endfunction()

# ccache wants the preprocessor's output to name the header, and (see CMakePresets.json) leave to
# overlook the header's times and macros; without both it passes every source by.
target_compile_options(stellwerk_flags INTERFACE -fpch-preprocess)

stellwerk_precompiled(base
  HEADERS ${stellwerk_base_headers}
  DEPENDS absl::status absl::statusor fmt::fmt)
stellwerk_precompiled(test TEST
  HEADERS ${stellwerk_base_headers} ${stellwerk_test_headers}
  DEPENDS absl::status absl::statusor fmt::fmt GTest::gmock GTest::gtest rapidcheck)

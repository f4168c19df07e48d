# One library per folder. What a library may include is what it links, so a wrong include of ours
# does not compile: every library has an include directory that holds nothing but its own folder.

add_library(stellwerk_flags INTERFACE)
# GCC 12 reports moves of std::variant as maybe uninitialised and some std::string appends as
# overlapping (PR 105562, PR 105651); both are false. Designated initialisers leave out what has
# a sensible default, on purpose.
target_compile_options(stellwerk_flags INTERFACE -Wall -Wextra -Werror
                       -Wno-maybe-uninitialized -Wno-restrict -Wno-missing-field-initializers)
target_compile_definitions(stellwerk_flags INTERFACE SPDLOG_FMT_EXTERNAL BOOST_ASIO_NO_DEPRECATED)
if(STELLWERK_SANITIZE)
  target_compile_options(stellwerk_flags INTERFACE
    -fsanitize=${STELLWERK_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(stellwerk_flags INTERFACE -fsanitize=${STELLWERK_SANITIZE})
endif()

# stellwerk_library(NAME SOURCES a.cc ... [DEPENDS lib ...] [PRIVATE_DEPENDS lib ...]
#                   [PRECOMPILED group])
#
# Declares the library `stellwerk_NAME` for the current folder. Its headers are reached as
# `<folder>/<file>.h`, through a directory of links that shows dependents this folder alone.
function(stellwerk_library name)
  cmake_parse_arguments(ARG "" "PRECOMPILED" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  if(NOT ARG_PRECOMPILED)
    set(ARG_PRECOMPILED base)
  endif()
  set(target stellwerk_${name})
  file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  set(view ${CMAKE_BINARY_DIR}/include/${name})
  file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.h)
  file(MAKE_DIRECTORY ${view}/${folder})
  foreach(header IN LISTS headers)
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${header} ${view}/${folder}/${header} SYMBOLIC)
  endforeach()
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    target_include_directories(${target} PUBLIC ${view})
    target_link_libraries(${target} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE_DEPENDS}
                                                                 stellwerk_flags)
    target_precompile_headers(${target} REUSE_FROM stellwerk_${ARG_PRECOMPILED}_precompiled)
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${view})
    target_link_libraries(${target} INTERFACE ${ARG_DEPENDS})
  endif()
endfunction()

# stellwerk_test(NAME SOURCES a_test.cc ... [DEPENDS lib ...] [TIMEOUT seconds]
#                [PRECOMPILED group] [OPTIMISED])
#
# Tests are compiled more often than they run, so only those that do much work are OPTIMISED.
function(stellwerk_test name)
  cmake_parse_arguments(ARG "OPTIMISED" "TIMEOUT;PRECOMPILED" "SOURCES;DEPENDS;ARGUMENTS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(NOT ARG_PRECOMPILED)
    set(ARG_PRECOMPILED test)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} GTest::gmock GTest::gtest_main rapidcheck
                                        stellwerk_flags)
  if(NOT ARG_OPTIMISED)
    target_compile_options(${name} PRIVATE ${stellwerk_test_options})
    target_precompile_headers(${name} REUSE_FROM stellwerk_${ARG_PRECOMPILED}_precompiled)
  endif()
  target_compile_definitions(${name} PRIVATE STELLWERK_GOLDEN="${CMAKE_SOURCE_DIR}/tests/golden")
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1 ${ARG_ARGUMENTS})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
endfunction()

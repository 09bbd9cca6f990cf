# adit_module(NAME n SOURCES ... PUBLIC ... PRIVATE ...)   a static library, alias adit::<n without adit_>
# adit_test(NAME n SOURCES ... LINK ... [LABELS ...] [TIMEOUT s] [WORKING_DIRECTORY d] [SINGLE])
#   one GoogleTest executable; its cases become ctest entries (SINGLE: one entry for the whole program)
# Include root is the repository root for every target. Third-party headers come in as SYSTEM.

add_library(adit_options INTERFACE)
target_include_directories(adit_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(adit_options INTERFACE
  -ffp-contract=off -fno-math-errno -fno-trapping-math
  -Wall -Wextra -Wpedantic -Wshadow -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual
  -Wimplicit-fallthrough)
if(ADIT_WERROR)
  target_compile_options(adit_options INTERFACE -Werror)
endif()
if(ADIT_SANITIZE)
  target_compile_options(adit_options INTERFACE -fsanitize=${ADIT_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all
    -Wno-maybe-uninitialized)  # gcc 12 sees ghosts in std::variant under ASan
  target_link_options(adit_options INTERFACE -fsanitize=${ADIT_SANITIZE})
endif()

find_program(ADIT_MOLD mold)
# A cross compiler looks for one of its own.
if(ADIT_MOLD AND NOT CMAKE_CROSSCOMPILING)
  add_link_options(-fuse-ld=mold)
endif()
find_program(ADIT_CCACHE ccache)
if(ADIT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
    CCACHE_NOHASHDIR=1 ${ADIT_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_C_COMPILER_LAUNCHER})
endif()

function(adit_module)
  cmake_parse_arguments(A "" "NAME" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${A_NAME} STATIC ${A_SOURCES})
  string(REGEX REPLACE "^adit_" "" short ${A_NAME})
  add_library(adit::${short} ALIAS ${A_NAME})
  target_link_libraries(${A_NAME} PUBLIC ${A_PUBLIC} PRIVATE adit_options ${A_PRIVATE})
  target_include_directories(${A_NAME} PUBLIC ${CMAKE_SOURCE_DIR})
endfunction()

function(adit_test)
  if(NOT ADIT_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(A "SINGLE" "NAME;TIMEOUT;WORKING_DIRECTORY" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 120)
  endif()
  if(NOT A_LABELS)
    set(A_LABELS unit)
  endif()
  if(NOT A_WORKING_DIRECTORY)
    set(A_WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
  endif()
  add_executable(${A_NAME} ${A_SOURCES})
  target_link_libraries(${A_NAME} PRIVATE adit_options ${A_LINK} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${A_NAME} PRIVATE ADIT_TEST_VECTORS="${CMAKE_SOURCE_DIR}/tests/vectors"
    ADIT_SOURCE_DIR="${CMAKE_SOURCE_DIR}" ADIT_BINARY_DIR="${CMAKE_BINARY_DIR}")
  if(A_SINGLE)
    add_test(NAME ${A_NAME} COMMAND ${A_NAME} WORKING_DIRECTORY ${A_WORKING_DIRECTORY})
    set_tests_properties(${A_NAME} PROPERTIES TIMEOUT ${A_TIMEOUT} LABELS "${A_LABELS}")
  else()
    include(GoogleTest)
    gtest_discover_tests(${A_NAME} WORKING_DIRECTORY ${A_WORKING_DIRECTORY} DISCOVERY_MODE PRE_TEST
      PROPERTIES TIMEOUT ${A_TIMEOUT} LABELS "${A_LABELS}")
  endif()
endfunction()

# adit_fuzz(NAME n SOURCES ... LINK ... CORPUS dir): one source defines
#   extern "C" int LLVMFuzzerTestOneInput(const uint8_t*, size_t)
# With clang and ADIT_BUILD_FUZZ it becomes a libFuzzer program; otherwise a program that replays the
# corpus and then mutates it with a fixed seed for a few seconds. Both are run by ctest (label fuzz).
function(adit_fuzz)
  if(NOT ADIT_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(A "" "NAME;CORPUS" "SOURCES;LINK" ${ARGN})
  if(ADIT_BUILD_FUZZ)
    add_executable(${A_NAME} ${A_SOURCES})
    target_compile_options(${A_NAME} PRIVATE -fsanitize=fuzzer)
    target_link_options(${A_NAME} PRIVATE -fsanitize=fuzzer)
    add_test(NAME ${A_NAME} COMMAND ${A_NAME} -max_total_time=10 -seed=1 -rss_limit_mb=2048
      ${CMAKE_BINARY_DIR}/fuzz-${A_NAME} ${A_CORPUS})
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz-${A_NAME})
  else()
    add_executable(${A_NAME} ${A_SOURCES} ${CMAKE_SOURCE_DIR}/tests/fuzz/driver.cpp)
    add_test(NAME ${A_NAME} COMMAND ${A_NAME} --seconds=4 --seed=1 ${A_CORPUS})
  endif()
  target_link_libraries(${A_NAME} PRIVATE adit_options ${A_LINK})
  set_tests_properties(${A_NAME} PROPERTIES TIMEOUT 120 LABELS fuzz)
endfunction()

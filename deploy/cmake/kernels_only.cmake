# kernels/ and tests/unit/kernels alone: for processors that this machine only emulates (deploy/cmake/arm64.cmake).
set(ADIT_GTEST_SOURCES /usr/src/googletest CACHE PATH "GoogleTest's sources (Debian: googletest)")
set(INSTALL_GTEST OFF)
add_subdirectory(${ADIT_GTEST_SOURCES} ${CMAKE_BINARY_DIR}/googletest EXCLUDE_FROM_ALL SYSTEM)

# What the tests use of common/base: the seeded random numbers.
add_library(adit_base STATIC common/base/check.cpp common/base/rng.cpp)
add_library(adit::base ALIAS adit_base)
target_link_libraries(adit_base PRIVATE adit_options)
target_include_directories(adit_base PUBLIC ${CMAKE_SOURCE_DIR})

add_subdirectory(kernels)
add_subdirectory(tests/unit/kernels)
add_subdirectory(tests/unit/kernels/hash)

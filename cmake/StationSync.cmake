# Options and helpers that every part shares: warnings, sanitizers, plugins, tests.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# A library that one part has found is known to those that link the part, such as tests.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(STATIONSYNC_PLUGIN_DIRECTORY ${CMAKE_BINARY_DIR}/bin/plugins)

# Link time counts with sanitizers: prefer a fast linker where there is one.
find_program(STATIONSYNC_MOLD mold)
find_program(STATIONSYNC_CCACHE ccache)
if(STATIONSYNC_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_C_COMPILER_LAUNCHER ${STATIONSYNC_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${STATIONSYNC_CCACHE})
endif()
if(STATIONSYNC_MOLD AND CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    add_link_options(-fuse-ld=mold)
endif()

add_library(stationsync_options INTERFACE)
if(WIN32)
    # Windows 10 and later, names in UTF-16, without the macros and headers that nobody asked for.
    target_compile_definitions(stationsync_options INTERFACE
        UNICODE NOMINMAX WIN32_LEAN_AND_MEAN _WIN32_WINNT=0x0A00)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    target_compile_options(stationsync_options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
        $<$<BOOL:${STATIONSYNC_WERROR}>:-Werror>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # g++ 12 sees overruns in std::string that are none (GCC bugs 105329, 105651), the more with sanitizers.
    target_compile_options(stationsync_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-array-bounds
        -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-maybe-uninitialized>)
endif()
if(STATIONSYNC_SANITIZE)
    add_compile_options(-fsanitize=${STATIONSYNC_SANITIZE} -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${STATIONSYNC_SANITIZE})
    if(STATIONSYNC_SANITIZE MATCHES "undefined")
        add_compile_options(-fno-sanitize-recover=undefined)
        # A third of the compile time together (measured: null 18 %, alignment 12 %, vptr 5 %, object-size nothing)
        # for what ASan finds, too (null, object-size), for what x86 and ARM64 allow (alignment), and for casts
        # down, which the code does not have (vptr).
        add_compile_options(-fno-sanitize=null,alignment,vptr,object-size)
    endif()
    if(STATIONSYNC_SANITIZE MATCHES "thread")
        # TSan of g++ 12 does not understand atomic_thread_fence.
        add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
    endif()
endif()
if(STATIONSYNC_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
add_compile_definitions(
    $<$<BOOL:${STATIONSYNC_FAULT_POINTS}>:STATIONSYNC_FAULT_POINTS>
    $<$<BOOL:${STATIONSYNC_TEST_CLOCK}>:STATIONSYNC_TEST_CLOCK>)

# Precompiled headers: one of the standard library that all static libraries share, one with GoogleTest
# for the test programs (these are compiled -fPIE, so they cannot share the former). A file that uses
# neither loses nothing; a target with other language options falls back to the plain headers.
option(STATIONSYNC_PRECOMPILE "Use precompiled headers" ON)
set(CMAKE_PCH_WARN_INVALID OFF)
set(STATIONSYNC_COMMON_HEADERS <algorithm> <array> <chrono> <cstdint> <cstring> <deque> <filesystem> <functional>
    <map> <memory> <mutex> <optional> <set> <span> <string> <string_view> <unordered_map> <utility> <variant>
    <vector>)

# stsync_precompile(TARGET...): for static libraries; a name that is no target is passed over, so that a
# partial build can name them all.
function(stsync_precompile)
    if(NOT STATIONSYNC_PRECOMPILE)
        return()
    endif()
    if(NOT TARGET stationsync_precompiled)
        file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled/empty.cpp CONTENT "")
        add_library(stationsync_precompiled OBJECT EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/precompiled/empty.cpp)
        # Warnings too: -Wpedantic changes predefined macros, and these must be those of the user.
        target_link_libraries(stationsync_precompiled PRIVATE stationsync_options)
        target_precompile_headers(stationsync_precompiled PRIVATE ${STATIONSYNC_COMMON_HEADERS})
    endif()
    foreach(target IN LISTS ARGN)
        if(TARGET ${target})
            target_precompile_headers(${target} REUSE_FROM stationsync_precompiled)
        endif()
    endforeach()
endfunction()

# The same for one program that uses GoogleTest.
function(stsync_precompile_test target)
    if(NOT STATIONSYNC_PRECOMPILE)
        return()
    endif()
    if(NOT TARGET stationsync_precompiled_test)
        file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled/main.cpp CONTENT "int main() {}\n")
        add_executable(stationsync_precompiled_test EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/precompiled/main.cpp)
        target_link_libraries(stationsync_precompiled_test PRIVATE GTest::gmock stationsync_options)
        target_precompile_headers(stationsync_precompiled_test PRIVATE ${STATIONSYNC_COMMON_HEADERS}
            <gmock/gmock.h> <gtest/gtest.h>)
    endif()
    target_precompile_headers(${target} REUSE_FROM stationsync_precompiled_test)
endfunction()

# All built-in plugins, for a build of only what runs.
add_custom_target(stationsync_builtin_plugins)

# stsync_add_plugin(NAME filesync SOURCES ... [LIBS ...])
# A loadable module in bin/plugins that exports nothing but stsync_plugin_v1.
function(stsync_add_plugin)
    cmake_parse_arguments(P "" "NAME;DIRECTORY" "SOURCES;LIBS" ${ARGN})
    set(target plugin_${P_NAME})
    string(REPLACE "-" "_" target ${target})
    add_library(${target} MODULE ${P_SOURCES})
    if(NOT P_DIRECTORY)
        set(P_DIRECTORY ${STATIONSYNC_PLUGIN_DIRECTORY})
    endif()
    set_target_properties(${target} PROPERTIES
        PREFIX "" OUTPUT_NAME stationsync-${P_NAME}
        C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
        LIBRARY_OUTPUT_DIRECTORY ${P_DIRECTORY})
    target_link_libraries(${target} PRIVATE stationsync::sdk stationsync_options ${P_LIBS})
    if(P_DIRECTORY STREQUAL STATIONSYNC_PLUGIN_DIRECTORY)
        add_dependencies(stationsync_builtin_plugins ${target})
    endif()
    if(NOT WIN32)
        target_link_options(${target} PRIVATE
            -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/plugin.map)
        if(NOT STATIONSYNC_SANITIZE)
            target_link_options(${target} PRIVATE -Wl,-z,defs)
        endif()
    endif()
endfunction()

# stsync_add_test(NAME unit_core LABEL unit SOURCES ... [LIBS ...] [TIMEOUT 120])
# One GoogleTest program; each of its cases is a ctest test with the given label. THREADS: it runs code in
# several threads at once, so .ci/run runs it under ThreadSanitizer too; its label gets "-threads" appended
# (gtest_discover_tests takes one label only; ctest -L matches parts of it).
add_custom_target(stationsync_tsan_tests)
function(stsync_add_test)
    cmake_parse_arguments(T "WHOLE;THREADS" "NAME;LABEL;TIMEOUT" "SOURCES;LIBS;ARGS;ENVIRONMENT" ${ARGN})
    if(NOT T_TIMEOUT)
        set(T_TIMEOUT 120)
    endif()
    add_executable(${T_NAME} ${T_SOURCES})
    target_link_libraries(${T_NAME} PRIVATE ${T_LIBS} GTest::gmock GTest::gtest_main stationsync_options)
    stsync_precompile_test(${T_NAME})
    if(T_THREADS)
        string(APPEND T_LABEL "-threads")
        add_dependencies(stationsync_tsan_tests ${T_NAME})
    endif()
    if(T_WHOLE)
        # One process for all cases: for programs whose start costs more than their cases.
        add_test(NAME ${T_NAME} COMMAND ${T_NAME} ${T_ARGS})
        set_tests_properties(${T_NAME} PROPERTIES LABELS ${T_LABEL} TIMEOUT ${T_TIMEOUT}
            ENVIRONMENT "${T_ENVIRONMENT}")
    else()
        include(GoogleTest)
        gtest_discover_tests(${T_NAME} TEST_PREFIX "${T_NAME}." DISCOVERY_MODE PRE_TEST
            DISCOVERY_TIMEOUT 120 # under a sanitizer on a busy machine the mere start takes seconds
            EXTRA_ARGS ${T_ARGS}
            PROPERTIES LABELS ${T_LABEL} TIMEOUT ${T_TIMEOUT} ENVIRONMENT "${T_ENVIRONMENT}")
    endif()
endfunction()

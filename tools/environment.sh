# Sourced by the scripts beside it: where the tree is, how to build, how sanitizers behave.
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1

jobs=$(nproc)
# A compiler with sanitizers can need 2 GB: fewer jobs where memory is short.
memory_gb=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
if ((memory_gb > 0 && jobs > memory_gb / 2)); then
    jobs=$((memory_gb / 2 > 0 ? memory_gb / 2 : 1))
fi

# Without these two ccache finds nothing where a precompiled header is used.
export CCACHE_SLOPPINESS="${CCACHE_SLOPPINESS:-pch_defines,time_macros,include_file_mtime,include_file_ctime}"

# One cache for all clones of the tree, wherever they lie.
export CCACHE_BASEDIR="${CCACHE_BASEDIR:-$top}" CCACHE_NOHASHDIR="${CCACHE_NOHASHDIR:-1}"

export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=0:allocator_may_return_null=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}"
# Tests say where they need a locale; the machine's must not matter.
export LC_ALL=C.UTF-8

# "step TEXT" prints a heading with the time since the start.
step() {
    printf '\n== %s  [%d:%02d]\n' "$1" $((SECONDS / 60)) $((SECONDS % 60))
}

# "configure PRESET [OPTION…]": quiet unless it fails.
configure() {
    local output
    if ! output=$(cmake --preset "$@" 2>&1 </dev/null); then
        printf '%s\n' "$output" | tail -n 40 >&2
        echo "configuring '$1' failed (above)" >&2
        return 1
    fi
}

# "build PRESET [OPTION…]": ninja's own progress line.
build() {
    local preset=$1
    shift
    cmake --build --preset "$preset" --parallel "$jobs" "$@" </dev/null
}

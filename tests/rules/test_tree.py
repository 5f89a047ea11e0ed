"""Rules of the tree itself. A finding names file, line and what to do instead."""

import pathlib
import re
import subprocess
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]
SUFFIXES = (".c", ".cpp", ".h", ".hpp")
COLUMNS_MAX = 100
LINES_MAX = {"tests": 800, "": 600}
# Folders of host/src and those that each may include.
HOST_MODULES = {
    "base": set(),
    "config": {"base"},
    "state": {"base", "net"},  # revisions are stored as they travel
    "net": {"base"},
    "packages": {"base"},
    "plugins": {"base", "config"},
    "api": {"base", "config", "net"},
    "service": {"base", "config", "state", "net", "packages", "plugins", "api"},
    "cli": {"base", "config", "net", "api", "service"},
}
CORE_HEADERS = {
    "algorithm", "any", "array", "bit", "bitset", "cassert", "charconv", "chrono", "climits", "cmath", "compare",
    "concepts", "cstddef", "cstdint", "cstdlib", "cstring", "deque", "functional", "initializer_list", "iterator",
    "limits", "list", "map", "memory", "numeric", "optional", "ostream", "queue", "set", "span", "sstream", "stdexcept",
    "string", "string_view", "tuple", "type_traits", "unordered_map", "unordered_set", "utility", "variant", "vector",
    "iterator", "ranges", "boost/system/result.hpp", "iomanip", "cstdio", "cctype",
}
CORE_BANNED = {
    r"_clock::now": "time comes in as an argument",
    r"std::random_device|\brand\(": "randomness comes in as a seed",
    r"std::thread|std::mutex|std::atomic": "the engine runs on its caller's thread",
    r"std::fopen|std::ifstream|std::ofstream": "core has no I/O: make it an action",
}
SYSTEM_HEADERS = re.compile(
    r'#include <(unistd|fcntl|dirent|poll|sys/[a-z_]+|linux/[a-z_]+|arpa/inet|netinet/[a-z_]+|net/if|ifaddrs|pwd|grp'
    r'|windows|winsock2|dlfcn)\.h>')
BUDGETS = {  # heavy headers: in how many sources at most, and never in a header
    r"#include <boost/asio/ssl": 10,
    r"#include <boost/beast": 3,
    r"#include <toml\+\+": 1,
}


def tracked(*folders):
    listed = subprocess.run(["git", "-C", TREE, "ls-files", "--", *folders], capture_output=True, text=True, check=True)
    return [TREE / name for name in listed.stdout.splitlines()
            if name.endswith(SUFFIXES) and (TREE / name).exists()]


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def name(path):
    return str(path.relative_to(TREE))


class Tree(unittest.TestCase):
    maxDiff = None

    def expect_none(self, findings):
        if findings:
            self.fail("\n" + "\n".join(findings))

    def test_files_are_small(self):
        findings = []
        for path in tracked():
            limit = LINES_MAX.get(name(path).split("/")[0], LINES_MAX[""])
            count = len(lines(path))
            if count > limit:
                findings.append(f"{name(path)}: {count} lines, at most {limit}: split it by responsibility")
        self.expect_none(findings)

    def test_lines_are_short(self):
        self.expect_none([f"{name(path)}:{number}: {len(line)} columns, at most {COLUMNS_MAX}"
                          for path in tracked() for number, line in enumerate(lines(path), 1)
                          if len(line) > COLUMNS_MAX])

    def test_headers_are_guarded(self):
        self.expect_none([f"{name(path)}: #pragma once is missing" for path in tracked()
                          if path.suffix in (".h", ".hpp") and "#pragma once" not in lines(path)])

    def test_nothing_is_left_for_later(self):
        self.expect_none([f"{name(path)}:{number}: finish it or say it in the documents: {line.strip()}"
                          for path in tracked() for number, line in enumerate(lines(path), 1)
                          if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line)])

    def test_core_needs_nothing(self):
        findings = []
        for path in tracked("core"):
            for number, line in enumerate(lines(path), 1):
                include = re.match(r"#include <([^>]+)>", line)
                if include and include[1] not in CORE_HEADERS:
                    findings.append(f"{name(path)}:{number}: core does not include <{include[1]}>")
                for pattern, instead in CORE_BANNED.items():
                    if re.search(pattern, line):
                        findings.append(f"{name(path)}:{number}: {instead}")
        self.expect_none(findings)

    def test_dependencies_go_one_way(self):
        findings = []
        for path in tracked("sdk", "plugins", "host/src", "core"):
            part = name(path).split("/")
            for number, line in enumerate(lines(path), 1):
                include = re.match(r'#include [<"]([^>"]+)[>"]', line)
                if not include:
                    continue
                wrong = self.wrong_direction(part, include[1])
                if wrong:
                    findings.append(f"{name(path)}:{number}: {wrong} must not include {include[1]}")
        self.expect_none(findings)

    @staticmethod
    def wrong_direction(part, include):
        top = include.split("/")[0]
        if part[0] in ("sdk", "plugins") and (include.startswith("stationsync/core/") or "host/" in include):
            return part[0]
        if part[0] == "core" and include.startswith("stationsync/") and not include.startswith("stationsync/core/"):
            return "core"
        if part[0] == "host" and "/" in include and top in HOST_MODULES:
            own = part[2]
            if top != own and top not in HOST_MODULES.get(own, set()):
                return f"host/src/{own}"
        return None

    def test_system_calls_stand_in_files_of_their_system(self):
        self.expect_none([f"{name(path)}:{number}: put it into a *_linux.cpp behind a header: {line}"
                          for path in tracked("core", "host", "plugins")
                          if not re.search(r"_(linux|windows)\.(cpp|hpp)$", path.name)
                          for number, line in enumerate(lines(path), 1) if SYSTEM_HEADERS.match(line)])

    def test_heavy_headers_keep_to_their_budget(self):
        findings = []
        for pattern, limit in BUDGETS.items():
            users = [path for path in tracked("core", "host", "plugins", "sdk")
                     if any(re.match(pattern, line) for line in lines(path))]
            findings += [f"{name(path)}: not in a header that others include: {pattern}" for path in users
                         if path.suffix == ".hpp" and not path.stem.endswith("_detail")]
            sources = [path for path in users if path.suffix == ".cpp"]
            if len(sources) > limit:
                findings.append(f"{pattern}: in {len(sources)} sources, at most {limit}: "
                                + ", ".join(map(name, sources)))
        self.expect_none(findings)

    def test_every_source_is_built(self):
        lists = "\n".join(path.read_text() for path in TREE.rglob("CMakeLists.txt") if "build" not in path.parts)
        self.expect_none([f"{name(path)}: no CMakeLists.txt names it" for path in tracked()
                          if path.suffix in (".cpp", ".c") and path.name not in lists
                          # Systems and families are put together: ${name}_linux.cpp, ${name}_test.cpp
                          and not re.search(r"_(linux|windows)\.cpp$", path.name)
                          and name(path).split("/")[1] != "fuzz"])

    def test_co_await_holds_names_only(self):
        # g++ 12 frees a lambda or aggregate temporary inside a co_await expression twice.
        self.expect_none([f"{name(path)}:{number}: give it a name before the co_await: {line.strip()}"
                          for path in tracked("host") for number, line in enumerate(lines(path), 1)
                          if re.search(r"co_await[^;]*(\[[^\]]*\]\s*\(|[A-Za-z_>]\{[^}])", line)])

    def test_tests_wait_for_states_and_never_sleep(self):
        self.expect_none([f"{name(path)}:{number}: wait for what can be observed: {line.strip()}"
                          for path in tracked("tests") for number, line in enumerate(lines(path), 1)
                          if re.search(r"sleep_for\(\s*(std::chrono::)?(seconds|minutes)|sleep_for\(\d+s\)", line)])


if __name__ == "__main__":
    unittest.main()

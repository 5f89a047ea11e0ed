#!/usr/bin/env python3
"""Proves each rule on seeded trees: it finds the violation, and nothing in the tree that keeps to it."""
import os
import sys
import tempfile
import unittest

import checks
import cpp_text

LIST = {'core/CMakeLists.txt': 'add_library(c src/a.cpp)'}


def lines(count, line='int x;\n'):
    return line * count


def function(count):
    return 'int f(int a) {\n' + lines(count - 2, '    ++a;\n') + '}\n'


# check: ([trees that break it], [trees that keep to it])
CASES = {
    'file_sizes': (
        [{'core/src/a.cpp': lines(601)}, {'core/src/a.hpp': lines(301)}, {'tests/unit/a.cpp': lines(801)}],
        [{'core/src/a.cpp': lines(600), 'core/src/a.hpp': lines(300), 'tests/unit/a.cpp': lines(800)}]),
    'function_lengths': (
        [{'core/src/a.cpp': function(71)},
         {'host/src/a.cpp': 'namespace a {\nclass B {\n' + function(71) + '};\n}\n'},
         {'host/src/a.cpp': 'A::A(int b)\n    : a_{b}, c_{b}\n' + '{\n' + lines(80, '  f();\n') + '}\n'},
         {'tests/a.cpp': 'TEST(A, B) {\n' + lines(70, '  f([&] { g(); });\n') + '}\n'}],
        [{'core/src/a.cpp': function(70) + function(70)},
         {'core/src/a.cpp': 'int const table[] = {\n' + lines(200, '  1,\n') + '};\n'},
         {'core/src/a.hpp': 'struct A {\n' + lines(200, '  int f() { return 1; }\n') + '};\n'}]),
    'messages_are_in_the_catalogue': (
        [{'core/src/a.cpp': 'MessageKind{"a-b", info}; make_message("a-c", {}); make_message("a-b", {});\n'},
         {'core/src/a.cpp': 'MessageKind{"a-b", info};\n'},
         {'host/src/a.cpp': 'raise("a-b", {});\n'}],
        [{'core/src/a.cpp': 'MessageKind{\n    "a-b", info};\n', 'host/src/a.cpp': 'raise("a-b", {});\n'}]),
    'columns': (
        [{'core/src/a.cpp': '//' + 'x' * 99 + '\n'}],
        [{'core/src/a.cpp': '//' + 'x' * 98 + '\n'}, {'core/src/a.cpp': '//' + 'ä' * 98 + '\n'}]),
    'core_is_pure': (
        [{'core/src/a.cpp': '#include <thread>\n'}, {'core/src/a.cpp': '#include <fstream>\n'},
         {'core/src/a.cpp': '#include <boost/asio.hpp>\n'}, {'core/src/a.cpp': '#include <unistd.h>\n'},
         {'core/src/a.cpp': '#include "base/clock.hpp"\n', 'host/src/base/clock.hpp': ''},
         {'core/src/a.cpp': 'auto t = std::chrono::steady_clock::now();\n'}],
        [{'core/src/a.cpp': '#include "b.hpp"\n#include <boost/system/result.hpp>\n#include <map>\n'
                            '// steady_clock::now is not for us\n', 'core/src/b.hpp': ''}]),
    'sdk_stands_alone': (
        [{'sdk/include/stationsync/a.hpp': '#include <boost/dll.hpp>\n'},
         {'sdk/include/stationsync/a.hpp': '#include "stationsync/core/ids.hpp"\n',
          'core/include/stationsync/core/ids.hpp': ''}],
        [{'sdk/include/stationsync/a.hpp': '#include "stationsync/b.h"\n#include <string>\n',
          'sdk/include/stationsync/b.h': ''}]),
    'plugins_use_the_sdk_only': (
        [{'plugins/x/src/a.cpp': '#include "stationsync/core/ids.hpp"\n'},
         {'plugins/x/src/a.cpp': '#include "../../y/src/b.hpp"\n'},
         {'plugins/x/src/a.cpp': '#include <boost/asio.hpp>\n'}],
        [{'plugins/x/src/a.cpp': '#include "b.hpp"\n#include "stationsync/b.h"\n#include <sqlite3.h>\n',
          'plugins/x/src/b.hpp': '', 'sdk/include/stationsync/b.h': ''}]),
    'host_links_no_plugin': (
        [{'host/src/a.cpp': '#include "files.hpp"\n', 'plugins/x/src/files.hpp': ''},
         {'host/src/net/CMakeLists.txt': 'target_link_libraries(a PRIVATE plugin_x)',
          'plugins/x/src/a.cpp': ''},
         {'host/src/a.cpp': '#include "../../core/src/outbox.hpp"\n'}],
        [{'host/src/a.cpp': '#include "plugins/loader.hpp"\n', 'host/src/plugins/loader.hpp': '',
          'plugins/x/src/a.cpp': '', 'host/CMakeLists.txt': 'target_link_libraries(a PRIVATE b)'}]),
    'heavy_headers': (
        [{**{f'host/src/n{i}.cpp': '#include "tls.hpp"\n' for i in range(11)},
          'host/src/tls.hpp': '#include <boost/asio/ssl.hpp>\n'},
         {f'host/src/n{i}.cpp': '#include <boost/beast/http.hpp>\n' for i in range(4)},
         {f'host/src/n{i}.cpp': '#include <toml++/toml.h>\n' for i in range(2)}],
        [{**{f'host/src/n{i}.cpp': '#include <boost/asio/ssl.hpp>\n' for i in range(10)},
          'host/src/t.cpp': '#include <toml++/toml.h>\n'}]),
    'await_names_only': (
        [{'host/src/a.cpp': 'co_await f(Options{1});\n'}, {'host/src/a.cpp': 'co_await f({1, 2});\n'},
         {'host/src/a.cpp': 'auto x = co_await f(y,\n    [&] { return 1; });\n'},
         {'host/src/a.cpp': 'co_await f([] (int) -> int;\n'}],
        [{'host/src/a.cpp': 'if (co_await f(std::move(a), b[1], "x{")) { g({1}); }\n'
                            'auto [x, y] = co_await h(z);\nint q[] = {1};\n'}]),
    'system_headers': (
        [{'host/src/a.cpp': '#include <unistd.h>\n'}, {'plugins/x/src/a.hpp': '#include <sys/stat.h>\n'},
         {'host/src/a_linux.cpp': '#include <windows.h>\n'}],
        [{'host/src/a_linux.cpp': '#include <unistd.h>\n', 'host/src/a_windows.cpp':
          '#include <windows.h>\n', 'tests/a.cpp': '#include <unistd.h>\n'}]),
    'nothing_left_over': (
        [{'core/src/a.cpp': '// TO' + 'DO later\n'}, {'docs/a.md': 'FIX' + 'ME\n'}],
        [{'core/src/a.cpp': 'mkstemp("a.XXXXXX"); // todo list\n'}]),
    'sources_are_built': (
        [{'core/src/b.cpp': '', **LIST}, {'host/src/a.cpp': '', **LIST},
         {'core/src/a.cpp': '', 'core/CMakeLists.txt': '# src/a.cpp'},
         {'core/src/a.c': '', 'core/src/a.py': 'compile("a.c")'}],
        [{'core/src/a.cpp': '', 'core/src/x.hpp': '', **LIST},
         {'tests/support/shim.c': '', 'tests/support/shim.py': 'compile("shim.c")'},
         {'host/a_linux.cpp': '', 'host/CMakeLists.txt': 'add_library(h ${name}_linux.cpp)'}]),
    'headers_are_guarded': (
        [{'core/src/a.hpp': 'int a;\n'}], [{'core/src/a.hpp': '// a\n#pragma once\n'}]),
    'host_modules_go_one_way': (
        [{'host/src/base/a.cpp': '#include "net/links.hpp"\n'},
         {'host/src/net/a.cpp': '#include "service/runtime.hpp"\n'}],
        [{'host/src/service/a.cpp': '#include "net/links.hpp"\n#include "service/b.hpp"\n'}]),
    'tests_never_sleep': (
        [{'tests/a.cpp': 'std::this_thread::sleep_for(std::chrono::seconds(1));\n'},
         {'tests/a.cpp': 'std::this_thread::sleep_for(2s);\n'}],
        [{'tests/a.cpp': 'wait_until([] { return ready(); }, 30s);\n'}]),
    'no_workplace': (
        [{'docs/a.md': 'see /wo' + 'rk/main/core\n'}, {'tools/a': 'cd /tmp/' + 'build-x\n'}],
        [{'docs/a.md': 'the work of a day; /tmp/demo\n'}]),
}


def problems(name, files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            target = os.path.join(root, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, 'w', encoding='utf-8') as file:
                file.write(text)
        check = next(check for check in checks.ALL if check.__name__ == name)
        return list(check(checks.Tree(root)))


class Seeded(unittest.TestCase):
    def test_every_check_has_seeded_violations(self):
        self.assertEqual(set(CASES), {check.__name__ for check in checks.ALL})

    def test_violations_are_found(self):
        for name, (bad, _) in CASES.items():
            for files in bad:
                with self.subTest(check=name, tree=list(files)):
                    self.assertTrue(problems(name, files))

    def test_good_trees_pass(self):
        for name, (_, good) in CASES.items():
            for files in good:
                with self.subTest(check=name, tree=list(files)):
                    self.assertEqual(problems(name, files), [])


class Reader(unittest.TestCase):
    def test_braces_in_strings_and_comments_do_not_count(self):
        text = 'int f() {\n  g("{"); // {\n  h(\'{\'); /* { */\n  k(R"x({)x");\n}\nint b() { }\n'
        self.assertEqual([found[1] for found in cpp_text.functions(text)], [5, 1])

    def test_head_counts_with_its_body(self):
        text = 'int f(int a,\n      int b) const noexcept {\n}\n'
        self.assertEqual(cpp_text.functions(text)[0][:2], (1, 3))

    def test_digit_separators_are_no_characters(self):
        text = "int f() { return 1'000'000; }\nint g() { }\n"
        self.assertEqual(len(cpp_text.functions(text)), 2)


if __name__ == '__main__':
    sys.exit(unittest.main(verbosity=1))

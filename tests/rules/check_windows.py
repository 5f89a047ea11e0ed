"""Compiles the sources that only Windows uses, as far as a compiler for Windows on another system can: for
errors and warnings, without linking. What they do there is shown on Windows only."""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

COMPILERS = ['x86_64-w64-mingw32-g++-posix', 'x86_64-w64-mingw32-g++']
# Headers only, the same on all systems. The rest of /usr/include is not for Windows.
BORROWED = ['boost', 'expat.h', 'expat_external.h', 'sqlite3.h']
# The definitions are those of stationsync_options in cmake/StationSync.cmake.
OPTIONS = ['-std=c++20', '-fsyntax-only', '-Wall', '-Wextra', '-Werror', '-DUNICODE', '-DNOMINMAX',
           '-DWIN32_LEAN_AND_MEAN', '-D_WIN32_WINNT=0x0A00']
SKIPPED = 77


def sources(root):
    return sorted(path for part in ('core', 'host', 'plugins', 'sdk', 'tests')
                  for path in (root / part).rglob('*_windows.cpp'))


def own_includes(root, source):
    yield source.parent
    parts = source.relative_to(root).parts
    yield root / 'host' / 'src' if parts[0] == 'host' else root.joinpath(*parts[:2]) / 'src'
    for part in ('sdk', 'core'):
        yield root / part / 'include'


def compile_one(compiler, borrowed, source, includes):
    """What the compiler has against it; empty = nothing."""
    command = [compiler, *OPTIONS, *(f'-I{path}' for path in includes), '-isystem', borrowed, str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return '' if done.returncode == 0 else done.stderr or f'exit code {done.returncode}'


def main(root):
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        print('skipped: there is no compiler for Windows; install g++-mingw-w64-x86-64-posix')
        return SKIPPED
    found = sources(root)
    with tempfile.TemporaryDirectory() as borrowed:
        for name in BORROWED:
            os.symlink(f'/usr/include/{name}', f'{borrowed}/{name}')
        wrong = pathlib.Path(borrowed, 'wrong_windows.cpp')
        wrong.write_text('#include <windows.h>\nint wrong = CreateFileW();\n', encoding='utf-8')
        if not compile_one(compiler, borrowed, wrong, []):
            print(f'{compiler} refuses nothing: a wrong source passes')
            return 1
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            complaints = list(pool.map(
                lambda source: compile_one(compiler, borrowed, source, own_includes(root, source)), found))
    for source, complaint in zip(found, complaints):
        if complaint:
            print(f'{source.relative_to(root)}:\n{complaint}')
    refused = sum(map(bool, complaints))
    print(f'{len(found)} sources for Windows, {refused} refused')
    return 1 if refused or not found else 0


if __name__ == '__main__':
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))

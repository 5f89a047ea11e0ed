"""The rules of the code that a compiler does not hold. Each check gives a list of sentences."""
import os
import re

import cpp_text

CODE = ('.cpp', '.hpp', '.c', '.h', '.inc')
SOURCES = ('.cpp', '.c')
TEXT = CODE + ('.py', '.txt', '.cmake', '.md', '.toml', '.json', '.proto', '.yml', '.yaml', '.sql', '.in',
               '.sh', '')
PARTS = ('sdk', 'core', 'host', 'plugins', 'tests')
LINES_MAX = {'source': 600, 'header': 300, 'test': 800}
FUNCTION_LINES_MAX = 70
# A function that only lists data (commands, profiles) is read like a table.
TABLE_LINES_MAX = 130
COLUMNS_MAX = 100

NOT_IN_CORE = {
    'thread', 'mutex', 'shared_mutex', 'condition_variable', 'future', 'stop_token', 'random', 'fstream',
    'filesystem', 'iostream', 'ctime', 'csignal'}
CALLS_NOT_IN_CORE = re.compile(
    r'\b(?:(?:system|steady|high_resolution|utc)_clock::now|random_device|getenv|fopen|printf)\b')
POSIX_HEADERS = re.compile(
    r'^(?:unistd|fcntl|poll|pthread|dirent|dlfcn|pwd|grp|termios|syslog|netdb|ifaddrs|ucontext|spawn'
    r'|glob|fnmatch|ftw|sched|semaphore|aio)\.h$|^(?:sys|net|netinet|arpa|linux)/')
WINDOWS_HEADERS = re.compile(
    r'^(?:windows|winsock2|ws2tcpip|winternl|shlobj|aclapi|sddl|bcrypt|wincrypt|iphlpapi)\.h$', re.I)


class Tree:
    """The files of a repository, read once."""

    def __init__(self, root):
        self.root = root
        self.files = {}
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(d for d in folders
                                if d not in ('.git', '__pycache__', '.cache')
                                and not (folder == root and d.startswith('build')))
            for name in sorted(names):
                path = os.path.join(folder, name)
                extension = os.path.splitext(name)[1]
                if extension not in TEXT or os.path.islink(path) or os.path.getsize(path) > 1 << 20:
                    continue
                try:
                    with open(path, encoding='utf-8') as file:
                        self.files[os.path.relpath(path, root).replace(os.sep, '/')] = file.read()
                except UnicodeDecodeError:
                    pass  # sample data

    def code(self, *parts):
        for path, text in self.files.items():
            if path.endswith(CODE) and path.split('/')[0] in (parts or PARTS):
                yield path, text


def file_sizes(tree):
    for path, text in tree.code():
        kind = 'test' if path.startswith('tests/') else 'source' if path.endswith(SOURCES) else 'header'
        lines = text.count('\n')
        if lines > LINES_MAX[kind]:
            yield f'{path}: {lines} lines; a {kind} has at most {LINES_MAX[kind]}: split it'


def function_lengths(tree):
    for path, text in tree.code():
        for line, lines, head in cpp_text.functions(text):
            most = TABLE_LINES_MAX if head.startswith('std::vector<') else FUNCTION_LINES_MAX
            if lines > most:
                yield f'{path}:{line}: a function of {lines} lines ({head}); at most {most}'


def columns(tree):
    for path, text in tree.code():
        for number, line in enumerate(text.split('\n'), 1):
            if len(line) > COLUMNS_MAX:
                yield f'{path}:{number}: {len(line)} columns; at most {COLUMNS_MAX}'


def _resolves(tree, path, include, *roots):
    own = os.path.normpath(os.path.join(os.path.dirname(path), include)).replace(os.sep, '/')
    return any(name in tree.files for name in [own] + [root + '/' + include for root in roots])


def core_is_pure(tree):
    for path, text in tree.code('core'):
        for is_system, include in cpp_text.includes(text):
            if is_system and (include in NOT_IN_CORE or '/' in include or include.endswith('.h')):
                if include != 'boost/system/result.hpp':
                    yield f'{path}: core does not include <{include}>: time, randomness and the ' \
                          'world come in as arguments and events'
            elif not is_system and not _resolves(tree, path, include, 'core/include', 'core/src'):
                yield f'{path}: core includes nothing but its own and the standard library: "{include}"'
        for match in CALLS_NOT_IN_CORE.finditer(cpp_text.without_comments_and_strings(text)):
            yield f'{path}: core does not call {match.group(0)}: it is an argument or an event'


def sdk_stands_alone(tree):
    for path, text in tree.code('sdk'):
        for is_system, include in cpp_text.includes(text):
            known = _resolves(tree, path, include, 'sdk/include')
            if '/' in include and not known and not POSIX_HEADERS.match(include):
                yield f'{path}: the sdk depends on nothing: {include}'


def plugins_use_the_sdk_only(tree):
    for path, text in tree.code('plugins'):
        own = '/'.join(path.split('/')[:2])
        for is_system, include in cpp_text.includes(text):
            if include.startswith(('stationsync/core', 'boost/', 'spdlog/')):
                yield f'{path}: a plugin uses the sdk only, not {include}'
            elif not is_system and not _resolves(tree, path, include, own + '/src', own + '/include',
                                                 'sdk/include'):
                yield f'{path}: a plugin uses the sdk and its own files only, not "{include}"'


def host_links_no_plugin(tree):
    plugins = {path.split('/')[1] for path in tree.files if path.startswith('plugins/')
               and path.count('/') > 1}
    for path, text in tree.code('host'):
        for is_system, include in cpp_text.includes(text):
            if is_system:
                continue
            in_plugin = any(_resolves(tree, path, include, f'plugins/{name}/src', f'plugins/{name}')
                            for name in plugins)
            at_home = _resolves(tree, path, include, 'host/src', 'core/include', 'sdk/include')
            if 'core/src' in include or (in_plugin and not at_home):
                yield f'{path}: the host uses public headers of core and sdk, and no plugin: "{include}"'
    targets = {'plugin_' + name.replace('-', '_') for name in plugins}
    for path, text in tree.files.items():
        if path.startswith('host/') and path.endswith('CMakeLists.txt'):
            for call in re.findall(r'target_link_libraries\(([^)]*)\)', text):
                for target in targets & set(call.split()):
                    yield f'{path}: the host loads {target} at run time, it never links it'


def _reaching(tree, pattern):
    """Source files of the host that see a header, also through other headers."""
    wanted = re.compile(pattern)
    known = {}

    def reaches(path, trail):
        if path in known:
            return known[path]
        if path in trail:
            return False
        text = tree.files[path]
        result = False
        for is_system, include in cpp_text.includes(text):
            if wanted.search(include):
                result = True
                break
            for root in (os.path.dirname(path), 'host/src', 'core/include', 'sdk/include'):
                name = os.path.normpath(f'{root}/{include}').replace(os.sep, '/')
                if not is_system and name in tree.files:
                    result = result or reaches(name, trail | {path})
                    break
        known[path] = result
        return result

    return [path for path, _ in tree.code('host')
            if path.endswith('.cpp') and reaches(path, frozenset())]


def heavy_headers(tree):
    for name, pattern, most in (('Asio\'s ssl', r'^boost/asio/ssl', 10), ('Beast', r'^boost/beast', 3),
                                ('toml++', r'^toml(\+\+|plusplus)?/|^toml\.hpp$', 1)):
        users = _reaching(tree, pattern)
        if len(users) > most:
            yield f'{name} is compiled into {len(users)} files, at most {most}: {", ".join(users)}'


def await_names_only(tree):
    for path, text in tree.code():
        for line, expression in cpp_text.await_expressions(text):
            if '{' in expression:
                yield f'{path}:{line}: a brace inside a co_await expression: give it a name before'
            elif re.search(r'(?:^|[^\w\])\s])\s*\[', expression):
                yield f'{path}:{line}: a lambda inside a co_await expression: give it a name before'


def system_headers(tree):
    for path, text in tree.code('sdk', 'core', 'host', 'plugins'):
        stem = os.path.splitext(path)[0]
        for is_system, include in cpp_text.includes(text):
            if not is_system:
                continue
            if POSIX_HEADERS.match(include) and not stem.endswith('_linux'):
                yield f'{path}: <{include}> belongs into a file named *_linux.cpp'
            if WINDOWS_HEADERS.match(include) and not stem.endswith('_windows'):
                yield f'{path}: <{include}> belongs into a file named *_windows.cpp'


def nothing_left_over(tree):
    pattern = re.compile(r'\b(TO' + r'DO|FIX' + r'ME|XX' + r'X)\b')
    for path, text in tree.files.items():
        for number, line in enumerate(text.split('\n'), 1):
            if match := pattern.search(line):
                yield f'{path}:{number}: {match.group(0)} is left over'


def _listed_sources(tree):
    """For each folder with a CMakeLists.txt a pattern of the sources that it names."""
    for path, text in tree.files.items():
        if path.endswith(('CMakeLists.txt', '.cmake')):
            text = re.sub(r'#.*', '', text)
            words = {word for word in re.findall(r'[\w./+${}-]+', text) if word.endswith(SOURCES)}
            # A name may be put together: ${name}_linux.cpp
            patterns = [r'[\w./+-]+'.join(map(re.escape, re.split(r'\$\{\w+\}', word)))
                        for word in words]
            yield os.path.dirname(path), re.compile('|'.join(patterns) or r'(?!)')


def sources_are_built(tree):
    lists = list(_listed_sources(tree))
    for path, _ in tree.code():
        if not path.endswith(SOURCES):
            continue
        listed = any(pattern.fullmatch(os.path.relpath(path, folder or '.').replace(os.sep, '/'))
                     for folder, pattern in lists if not folder or path.startswith(folder + '/'))
        # What a test program compiles for itself, e.g. a library to preload.
        name = os.path.basename(path)
        listed = listed or any(name in text for other, text in tree.files.items()
                               if path.startswith('tests/') and other.endswith('.py') and
                               os.path.dirname(other) == os.path.dirname(path))
        if not listed:
            yield f'{path}: no CMakeLists.txt lists it'


def headers_are_guarded(tree):
    for path, text in tree.code():
        if path.endswith(('.h', '.hpp')) and '#pragma once' not in text.split('\n'):
            yield f'{path}: #pragma once is missing'


# Folders of host/src and those that each may include.
HOST_MODULES = {
    'base': set(),
    'config': {'base'},
    'net': {'base'},
    'packages': {'base'},
    'plugins': {'base', 'config'},
    'state': {'base', 'net'},  # revisions are stored as they travel
    'api': {'base', 'config', 'net'},
    'service': {'base', 'config', 'state', 'net', 'packages', 'plugins', 'api'},
    'cli': {'base', 'config', 'net', 'api', 'service'},
}


def host_modules_go_one_way(tree):
    for path, text in tree.code('host'):
        parts = path.split('/')
        if len(parts) < 4 or parts[2] not in HOST_MODULES:
            continue
        for _, include in cpp_text.includes(text):
            other = include.split('/')[0]
            if '/' in include and other in HOST_MODULES and other != parts[2] and \
                    other not in HOST_MODULES[parts[2]]:
                yield f'{path}: {parts[2]} does not include {include}'


def tests_never_sleep(tree):
    pattern = re.compile(r'sleep_for\s*\(\s*(?:std::chrono::(?:seconds|minutes)|\d+s\b)')
    for path, text in tree.code('tests'):
        for match in pattern.finditer(cpp_text.without_comments_and_strings(text)):
            yield f'{path}: wait for what can be observed instead of {match.group(0)}'


def messages_are_in_the_catalogue(tree):
    named = {}  # id: where it is named
    known = {}
    for path, text in tree.code('core', 'host'):
        for match in re.finditer(r'MessageKind\{\s*"([a-z-]+)"', text):
            known[match.group(1)] = path
        for match in re.finditer(r'(?:make_message|\braise|ClearMessage|clear_message|messages_?(?:->|\.)clear)'
                                 r'[({]\s*"([a-z-]+)"|_message\[\] = "([a-z-]+)"|return "(no-space-[a-z]+)"', text):
            named[next(filter(None, match.groups()))] = path
    for name in sorted(named.keys() - known.keys()):
        yield f'{named[name]}: the catalogue of messages lacks "{name}"'
    for name in sorted(known.keys() - named.keys()):
        yield f'{known[name]}: nothing raises the message "{name}"'


def no_workplace(tree):
    words = ['/wo' + 'rk/main', '/wo' + 'rk/shared', '/tmp/' + 'brief', '/tmp/' + 'build-']
    for path, text in tree.files.items():
        for word in words:
            if word in text:
                yield f'{path}: names the workplace ("{word}")'


ALL = [file_sizes, function_lengths, columns, core_is_pure, sdk_stands_alone, plugins_use_the_sdk_only,
       host_links_no_plugin, heavy_headers, await_names_only, system_headers, nothing_left_over,
       sources_are_built, headers_are_guarded, host_modules_go_one_way, tests_never_sleep,
       messages_are_in_the_catalogue, no_workplace]

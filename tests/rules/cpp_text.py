"""A reader of C and C++ that knows just enough for the rules: comments, strings, braces, includes."""
import re

_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s\\]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
_SPECIFIERS = re.compile(
    r'(\s|\b(const|noexcept|override|final|mutable|volatile|try)\b|noexcept\([^()]*\)|&&?'
    r'|->[^(){};]+|requires[^(){};]+)+$')


def without_comments_and_strings(text):
    """The same text with comments blank and string literals empty; lines keep their numbers."""
    def blank(match):
        token = match.group(0)
        lines = '\n' * token.count('\n')
        if token[0] in '"R':
            return '""' + lines
        if token[0] == "'":
            return "'_'"
        return lines if lines else ' '
    return _TOKEN.sub(blank, text)


def includes(text):
    """(is_system, path) of each include."""
    return [(kind == '<', path) for kind, path in _INCLUDE.findall(text)]


_INITIALIZERS = re.compile(r'\)\s*(noexcept\s*)?:\s*[\w:<>]+')


def _opens_initializer(head):
    """The brace of a member in a constructor's list, a_{b}, stands right behind its name."""
    return bool(_INITIALIZERS.search(head)) and bool(re.search(r'[\w>]$', head))


def _opens_function(head):
    if _INITIALIZERS.search(head):
        return True
    return _SPECIFIERS.sub('', head.strip()).endswith(')')


def _opens_scope(head):
    words = re.sub(r'<[^<>]*>|\([^()]*\)|\[\[[^\]]*\]\]', '', head)
    return bool(re.search(r'\b(namespace|class|struct|union|extern)\b', words)) and '=' not in words


def functions(text):
    """(first line, number of lines, first words) of each outermost function with its head."""
    text = re.sub(r'^[ \t]*#(?:[^\n\\]|\\.)*(?:\\\n[^\n]*)*', '',
                  without_comments_and_strings(text), flags=re.M)
    found = []
    stack = []  # 'scope', 'function', 'initializer' or 'other' for each open brace
    head_start, head_line, line = 0, 1, 1
    for position, character in enumerate(text):
        if character == '\n':
            line += 1
        if stack and stack[-1] != 'scope':
            if character == '{':
                stack.append('other')
            elif character == '}' and stack.pop() == 'function':
                head = ' '.join(text[head_start:position].split('{')[0].split())
                found.append((head_line, line - head_line + 1, head[:60]))
                head_start = position + 1
            continue
        if not character.isspace() and not text[head_start:position].strip():
            head_line = line
        if character in ';}':
            if character == '}' and stack:
                stack.pop()
            head_start = position + 1
        elif character == '{':
            head = text[head_start:position]
            if _opens_initializer(head):
                stack.append('initializer')
            elif _opens_function(head):
                stack.append('function')
            elif _opens_scope(head):
                stack.append('scope')
                head_start = position + 1
            else:
                stack.append('other')
    return found


def await_expressions(text):
    """(line, expression) for each co_await, from the word to the end of its full expression."""
    text = without_comments_and_strings(text)
    for match in re.finditer(r'\bco_await\b', text):
        depth, end = 0, match.end()
        while end < len(text):
            character = text[end]
            if character in '([{':
                depth += 1
            elif character in ')]}':
                depth -= 1
                if depth < 0:
                    break
            elif character == ';' and depth == 0:
                break
            end += 1
        yield text.count('\n', 0, match.start()) + 1, text[match.end():end]

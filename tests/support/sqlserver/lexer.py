"""Tokens of Transact-SQL: names, variables, strings, numbers, binary constants and operators."""

import re
from collections import namedtuple
from decimal import Decimal

from .errors import Message, Unknown, fail

# kind: name (plain), quoted ([x] or "x"), var, string, number, binary, op, end
Token = namedtuple("Token", "kind value start end")

_PATTERN = re.compile(r"""
    (?P<space>\s+|--[^\n]*)
  | (?P<comment>/\*)
  | (?P<string>N?'(?:[^']|'')*')
  | (?P<quoted>\[(?:[^\]]|\]\])*\]|"(?:[^"]|"")*")
  | (?P<binary>0x[0-9A-Fa-f]*)
  | (?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)
  | (?P<var>@@?[\w$#@]+)
  | (?P<name>\$action|[^\W\d][\w$\#@]*|\#\w+)
  | (?P<op><>|!=|<=|>=|!<|!>|\+=|-=|::|[-+*/%=<>(),.;&|^~:$])
""", re.VERBOSE | re.IGNORECASE)


def _skip_comment(text, at):
    """Comments nest in Transact-SQL."""
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(text, at):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    raise fail(102, "/*")


def _value(kind, text):
    if kind == "string":
        return text[text.index("'") + 1:-1].replace("''", "'")
    if kind == "quoted":
        closing = text[-1]
        return text[1:-1].replace(closing * 2, closing)
    if kind == "binary":
        return bytes.fromhex(text[2:] if len(text) % 2 == 0 else "0" + text[2:])
    if kind == "number":
        if "e" in text.lower():
            return float(text)
        return Decimal(text) if "." in text else int(text)
    return text


def tokens(text):
    """All tokens of a batch, the last one of kind `end`."""
    result = []
    at = 0
    while at < len(text):
        match = _PATTERN.match(text, at)
        if not match:
            if text[at] in "'":
                raise fail(105, text[at + 1:at + 40])
            raise Unknown(Message(102, text[at]))
        kind = match.lastgroup
        if kind == "comment":
            at = _skip_comment(text, at)
            continue
        if kind != "space":
            result.append(Token(kind, _value(kind, match.group()), match.start(), match.end()))
        at = match.end()
    result.append(Token("end", "", len(text), len(text)))
    return result

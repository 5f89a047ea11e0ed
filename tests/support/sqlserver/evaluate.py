"""Values of expressions, with the three-valued logic of SQL: conditions give True, False or None."""

import datetime
import re
from collections import namedtuple
from decimal import Decimal

from . import functions, sqltypes
from .errors import Message, SqlError, Unknown, fail
from .versions import SINCE

Rowset = namedtuple("Rowset", "columns rows")  # columns: (name, Type); rows: tuples
Source = namedtuple("Source", "alias names columns row")  # names: {lower-case name: position}


def source(alias, columns, row=None):
    return Source(alias.casefold(), {name.casefold(): n for n, (name, _) in reversed(list(enumerate(columns)))},
                  columns,
                  row)


class Scope:
    """Where columns are looked for: the sources of a query, then those of the query around it."""

    def __init__(self, sources, parent=None, group=None):
        self.sources = sources
        self.parent = parent
        self.group = group  # the scopes of the rows that an aggregate is about

    def find(self, path):
        name = path[-1].casefold()
        table = path[-2].casefold() if len(path) > 1 and path[-2] else None
        for candidate in self.sources:
            if (table is None or candidate.alias == table) and name in candidate.names:
                return candidate, candidate.names[name]
        if self.parent:
            return self.parent.find(path)
        return None, None


class Evaluator:
    """Evaluates for one session; `query` runs the SELECTs that are parts of expressions."""

    def __init__(self, session, run_query):
        self.session = session
        self.run_query = run_query

    def value(self, node, scope):
        return getattr(self, "_" + node.kind)(node, scope)

    def is_true(self, node, scope):
        return node is None or self.value(node, scope) is True

    # Leaves

    def _literal(self, node, _scope):
        return node.value

    def _variable(self, node, _scope):
        if node.name not in self.session.variables:
            raise fail(137, node.name)
        return self.session.variables[node.name][1]

    def _global(self, node, _scope):
        return functions.global_value(self.session, node.name)

    def _column(self, node, scope):
        found, position = scope.find(node.path) if scope else (None, None)
        if found is None:
            raise self._no_column(node.path)
        return found.row[position]

    def _no_column(self, path):
        """A column that this version does not have, or one that the stand-in does not know at all."""
        instance = self.session.instance
        message = Message(207, path[-1])
        if any(key.split(".")[-1] == path[-1].lower() and not instance.version.has(key) for key in SINCE if "." in key):
            instance.absent.append({"program": self.session.program, "text": path[-1]})
            return SqlError(message)
        return Unknown(message)

    def _collate(self, node, scope):
        return self.value(node.value, scope)

    def _next_value(self, node, _scope):
        return self.run_query.next_value(node.path)

    def _star(self, _node, _scope):
        return 1

    # Operators

    def _unary(self, node, scope):
        value = self.value(node.value, scope)
        if value is None or node.op == "+":
            return value
        return -value if node.op == "-" else ~value

    def _arithmetic(self, node, scope):
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        if left is None or right is None:
            return None
        if node.op == "+" and isinstance(left, str) and isinstance(right, str):
            return left + right
        if node.op == "+" and isinstance(left, bytes) and isinstance(right, bytes):
            return left + right
        if isinstance(left, datetime.datetime) and isinstance(right, (int, Decimal)):
            days = datetime.timedelta(days=float(right))
            return left + days if node.op == "+" else left - days
        if isinstance(left, str):
            left = sqltypes.convert(left, sqltypes.of_value(right))
        if isinstance(right, str):
            right = sqltypes.convert(right, sqltypes.of_value(left))
        if isinstance(left, float) != isinstance(right, float):
            left, right = float(left), float(right)
        return _calculate(node.op, left, right)

    def _compare(self, node, scope):
        return compare(node.op, self.value(node.left, scope), self.value(node.right, scope))

    def _and(self, node, scope):
        left = self.value(node.left, scope)
        if left is False:
            return False
        right = self.value(node.right, scope)
        return False if right is False else None if left is None or right is None else True

    def _or(self, node, scope):
        left = self.value(node.left, scope)
        if left is True:
            return True
        right = self.value(node.right, scope)
        return True if right is True else None if left is None or right is None else False

    def _not(self, node, scope):
        value = self.value(node.value, scope)
        return None if value is None else not value

    def _isnull(self, node, scope):
        return (self.value(node.value, scope) is None) != node.negated

    def _in(self, node, scope):
        value = self.value(node.value, scope)
        if node.query is not None:
            others = [row[0] for row in self.run_query(node.query, scope).rows]
        else:
            others = [self.value(other, scope) for other in node.values]
        results = [compare("=", value, other) for other in others]
        found = True if True in results else None if None in results else False
        return None if found is None else found != node.negated

    def _between(self, node, scope):
        value = self.value(node.value, scope)
        results = (compare(">=", value, self.value(node.low, scope)),
                   compare("<=", value, self.value(node.high, scope)))
        found = False if False in results else None if None in results else True
        return None if found is None else found != node.negated

    def _like(self, node, scope):
        value, pattern = self.value(node.value, scope), self.value(node.pattern, scope)
        if value is None or pattern is None:
            return None
        return bool(_like_pattern(pattern, node.escape).fullmatch(str(value))) != node.negated

    def _case(self, node, scope):
        subject = self.value(node.value, scope) if node.value else None
        for condition, result in node.branches:
            if node.value:
                hit = compare("=", subject, self.value(condition, scope))
            else:
                hit = self.value(condition, scope)
            if hit is True:
                return self.value(result, scope)
        return self.value(node.otherwise, scope)

    def _convert(self, node, scope):
        try:
            return sqltypes.convert(self.value(node.value, scope), node.type, self.value(node.style, scope))
        except SqlError:
            if node.lenient:
                return None
            raise

    def _call(self, node, scope):
        return functions.call(self.session, node.name, lambda n: self.value(node.arguments[n], scope),
                              len(node.arguments))

    # Queries inside expressions

    def _subquery(self, node, scope):
        rows = self.run_query(node.query, scope).rows
        if len(rows) > 1:
            raise fail(512)
        return rows[0][0] if rows else None

    def _exists(self, node, scope):
        return bool(self.run_query(node.query, scope).rows)

    def _aggregate(self, node, scope):
        while scope is not None and scope.group is None:
            scope = scope.parent
        if scope is None:
            raise fail(147, severity=15, text="An aggregate may not appear here.")
        if node.arguments[0].kind == "star":
            return len(scope.group)
        values = [self.value(node.arguments[0], inner) for inner in scope.group]
        values = [value for value in values if value is not None]
        if node.distinct:
            values = list({sqltypes.comparable(value): value for value in values}.values())
        separator = self.value(node.arguments[1], scope) if len(node.arguments) > 1 else ""
        return _aggregated(node.name, values, separator)

    # Types

    def type(self, node, scope):
        """The type of a result column, also when there is no row."""
        kind = node.kind
        if kind == "column":
            found, position = scope.find(node.path)
            if found is None:
                raise self._no_column(node.path)
            return found.columns[position][1]
        if kind == "convert":
            return node.type
        if kind == "variable" and node.name in self.session.variables:
            return self.session.variables[node.name][0]
        if kind == "subquery":
            return self.run_query.columns(node.query, scope)[0][1]
        if kind == "collate":
            return self.type(node.value, scope)
        if kind == "aggregate":
            return self._aggregate_type(node, scope)
        if kind == "case":
            types = [self.type(result, scope) for _, result in node.branches] + [self.type(node.otherwise, scope)]
            return next((t for t in types if t is not None), None)
        if kind == "call":
            return functions.result_type(node.name, [lambda n=n: self.type(n, scope) for n in node.arguments])
        if kind == "global":
            return functions.global_type(node.name)
        if kind == "literal":
            return None if node.value is None else sqltypes.of_value(node.value)
        if kind == "arithmetic":
            left, right = self.type(node.left, scope), self.type(node.right, scope)
            return None if left != right or left is None or left.name not in sqltypes.INTEGERS else left
        return None

    def _aggregate_type(self, node, scope):
        if node.name in ("count", "checksum_agg"):
            return sqltypes.INT
        if node.name == "count_big":
            return sqltypes.BIGINT
        inner = self.type(node.arguments[0], scope)
        if node.name in ("sum", "avg") and inner is not None:
            if inner.name in ("tinyint", "smallint"):
                return sqltypes.INT
            if inner.name == "real":
                return sqltypes.FLOAT
            if inner.name in sqltypes.DECIMALS:
                return sqltypes.Type("numeric", 0, 38, inner.scale)
        return inner


def _calculate(operator, left, right):
    if operator in "/%" and right == 0:
        raise fail(8134)
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if operator == "/":
        if isinstance(left, int) and isinstance(right, int):
            quotient = abs(left) // abs(right)
            return quotient if (left < 0) == (right < 0) else -quotient
        return left / right
    if operator == "%":
        remainder = abs(left) % abs(right)
        return -remainder if left < 0 else remainder
    return {"&": int.__and__, "|": int.__or__, "^": int.__xor__}[operator](int(left), int(right))


def compare(operator, left, right):
    if left is None or right is None:
        return None
    left, right = sqltypes.unify(left, right)
    if isinstance(left, float) or isinstance(right, float):
        left, right = float(left), float(right)
    if operator == "=":
        return left == right
    if operator in ("<>", "!="):
        return left != right
    if operator in ("<", ">", "<=", ">="):
        return {"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[operator]
    return left >= right if operator == "!<" else left <= right


def _like_pattern(pattern, escape):
    result, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        if escape and char == escape and at + 1 < len(pattern):
            at += 1
            result += re.escape(pattern[at])
        elif char == "%":
            result += ".*"
        elif char == "_":
            result += "."
        elif char == "[" and "]" in pattern[at:]:
            end = pattern.index("]", at + 1)
            inside = pattern[at + 1:end]
            result += "[" + ("^" if inside.startswith("^") else "") + \
                re.sub(r"([\\\[])", r"\\\1", inside.lstrip("^")) + "]"
            at = end
        else:
            result += re.escape(char)
        at += 1
    return re.compile(result, re.IGNORECASE | re.DOTALL)


def _aggregated(name, values, separator):
    if name in ("count", "count_big"):
        return len(values)
    if name == "checksum_agg":
        result = 0
        for value in values:
            result ^= int(value)
        return result if values else None
    if not values:
        return None
    if name == "sum":
        return sum(values)
    if name == "avg":
        return _calculate("/", sum(values), len(values))
    if name == "string_agg":
        return separator.join(str(value) for value in values)
    return (min if name == "min" else max)(values, key=sqltypes.comparable)

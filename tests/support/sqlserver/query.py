"""SELECT over tables and views: joins, filters, groups, order."""

from functools import cmp_to_key

from . import sqltypes
from .evaluate import Evaluator, Rowset, Scope, compare, source
from .errors import fail
from .tables import Tables


class Query:
    """Runs SELECTs of one session. Calling it with a query and the scope around it gives a Rowset."""

    def __init__(self, session):
        self.session = session
        self.tables = Tables(session, self)
        self.evaluator = Evaluator(session, self)
        self.common = []  # stack of {name: (columns, query)}

    def __call__(self, query, outer=None):
        self.common.append({name.casefold(): (columns, inner) for name, columns, inner in query.common})
        try:
            return self._union(query, outer)
        finally:
            self.common.pop()

    def next_value(self, path):
        return self.tables.next_value(path)

    def columns(self, query, outer=None):
        """Names and types of a query that is not run."""
        scopes, shape = self._from(query.source, outer, dry=True)
        del scopes
        return [(name, kind or sqltypes.INT) for name, kind, _ in self._items(query, Scope(shape, outer))]

    def _union(self, query, outer):
        result = self._one(query, outer, ordered=not query.unions)
        for everything, other in query.unions:
            rows = self._one(other, outer, ordered=True)
            result = Rowset([(name, _wider(kind, other_kind)) for (name, kind), (_, other_kind)
                             in zip(result.columns, rows.columns)], result.rows + rows.rows)
            if not everything:
                result = Rowset(result.columns, _distinct(result.rows))
        if query.unions and query.order:
            scopes = [Scope([source("", result.columns, row)], outer) for row in result.rows]
            result = Rowset(result.columns, self._sorted(query.order, list(zip(scopes, result.rows)), result.columns))
        return result

    def _one(self, query, outer, ordered):
        scopes, shape = self._from(query.source, outer, early=_conjuncts(query.where))
        empty = Scope(shape, outer)
        items = self._items(query, empty)
        if query.where is not None:
            scopes = [scope for scope in scopes if self.evaluator.is_true(query.where, scope)]
        if query.group or _has_aggregate([item[2] for item in items] + [query.having] +
                                         [value for value, _ in query.order]):
            scopes = self._groups(query, scopes, shape, outer)
        if query.having is not None:
            scopes = [scope for scope in scopes if self.evaluator.is_true(query.having, scope)]
        pairs = [(scope, tuple(self.evaluator.value(item[2], scope) for item in items)) for scope in scopes]
        names = [(name, kind) for name, kind, _ in items]
        rows = self._sorted(query.order, pairs, names) if query.order and ordered else [row for _, row in pairs]
        if query.distinct:
            rows = _distinct(rows)
        if query.top is not None:
            rows = rows[:int(self.evaluator.value(query.top, outer))]
        return Rowset([(name, kind or _type_of_values(rows, n)) for n, (name, kind) in enumerate(names)], rows)

    def _items(self, query, shape):
        """(name, type, expression) of each result column, stars written out."""
        result = []
        for alias, value, _variable in query.items:
            if value.kind != "star":
                name = alias if alias is not None else value.path[-1] if value.kind == "column" else ""
                result.append((name, self.evaluator.type(value, shape), value))
                continue
            sources = [s for s in shape.sources if value.table is None or s.alias == value.table.casefold()]
            if not sources:
                raise fail(107, severity=15, text=f"The column prefix '{value.table}' does not match with a table name "
                                                  "or alias name used in the query.")
            for candidate in sources:
                for position, (name, kind) in enumerate(candidate.columns):
                    result.append((name, kind, _Position(candidate.alias, position, name)))
        return result

    # FROM

    def _from(self, tree, outer, dry=False, early=()):
        """(scopes of all rows, sources without rows)"""
        if tree is None:
            return [Scope([], outer)], []
        rows, shape = self._rows(tree, Scope([], outer), dry, early)
        return [Scope(row, outer) for row in rows], shape

    def _rows(self, tree, outer, dry, early=()):
        """`early`: conditions that the first table alone decides, as an optimizer asks them before it applies views."""
        if tree.kind != "join":
            alias, rowset = self._table(tree, outer, dry)
            rows = [[source(alias, rowset.columns, row)] for row in rowset.rows]
            shape = [source(alias, rowset.columns)]
            for condition in early:
                if _decided_by(condition, shape[0]):
                    rows = [row for row in rows if self.evaluator.is_true(condition, Scope(row, outer))]
            return rows, shape
        left, left_shape = self._rows(tree.left, outer, dry, early)
        if tree.how == "apply":
            return self._apply(tree, left, left_shape, outer, dry)
        right, right_shape = self._rows(tree.right, outer, dry)
        result = []
        for row in left:
            hits = [row + other for other in right
                    if tree.on is None or self.evaluator.is_true(tree.on, Scope(row + other, outer))]
            if not hits and tree.how == "left":
                hits = [row + _nulls(right_shape)]
            result += hits
        return result, left_shape + right_shape

    def _apply(self, tree, left, left_shape, outer, dry):
        result = []
        right_shape = None
        for row in left:
            right, right_shape = self._rows(tree.right, Scope(row, outer), dry)
            if not right and tree.outer:
                right = [_nulls(right_shape)]
            result += [row + other for other in right]
        if right_shape is None:
            right_shape = self._rows(tree.right, Scope(_nulls(left_shape), outer), True)[1]
        return result, left_shape + right_shape

    def _table(self, tree, outer, dry):
        if tree.kind == "derived":
            if dry:
                return tree.alias, Rowset(self.columns(tree.query, outer), [])
            rowset = self(tree.query, outer)
            if tree.columns:
                rowset = Rowset([(name, kind) for name, (_, kind) in zip(tree.columns, rowset.columns)], rowset.rows)
            return tree.alias, rowset
        if tree.kind == "values":
            rows = [tuple(self.evaluator.value(value, outer) for value in row) for row in tree.rows]
            names = tree.columns or [f"c{n}" for n in range(len(rows[0]))]
            return tree.alias, Rowset([(name, _type_of_values(rows, n)) for n, name in enumerate(names)], rows)
        alias = tree.alias or tree.path[-1]
        if len(tree.path) == 1 and tree.arguments is None:
            for names in reversed(self.common):
                if tree.path[0].casefold() in names:
                    columns, inner = names[tree.path[0].casefold()]
                    rowset = self(inner, None)
                    if columns:
                        rowset = Rowset([(n, kind) for n, (_, kind) in zip(columns, rowset.columns)], rowset.rows)
                    return alias, rowset
        arguments = None
        if tree.arguments is not None:
            arguments = [self.evaluator.value(argument, outer) for argument in tree.arguments]
        return alias, self.tables.read(tree.path, arguments, dry)

    # Groups and order

    def _groups(self, query, scopes, shape, outer):
        if not query.group:
            first = scopes[0].sources if scopes else _nulls(shape)
            return [Scope(first, outer, scopes)]
        groups = {}
        for scope in scopes:
            key = tuple(sqltypes.comparable(self.evaluator.value(value, scope)) for value in query.group)
            groups.setdefault(key, []).append(scope)
        return [Scope(members[0].sources, outer, members) for members in groups.values()]

    def _sorted(self, order, pairs, columns):
        names = {name.casefold(): n for n, (name, _) in reversed(list(enumerate(columns)))}

        def key(pair, value):
            scope, row = pair
            if value.kind == "literal" and isinstance(value.value, int):
                return row[value.value - 1]
            if value.kind == "column" and len(value.path) == 1 and value.path[0].casefold() in names:
                return row[names[value.path[0].casefold()]]
            return self.evaluator.value(value, scope)

        def before(left, right):
            for value, descending in order:
                a, b = key(left, value), key(right, value)
                if a is None or b is None:
                    sign = (a is not None) - (b is not None)
                else:
                    sign = -1 if compare("<", a, b) else 1 if compare(">", a, b) else 0
                if sign:
                    return -sign if descending else sign
            return 0
        return [row for _, row in sorted(pairs, key=cmp_to_key(before))]


class _Position:
    """A column of `*`: by position, as two may have the same name."""

    kind = "column"

    def __init__(self, alias, position, name):
        self.path = [alias, name]
        self.position = position


def _nulls(shape):
    return [s._replace(row=(None,) * len(s.columns)) for s in shape]


def _distinct(rows):
    return list({tuple(map(sqltypes.comparable, row)): row for row in reversed(rows)}.values())[::-1]


def _type_of_values(rows, position):
    types = {sqltypes.of_value(row[position]) for row in rows if row[position] is not None}
    result = None
    for kind in types:
        result = kind if result is None else _wider(result, kind)
    return result or sqltypes.INT


def _wider(one, other):
    if one == other:
        return one
    if one.name == other.name and one.name in sqltypes.TEXTS | sqltypes.BINARIES:
        return one._replace(size=-1 if -1 in (one.size, other.size) else max(one.size, other.size))
    order = ["bit", "tinyint", "smallint", "int", "bigint", "numeric", "decimal", "real", "float"]
    if one.name in order and other.name in order:
        return one if order.index(one.name) > order.index(other.name) else \
            other if one.name != other.name else one._replace(precision=38, scale=max(one.scale, other.scale))
    return one if one.name in sqltypes.TEXTS else other


def _has_aggregate(nodes):
    todo = [n for n in nodes if n is not None]
    while todo:
        item = todo.pop()
        if getattr(item, "kind", None) == "aggregate":
            return True
        if getattr(item, "kind", None) in ("subquery", "exists", "select") or not hasattr(item, "__dict__"):
            continue
        for value in vars(item).values():
            if isinstance(value, (list, tuple)):
                todo += [x for entry in value for x in (entry if isinstance(entry, tuple) else (entry,))
                         if hasattr(x, "kind")]
            elif hasattr(value, "kind"):
                todo.append(value)
    return False


def _conjuncts(condition):
    if condition is None:
        return []
    if condition.kind == "and":
        return _conjuncts(condition.left) + _conjuncts(condition.right)
    return [condition]


def _decided_by(condition, table):
    """A comparison or IS NULL of columns that are named with the alias of the table."""
    if condition.kind not in ("compare", "isnull"):
        return False
    parts = [condition.value] if condition.kind == "isnull" else [condition.left, condition.right]
    return all(part.kind == "literal" or
               (part.kind == "column" and len(part.path) > 1 and (part.path[-2] or "").casefold() == table.alias)
               for part in parts)

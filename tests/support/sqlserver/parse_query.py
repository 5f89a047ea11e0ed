"""Expressions and SELECT of Transact-SQL, as far as the stand-in understands them."""

from .errors import fail
from .parse_base import Reader, node

COMPARISONS = ("=", "<>", "!=", "<", ">", "<=", ">=", "!<", "!>")
AGGREGATES = {"count", "count_big", "sum", "min", "max", "avg", "checksum_agg", "string_agg"}


class QueryReader(Reader):
    def expression(self):
        """Conditions and values share one grammar; the evaluator gives conditions True, False or None."""
        left = self.conjunction()
        while self.word("or"):
            left = node("or", left=left, right=self.conjunction())
        return left

    def conjunction(self):
        left = self.negation()
        while self.word("and"):
            left = node("and", left=left, right=self.negation())
        return left

    def negation(self):
        if self.word("not"):
            return node("not", value=self.negation())
        return self.comparison()

    def comparison(self):
        if self.word("exists"):
            self.need_op("(")
            query = self.select()
            self.need_op(")")
            return node("exists", query=query)
        left = self.sum()
        while True:
            operator = self.op(*COMPARISONS)
            if operator:
                left = node("compare", op=operator, left=left, right=self.sum())
                continue
            if self.word("is"):
                negated = bool(self.word("not"))
                self.need_word("null")
                left = node("isnull", value=left, negated=negated)
                continue
            negated = self.is_word("not") and self.is_word("in", "like", "between", ahead=1)
            if negated:
                self.take()
            if self.word("in"):
                left = self._in_list(left, negated)
            elif self.word("like"):
                pattern = self.sum()
                escape = self.string() if self.word("escape") else None
                left = node("like", value=left, pattern=pattern, escape=escape, negated=negated)
            elif self.word("between"):
                low = self.sum()
                self.need_word("and")
                left = node("between", value=left, low=low, high=self.sum(), negated=negated)
            else:
                return left

    def _in_list(self, left, negated):
        self.need_op("(")
        if self.is_word("select"):
            result = node("in", value=left, query=self.select(), values=None, negated=negated)
        else:
            result = node("in", value=left, query=None, values=self.listed(self.sum), negated=negated)
        self.need_op(")")
        return result

    def sum(self):
        left = self.product()
        while operator := self.op("+", "-", "&", "|", "^"):
            left = node("arithmetic", op=operator, left=left, right=self.product())
        return left

    def product(self):
        left = self.unary()
        while operator := self.op("*", "/", "%"):
            left = node("arithmetic", op=operator, left=left, right=self.unary())
        return left

    def unary(self):
        operator = self.op("-", "+", "~")
        if operator:
            return node("unary", op=operator, value=self.unary())
        result = self.primary()
        if self.word("collate"):
            result = node("collate", value=result, collation=self.any_name())
        return result

    def primary(self):
        token = self.token
        if token.kind in ("number", "string", "binary"):
            self.take()
            return node("literal", value=token.value)
        if token.kind == "var":
            self.take()
            return node("global" if token.value.startswith("@@") else "variable", name=token.value.lower())
        if self.op("("):
            result = node("subquery", query=self.select()) if self.is_word("select") else self.expression()
            self.need_op(")")
            return result
        if self.word("null"):
            return node("literal", value=None)
        if self.word("case"):
            return self._case()
        if self.is_word("cast", "try_cast", "convert", "try_convert") and self.is_op("(", ahead=1):
            return self._conversion()
        if self.word("next value for"):
            return node("next_value", path=self.path())
        if self.is_word("current_timestamp", "system_user", "session_user", "current_user", "user") and \
                not self.is_op("(", ".", ahead=1):
            return node("call", name=self.take().value.lower(), arguments=[])
        if token.kind == "name" and self.is_op("(", ahead=1) and \
                (self.is_name() or self.is_word("left", "right", "nullif", "convert")):
            return self._call()
        if self.is_name():
            return self._column()
        raise self.unexpected()

    def _column(self):
        path = [self.name()]
        while self.is_op(".") and not self.is_op("*", ahead=1):
            self.take()
            path.append(None if self.is_op(".") else self.any_name())
        return node("column", path=path)

    def _call(self):
        name = self.take().value.lower()
        self.need_op("(")
        distinct = bool(self.word("distinct"))
        arguments = []
        if self.op("*"):
            arguments = [node("star", table=None)]
        elif not self.is_op(")"):
            if name in ("datediff", "datediff_big", "dateadd", "datepart", "datename"):
                arguments.append(node("literal", value=self.any_name().lower()))
                self.need_op(",")
            arguments += self.listed(self.expression)
        self.need_op(")")
        if name in AGGREGATES:
            return node("aggregate", name=name, arguments=arguments, distinct=distinct)
        return node("call", name=name, arguments=arguments)

    def _case(self):
        value = None if self.is_word("when") else self.expression()
        branches = []
        while self.word("when"):
            condition = self.expression()
            self.need_word("then")
            branches.append((condition, self.expression()))
        otherwise = self.expression() if self.word("else") else node("literal", value=None)
        self.need_word("end")
        return node("case", value=value, branches=branches, otherwise=otherwise)

    def _conversion(self):
        name = self.take().value.lower()
        self.need_op("(")
        style = node("literal", value=0)
        if name.endswith("cast"):
            value = self.expression()
            self.need_word("as")
            target = self.type()
        else:
            target = self.type()
            self.need_op(",")
            value = self.expression()
            if self.op(","):
                style = self.expression()
        self.need_op(")")
        return node("convert", value=value, type=target, style=style, lenient=name.startswith("try"))

    # SELECT

    def select(self):
        """A whole query: WITH names, SELECTs joined by UNION, ORDER BY at its end."""
        common = []
        if self.word("with"):
            common = self.listed(self._common_table)
        result = self._one_select()
        while self.word("union"):
            everything = bool(self.word("all"))
            result.unions.append((everything, self._one_select()))
        if self.word("order by"):
            result.order = self.listed(self._order)
        if self.word("option"):
            self._skip_parentheses()
        result.common = common
        return result

    def _common_table(self):
        name = self.name()
        columns = self._name_list() if self.is_op("(") else None
        self.need_word("as")
        self.need_op("(")
        query = self.select()
        self.need_op(")")
        return name, columns, query

    def _name_list(self):
        self.need_op("(")
        names = self.listed(self.name)
        self.need_op(")")
        return names

    def _skip_parentheses(self):
        self.need_op("(")
        depth = 1
        while depth:
            token = self.take()
            if token.kind == "end":
                raise self.unexpected()
            if token.kind == "op":
                depth += {"(": 1, ")": -1}.get(token.value, 0)

    def _order(self):
        value = self.expression()
        return value, self.word("desc", "asc") == "desc"

    def _one_select(self):
        if self.op("("):
            result = self.select()
            self.need_op(")")
            return result
        self.need_word("select")
        result = node("select", distinct=bool(self.word("distinct")), top=None, source=None, where=None, group=[],
                      having=None, order=[], unions=[], common=[])
        if self.word("top"):
            parenthesis = self.op("(")
            result.top = self.sum() if parenthesis else node("literal", value=self.integer())
            if parenthesis:
                self.need_op(")")
        result.items = self.listed(self._item)
        if self.word("from"):
            result.source = self._sources()
        if self.word("where"):
            result.where = self.expression()
        if self.word("group by"):
            result.group = self.listed(self.expression)
        if self.word("having"):
            result.having = self.expression()
        return result

    def _item(self):
        """(alias, expression, variable): `alias = expression`, `expression AS alias`, `@x = expression`, `t.*`."""
        if self.op("*"):
            return None, node("star", table=None), None
        if self.is_name() and self.is_op(".", ahead=1) and self.is_op("*", ahead=2):
            table = self.name()
            self.at += 2
            return None, node("star", table=table), None
        if self.token.kind == "var" and self.is_op("=", ahead=1):
            variable = self.take().value.lower()
            self.take()
            return None, self.expression(), variable
        if (self.is_name() or self.token.kind == "string") and self.is_op("=", ahead=1):
            alias = self.take().value
            self.take()
            return alias, self.expression(), None
        value = self.expression()
        alias = None
        if self.word("as"):
            alias = self.take().value if self.token.kind == "string" else self.any_name()
        elif self.is_name() or self.token.kind == "string":
            alias = self.take().value
        return alias, value, None

    def _sources(self):
        left = self._joined()
        while self.op(","):
            left = node("join", how="cross", left=left, right=self._joined(), on=None)
        return left

    def _joined(self):
        left = self._source()
        while True:
            how = self.word("cross apply", "outer apply", "cross join", "inner join", "left outer join", "left join",
                            "right outer join", "right join", "full outer join", "full join", "join")
            if not how:
                return left
            if how.startswith(("right", "full")):
                raise self.unexpected()
            right = self._source()
            kind = "apply" if "apply" in how else how.split()[0] if how != "join" else "inner"
            on = None
            if kind in ("inner", "left"):
                self.need_word("on")
                on = self.expression()
            left = node("join", how=kind, left=left, right=right, on=on, outer=how == "outer apply")

    def _source(self):
        if self.op("("):
            if self.word("values"):
                source = node("values", rows=self.listed(self._row))
            elif self.is_word("select", "with") or self.is_op("("):
                source = node("derived", query=self.select())
            else:
                source = self._sources()
                self.need_op(")")
                return source
            self.need_op(")")
            source.alias, source.columns = self._alias(), None
            if not source.alias:
                raise fail(102, ")")
            if self.is_op("("):
                source.columns = self._name_list()
            return source
        source = node("table", path=self.path(), arguments=None)
        if self.op("("):
            source.arguments = [] if self.is_op(")") else self.listed(self.expression)
            self.need_op(")")
        source.alias = self._alias()
        self._hints()
        return source

    def _hints(self):
        if (self.is_word("with") and self.is_op("(", ahead=1)) or \
                (self.is_op("(") and self.is_word("nolock", "updlock", "holdlock", "readpast", ahead=1)):
            self.word("with")
            self._skip_parentheses()

    def _row(self):
        self.need_op("(")
        values = self.listed(self.expression)
        self.need_op(")")
        return values

    def _alias(self):
        if self.word("as"):
            return self.name()
        return self.name() if self.is_name() and not self.is_op("=", ahead=1) else None

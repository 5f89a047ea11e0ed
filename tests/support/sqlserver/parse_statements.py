"""Batches: flow of control, session statements, data and its definition."""

from .parse_admin import AdminReader
from .parse_base import node

SET_OPTIONS = {"nocount", "implicit_transactions", "xact_abort", "language", "lock_timeout", "quoted_identifier",
               "ansi_nulls", "ansi_padding", "ansi_warnings", "arithabort", "concat_null_yields_null", "textsize",
               "numeric_roundabort", "deadlock_priority", "dateformat", "datefirst", "ansi_null_dflt_on", "rowcount",
               "cursor_close_on_commit", "ansi_defaults", "query_governor_cost_limit"}


class StatementReader(AdminReader):
    def batch(self):
        """The statements of a batch. The whole of it is parsed before anything runs, as SQL Server does."""
        statements = []
        while True:
            while self.op(";"):
                pass
            if self.token.kind == "end":
                return statements
            statements.append(self.statement())

    def statement(self):
        start = self.token.start
        result = self._statement()
        self.op(";")
        result.text = self.text[start:self.tokens[self.at - 1].end]
        return result

    def _statement(self):
        if self.is_op("(") or self.is_word("select", "with"):
            return node("query", query=self.select())
        token = self.token
        word = token.value.lower() if token.kind == "name" else ""
        method = getattr(self, "_st_" + word, None)
        if method and not word.startswith("_"):
            self.take()
            return method()
        if word.startswith("sp_") and self.at == 0:
            return self._st_exec()
        raise self.unexpected()

    # Flow of control and variables

    def _block(self):
        return self.statement()

    def _st_begin(self):
        if self.word("tran", "transaction"):
            if self.is_name():
                self.take()
            return node("begin_transaction")
        caught = self.word("try")
        body = self._until_end("try" if caught else None)
        if not caught:
            return node("block", body=body)
        self.need_word("begin catch")
        return node("try", body=body, handler=self._until_end("catch"))

    def _until_end(self, suffix):
        body = []
        while True:
            while self.op(";"):
                pass
            if self.word(f"end {suffix}" if suffix else "end"):
                self.op(";")
                return body
            body.append(self.statement())

    def _st_if(self):
        condition = self.expression()
        then = self._block()
        otherwise = self._block() if self.word("else") else None
        return node("if", condition=condition, then=then, otherwise=otherwise)

    def _st_while(self):
        return node("while", condition=self.expression(), body=self._block())

    def _st_declare(self):
        def one():
            name = self._variable()
            self.word("as")
            kind = self.type()
            return name, kind, self.expression() if self.op("=") else None
        return node("declare", variables=self.listed(one))

    def _variable(self):
        if self.token.kind != "var":
            raise self.unexpected()
        return self.take().value.lower()

    def _st_set(self):
        if self.token.kind == "var":
            name = self._variable()
            self.need_op("=")
            return node("set_variable", name=name, value=self.expression())
        if self.word("transaction isolation level"):
            level = self.need_word("read uncommitted", "read committed", "repeatable read", "snapshot", "serializable")
            return node("set_option", names=["isolation"], value=level)
        if self.word("identity_insert"):
            path = self.path()
            return node("identity_insert", path=path, on=self.need_word("on", "off") == "on")
        names = [name.lower() for name in self.listed(self.any_name)]
        if not set(names) <= SET_OPTIONS:
            raise self.unexpected()
        value = self.integer() if self.token.kind == "number" or self.is_op("-") else self.take().value
        return node("set_option", names=names, value=str(value).lower())

    def _st_print(self):
        return node("print", value=self.expression())

    def _st_raiserror(self):
        self.need_op("(")
        values = self.listed(self.expression)
        self.need_op(")")
        if self.word("with"):
            self.listed(lambda: self.need_word("nowait", "log", "seterror"))
        return node("raiserror", values=values)

    def _st_throw(self):
        return node("throw", values=[] if self.is_op(";") or self.token.kind == "end" or self.is_word("end")
                    else self.listed(self.expression))

    def _st_waitfor(self):
        self.need_word("delay")
        return node("waitfor", value=self.primary())

    def _st_return(self):
        return node("return")

    def _st_use(self):
        return node("use", database=self.name())

    def _st_go(self):
        raise self.unexpected()

    def _st_commit(self):
        self.word("transaction", "tran", "work")
        return node("commit")

    def _st_rollback(self):
        self.word("transaction", "tran", "work")
        return node("rollback")

    def _st_exec(self):
        if self.word("as login"):
            self.need_op("=")
            return node("execute_as", login=self.string())
        result = None
        if self.token.kind == "var" and self.is_op("=", ahead=1):
            result = self._variable()
            self.take()
        if self.op("("):
            text = self.expression()
            self.need_op(")")
            return node("execute_text", value=text)
        path = self.path()
        arguments = []
        if not (self.is_op(";") or self.token.kind == "end" or self.is_word("select", "exec", "if", "end")):
            arguments = self.listed(self._argument)
        return node("execute", path=path, arguments=arguments, result=result)

    _st_execute = _st_exec

    def _st_revert(self):
        return node("revert")

    def _argument(self):
        """(name, expression, is output)"""
        name = None
        if self.token.kind == "var" and self.is_op("=", ahead=1):
            name = self._variable()
            self.take()
        if self.is_name() and not self.is_op("(", ahead=1):
            value = node("literal", value=self.take().value)  # an unquoted word is a string here
        else:
            value = self.expression()
        return name, value, bool(self.word("output", "out"))

    # Data

    def _st_insert(self):
        self.word("into")
        path = self.path()
        columns = None
        if self.is_op("(") and not self.is_word("select", ahead=1):
            columns = self._name_list()
        if self.word("default values"):
            return node("insert", path=path, columns=[], rows=[[]], query=None)
        if self.word("values"):
            return node("insert", path=path, columns=columns, rows=self.listed(self._row), query=None)
        return node("insert", path=path, columns=columns, rows=None, query=self.select())

    def _row(self):
        self.need_op("(")
        values = self.listed(lambda: node("default") if self.word("default") else self.expression())
        self.need_op(")")
        return values

    def _assignments(self):
        def one():
            path = self.path()
            operator = self.need_op("=", "+=", "-=")
            value = self.expression()
            if operator != "=":
                value = node("arithmetic", op=operator[0], left=node("column", path=path[-1:]), right=value)
            return path[-1], value
        return self.listed(one)

    def _st_update(self):
        if self.word("statistics"):
            path = self.path()
            if self.is_name():
                self.take()
            if self.word("with"):
                self.listed(lambda: self.need_word("fullscan", "resample", "norecompute"))
            return node("update_statistics", path=path)
        path = self.path()
        self.need_word("set")
        assignments = self._assignments()
        return node("update", path=path, assignments=assignments,
                    where=self.expression() if self.word("where") else None)

    def _st_delete(self):
        self.word("from")
        return node("delete", path=self.path(), where=self.expression() if self.word("where") else None)

    def _st_truncate(self):
        self.need_word("table")
        return node("truncate", path=self.path())

    def _st_merge(self):
        self.word("into")
        path = self.path()
        self._hints()
        alias = self._alias()
        self.need_word("using")
        source = self._source()
        self.need_word("on")
        condition = self.expression()
        result = node("merge", path=path, alias=alias, source=source, on=condition, matched=None, unmatched=None,
                      surplus=None)
        while self.word("when"):
            if self.word("matched"):
                self.need_word("then")
                result.matched = "delete" if self.word("delete") else self._merge_update()
            else:
                self.need_word("not matched")
                by_source = self.word("by source") or (self.word("by target") and None)
                self.need_word("then")
                if by_source:
                    self.need_word("delete")
                    result.surplus = "delete"
                else:
                    self.need_word("insert")
                    columns = self._name_list() if self.is_op("(") else None
                    self.need_word("values")
                    result.unmatched = (columns, self._row())
        return result

    def _merge_update(self):
        self.need_word("update set")
        return self._assignments()

    def _st_checkpoint(self):
        return node("checkpoint")

    def _st_dbcc(self):
        name = self.any_name().lower()
        arguments = []
        if self.op("("):
            if not self.is_op(")"):
                arguments = self.listed(lambda: self.take().value if self.token.kind in ("name", "quoted", "string")
                                        else self.integer())
            self.need_op(")")
        options = self.listed(lambda: self.any_name().lower()) if self.word("with") else []
        return node("dbcc", name=name, arguments=arguments, options=options)

    # Definition of data

    def _st_create(self):
        if self.word("database"):
            return self._create_database()
        if self.word("table"):
            return self._create_table()
        if self.word("schema"):
            name = self.name()
            if self.word("authorization"):
                self.name()
            return node("create_schema", name=name)
        if self.word("sequence"):
            return self._create_sequence()
        if self.word("type"):
            path = self.path()
            self.need_word("from")
            return node("create_type", path=path, type=self.type(), nullable=not self.word("not null"))
        unique = self.word("unique clustered", "unique nonclustered", "unique", "clustered", "nonclustered")
        if self.word("index"):
            name = self.name()
            self.need_word("on")
            path = self.path()
            columns = self._index_columns()
            return node("create_index", name=name, path=path, columns=columns, unique="unique" in (unique or ""))
        kind = self.word("or alter procedure", "or alter proc", "or alter view", "procedure", "proc", "view",
                         "function",
                         "trigger")
        if kind:
            return self._module(kind.split()[-1], kind.startswith("or alter"))
        return self._create_principal()

    def _module(self, kind, replace=False):
        """A procedure, view, function or trigger takes the rest of the batch; it is kept and not run."""
        path = self.path()
        self.at = len(self.tokens) - 1
        return node("create_module", type="procedure" if kind == "proc" else kind, path=path, replace=replace,
                    definition=self.text)

    def _create_sequence(self):
        path = self.path()
        start = 1
        while True:
            if self.word("as"):
                self.type()
            elif self.word("start with"):
                start = self.integer()
            elif self.word("increment by"):
                self.integer()
            else:
                return node("create_sequence", path=path, start=start)

    def _index_columns(self):
        self.need_op("(")
        columns = self.listed(lambda: (self.name(), self.word("asc", "desc"))[0])
        self.need_op(")")
        return columns

    def _create_table(self):
        path = self.path()
        self.need_op("(")
        columns, key = [], []
        while True:
            if self.word("constraint"):
                self.name()
            if self.word("primary key"):
                self.word("clustered", "nonclustered")
                key = self._index_columns()
            else:
                column = self._column_definition()
                columns.append(column)
                if column.key:
                    key = [column.name]
            if not self.op(","):
                break
        self.need_op(")")
        memory_optimized = False
        if self.word("with"):
            start = self.at
            self._skip_parentheses()
            memory_optimized = any(t.value.lower() == "memory_optimized" for t in self.tokens[start:self.at]
                                   if t.kind == "name")
        return node("create_table", path=path, columns=columns, key=key, memory_optimized=memory_optimized)

    def _column_definition(self):
        column = node("column", name=self.name(), type=self.type(), nullable=True, default=None, identity=None,
                      key=False)
        while True:
            if self.word("not null"):
                column.nullable = False
            elif self.word("null"):
                pass
            elif self.word("constraint"):
                self.name()
            elif self.word("primary key"):
                self.word("clustered", "nonclustered")
                column.key, column.nullable = True, False
            elif self.word("identity"):
                column.identity = (1, 1)
                if self.op("("):
                    column.identity = tuple(self.listed(self.integer))
                    self.need_op(")")
            elif self.word("default"):
                column.default = self.text[self.token.start:]
                self.sum()
                column.default = column.default[:self.tokens[self.at - 1].end - len(self.text) or None]
            elif self.word("collate"):
                self.any_name()
            else:
                return column

    def _alter_table(self):
        path = self.path()
        if self.word("add"):
            return node("alter_table", path=path, add=self._column_definition(), drop=None)
        if self.word("drop column"):
            return node("alter_table", path=path, add=None, drop=self.name())
        raise self.unexpected()

    def _st_alter(self):
        if self.word("table"):
            return self._alter_table()
        kind = self.word("procedure", "proc", "view", "function", "trigger")
        if kind:
            return self._module(kind, True)
        if self.word("index"):
            name = "all" if self.word("all") else self.name()
            self.need_word("on")
            path = self.path()
            return node("alter_index", name=name, path=path, action=self.need_word("rebuild", "reorganize", "disable"))
        return self._alter_other()

    def _st_drop(self):
        kind = self.need_word("database", "table", "procedure", "proc", "view", "function", "trigger", "schema",
                              "index",
                              "sequence", "type", "user", "role", "login", "certificate")
        lenient = bool(self.word("if exists"))
        if kind == "database":
            return node("drop_database", names=self.listed(self.name), lenient=lenient)
        if kind in ("user", "role", "login", "schema", "certificate"):
            return node("drop_principal", type=kind, name=self.name(), lenient=lenient)
        path = self.path()
        if kind == "index" and self.word("on"):
            return node("drop_index", name=path[-1], path=self.path())
        return node("drop_object", type="procedure" if kind == "proc" else kind, path=path, lenient=lenient)

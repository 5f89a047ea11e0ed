"""ODBC over ctypes for tests: the wide API of unixODBC, whose SQLWCHAR has two bytes."""

import ctypes
import re
from ctypes import byref, c_short, c_size_t, c_ssize_t, c_ushort, c_void_p, create_string_buffer

SUCCESS, WITH_INFO, ERROR, NO_DATA, INVALID = 0, 1, -1, 100, -2
_ENVIRONMENT, _CONNECTION, _STATEMENT = 1, 2, 3
_C_WCHAR, _C_BINARY = -8, -2
_library = None


def library():
    """Loaded at first use, so that a test module can be read without unixODBC."""
    global _library
    if _library is None:
        _library = ctypes.CDLL("libodbc.so.2")
        for name in ("SQLAllocHandle", "SQLFreeHandle", "SQLDriverConnectW", "SQLExecDirectW", "SQLGetDiagRecW",
                     "SQLFetch",
                     "SQLMoreResults", "SQLNumResultCols", "SQLGetData", "SQLDescribeColW", "SQLCancel",
                     "SQLSetEnvAttr",
                     "SQLSetConnectAttrW", "SQLSetStmtAttrW", "SQLDisconnect", "SQLRowCount", "SQLBindParameter",
                     "SQLPrepareW", "SQLExecute", "SQLFreeStmt"):
            getattr(_library, name).restype = c_short
    return _library


def wide(text):
    return create_string_buffer(text.encode("utf-16-le", "surrogatepass") + b"\0\0")


class OdbcError(Exception):
    """The diagnostics of a call that failed: (state, native number, text)."""

    def __init__(self, diagnostics):
        super().__init__("; ".join(f"{state} {number}: {text}" for state, number, text in diagnostics))
        self.diagnostics = diagnostics

    @property
    def numbers(self):
        return [number for _, number, _ in self.diagnostics]

    @property
    def number(self):
        """Of the first error that is no trailer."""
        return next((n for s, n, _ in self.diagnostics if not s.startswith("01") and n not in (3013, 3119, 5069)),
                    self.numbers[0] if self.numbers else 0)


def diagnostics(kind, handle):
    result = []
    state, text = create_string_buffer(12), create_string_buffer(8192)
    native, length = ctypes.c_int(), c_short()
    while library().SQLGetDiagRecW(c_short(kind), handle, c_short(len(result) + 1), state, byref(native), text,
                                   c_short(4096), byref(length)) in (SUCCESS, WITH_INFO):
        message = text.raw[:2 * length.value].decode("utf-16-le", "replace")
        result.append((state.raw[:10].decode("utf-16-le"), native.value, re.sub(r"^(\[[^\]]*\])+", "", message)))
    return result


def _allocate(kind, parent):
    handle = c_void_p()
    if library().SQLAllocHandle(c_short(kind), parent, byref(handle)) not in (SUCCESS, WITH_INFO):
        raise OdbcError(diagnostics(kind - 1, parent) if parent else [])
    return handle


class Result:
    def __init__(self, code, columns, rows, count, messages):
        self.code = code
        self.columns = columns
        self.rows = rows
        self.count = count
        self.messages = messages

    @property
    def numbers(self):
        return [number for _, number, _ in self.messages]


class Statement:
    def __init__(self, connection):
        self.handle = _allocate(_STATEMENT, connection.handle)
        self._kept = []

    def diagnostics(self):
        return diagnostics(_STATEMENT, self.handle)

    def start(self, text):
        """SQLExecDirect; its code."""
        return library().SQLExecDirectW(self.handle, wide(text), -3)

    def bind(self, *values):
        """Text and integers, as parameters of the next call."""
        for number, value in enumerate(values, 1):
            if isinstance(value, int):
                buffer, length, c_type, sql_type, size = ctypes.c_longlong(value), c_ssize_t(8), -25, -5, 19
            else:
                buffer = wide(value)
                length, c_type, sql_type = c_ssize_t(len(buffer.raw) - 2), _C_WCHAR, -9
                size = max(1, length.value // 2)
            self._kept += [buffer, length]
            code = library().SQLBindParameter(self.handle, c_ushort(number), c_short(1), c_short(c_type),
                                              c_short(sql_type),
                                              c_size_t(size), c_short(0),
                                              byref(buffer) if isinstance(value, int) else buffer,
                                              c_ssize_t(ctypes.sizeof(buffer)), byref(length))
            if code not in (SUCCESS, WITH_INFO):
                raise OdbcError(self.diagnostics())

    def take(self, code):
        """What one result holds, after SQLExecDirect, SQLExecute or SQLMoreResults gave `code`."""
        messages = self.diagnostics() if code in (WITH_INFO, ERROR) else []
        columns, rows, count = [], [], c_ssize_t(-1)
        if code in (SUCCESS, WITH_INFO):
            number = c_short()
            library().SQLNumResultCols(self.handle, byref(number))
            columns = [self._column(n) for n in range(1, number.value + 1)]
            if columns:
                fetched, more = self._fetch(len(columns))
                rows += fetched
                messages += more
            library().SQLRowCount(self.handle, byref(count))
        return Result(code, columns, rows, count.value, messages)

    def _column(self, number):
        name, length = create_string_buffer(600), c_short()
        kind, size, digits, nullable = c_short(), c_size_t(), c_short(), c_short()
        library().SQLDescribeColW(self.handle, c_ushort(number), name, c_short(300), byref(length), byref(kind),
                                  byref(size), byref(digits), byref(nullable))
        return name.raw[:2 * length.value].decode("utf-16-le"), kind.value, size.value, digits.value

    def _fetch(self, width):
        rows, messages = [], []
        while True:
            code = library().SQLFetch(self.handle)
            if code not in (SUCCESS, WITH_INFO):
                if code == ERROR:
                    messages += self.diagnostics()
                return rows, messages
            rows.append(tuple(self._cell(number) for number in range(1, width + 1)))

    def _cell(self, number):
        """As text, in chunks of a size that makes long values come in several."""
        parts = b""
        buffer, indicator = create_string_buffer(2048), c_ssize_t()
        while True:
            code = library().SQLGetData(self.handle, c_ushort(number), c_short(_C_WCHAR), buffer, c_ssize_t(2048),
                                        byref(indicator))
            if code == NO_DATA:
                break
            if code not in (SUCCESS, WITH_INFO):
                raise OdbcError(self.diagnostics())
            if indicator.value == -1:
                return None
            whole = 0 <= indicator.value < 2048  # FreeTDS says "truncated" for an int in sql_variant
            parts += buffer.raw[:indicator.value] if whole else buffer.raw[:2046]
            if whole:
                break
        return parts.decode("utf-16-le", "surrogatepass")

    def results(self, code):
        """All results up to SQL_NO_DATA, also those after an error."""
        found = []
        while True:
            if code != NO_DATA or not found:
                found.append(self.take(code))
            if code in (NO_DATA, INVALID):
                break
            code = library().SQLMoreResults(self.handle)
            if code == NO_DATA:
                break
            if len(found) > 1000:
                raise AssertionError("results without end")
        return found

    def cancel(self):
        return library().SQLCancel(self.handle)

    def free(self):
        library().SQLFreeHandle(c_short(_STATEMENT), self.handle)


class Connection:
    def __init__(self, text, timeout=15):
        self.environment = _allocate(_ENVIRONMENT, None)
        library().SQLSetEnvAttr(self.environment, 200, c_void_p(3), 0)
        self.handle = _allocate(_CONNECTION, self.environment)
        library().SQLSetConnectAttrW(self.handle, 103, c_void_p(timeout), 0)
        code = library().SQLDriverConnectW(self.handle, None, wide(text), c_short(-3), None, c_short(0), None,
                                           c_ushort(0))
        self.messages = diagnostics(_CONNECTION, self.handle)
        if code not in (SUCCESS, WITH_INFO):
            library().SQLFreeHandle(c_short(_CONNECTION), self.handle)
            library().SQLFreeHandle(c_short(_ENVIRONMENT), self.environment)
            raise OdbcError(self.messages)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def set_autocommit(self, on):
        return library().SQLSetConnectAttrW(self.handle, 102, c_void_p(1 if on else 0), 0)

    def statement(self):
        return Statement(self)

    def all(self, text, *parameters):
        """Every result of a batch; raises nothing."""
        statement = self.statement()
        try:
            if parameters:
                statement.bind(*parameters)
            return statement.results(statement.start(text))
        finally:
            statement.free()

    def run(self, text, *parameters):
        """Every result of a batch; raises when one of them is an error."""
        results = self.all(text, *parameters)
        if any(result.code in (ERROR, INVALID) for result in results):
            raise OdbcError([message for result in results for message in result.messages])
        return results

    def rows(self, text, *parameters):
        """The rows of the first result that has columns."""
        return next((result.rows for result in self.run(text, *parameters) if result.columns), [])

    def value(self, text, *parameters):
        return self.rows(text, *parameters)[0][0]

    def fails(self, text):
        """The number of the error that a batch has to end with."""
        try:
            self.run(text)
        except OdbcError as error:
            return error.number
        raise AssertionError(f"no error from: {text}")

    def close(self):
        if self.handle:
            library().SQLDisconnect(self.handle)
            library().SQLFreeHandle(c_short(_CONNECTION), self.handle)
            library().SQLFreeHandle(c_short(_ENVIRONMENT), self.environment)
            self.handle = None



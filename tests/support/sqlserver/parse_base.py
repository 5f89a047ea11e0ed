"""What all parts of the parser share: a position in the tokens of a batch."""

from types import SimpleNamespace

from . import sqltypes
from .errors import Message, Unknown, fail
from .lexer import tokens

RESERVED = set("""add all alter and any as asc authorization backup begin between break by case check checkpoint
close collate column commit constraint continue convert create cross current_timestamp database dbcc deallocate declare
default delete deny desc distinct drop else end escape except exec execute exists fetch for foreign from full
function goto grant group having if in index inner insert intersect into is join key kill left like merge not
null nullif of off on open option or order outer over percent primary print proc procedure raiserror read
restore return revoke right rollback save schema select set shutdown some statistics system_user table then to
top tran transaction trigger truncate union unique update use user values view waitfor when where while with""".split())


def node(kind, **fields):
    return SimpleNamespace(kind=kind, **fields)


class Reader:
    """Moves over the tokens; what does not fit is an unknown statement."""

    def __init__(self, text):
        self.text = text
        self.tokens = tokens(text)
        self.at = 0

    @property
    def token(self):
        return self.tokens[self.at]

    def ahead(self, count=1):
        return self.tokens[min(self.at + count, len(self.tokens) - 1)]

    def unexpected(self):
        return Unknown(Message(102, self.token.value if self.token.kind != "end" else self.text[-20:]))

    def take(self):
        token = self.token
        self.at += token.kind != "end"
        return token

    def is_word(self, *words, ahead=0):
        token = self.ahead(ahead)
        return token.kind == "name" and token.value.lower() in words

    def is_op(self, *operators, ahead=0):
        token = self.ahead(ahead)
        return token.kind == "op" and token.value in operators

    def word(self, *words):
        """Takes the next token when it is one of these words; they may be several, one after the other: "with no"."""
        for phrase in words:
            parts = phrase.split()
            if all(self.is_word(part, ahead=i) for i, part in enumerate(parts)):
                self.at += len(parts)
                return phrase
        return None

    def need_word(self, *words):
        found = self.word(*words)
        if not found:
            raise self.unexpected()
        return found

    def op(self, *operators):
        if self.is_op(*operators):
            return self.take().value
        return None

    def need_op(self, *operators):
        found = self.op(*operators)
        if not found:
            raise self.unexpected()
        return found

    def is_name(self, ahead=0):
        token = self.ahead(ahead)
        return token.kind == "quoted" or (token.kind == "name" and token.value.lower() not in RESERVED)

    def name(self):
        if not self.is_name():
            raise self.unexpected()
        value = self.take().value
        if len(value.encode("utf-16-le", "surrogatepass")) > 256:
            raise fail(103, severity=15, text=f"The identifier that starts with '{value[:128]}' is too long. Maximum "
                                              "length is 128.")
        if not value:
            raise fail(1038, severity=15, text="An object or column name is missing or empty.")
        return value

    def any_name(self):
        """A name where reserved words are allowed too, as after a point or AS."""
        if self.token.kind not in ("name", "quoted"):
            raise self.unexpected()
        return self.take().value

    def path(self):
        """A name of up to four parts; an empty one (db..table) is None."""
        parts = [self.name()]
        while self.op("."):
            parts.append(None if self.is_op(".") else self.any_name())
        return parts

    def string(self):
        if self.token.kind != "string":
            raise self.unexpected()
        return self.take().value

    def integer(self):
        sign = -1 if self.op("-") else 1
        if self.token.kind != "number" or not isinstance(self.token.value, int):
            raise self.unexpected()
        return sign * self.take().value

    def listed(self, one):
        """one {, one}"""
        result = [one()]
        while self.op(","):
            result.append(one())
        return result

    def type(self):
        name = self.any_name()
        if name.lower() == "sys" and self.op("."):
            name = self.any_name()
        arguments = []
        if self.op("("):
            if self.word("max"):
                arguments = [-1]
            else:
                arguments = self.listed(self.integer)
            self.need_op(")")
        return sqltypes.declared(name, arguments)

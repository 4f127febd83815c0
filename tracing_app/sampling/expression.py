"""The condition of a rule: ``bucket = uploads and (duration > 2s or error exists)``.

    condition   = conjunction *( "or" conjunction )
    conjunction = negation *( "and" negation )
    negation    = [ "not" ] ( "(" condition ")" / comparison )
    comparison  = field ( "exists" / operator value / ( "in" / "not-in" ) "(" value *( "," value ) ")" )
    operator    = "=" / "!=" / ">" / ">=" / "<" / "<=" / "starts-with" / "contains" / "matches"

A value is a word or a text in single or double quotes. A comparison holds if it holds for any value of the
field; ``!=`` and ``not-in`` are the opposites of ``=`` and ``in``, so they hold where there is no value.
``matches`` searches for a regular expression of RE2.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from tracing_app.recording.data import SpanData

from .fields import Field, Value, parse_field, parse_value

Condition = Callable[[Sequence[SpanData]], bool]

MAX_LENGTH = 2000
_MAX_DEPTH = 20
_TOKEN = re.compile(
    r"\s*(?:(?P<quoted>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')|(?P<sign>!=|>=|<=|=|>|<|\(|\)|,)"
    r"|(?P<word>[^\s\"'!=<>(),]+))"
)
_ORDER: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_TEXTS = ("starts-with", "contains", "matches")
OPERATORS = ("=", "!=", *_ORDER, "in", "not-in", *_TEXTS, "exists")


class RuleError(ValueError):
    """A condition that cannot be read; ``column`` counts from 1."""

    def __init__(self, problem: str, column: int) -> None:
        super().__init__(f"column {column}: {problem}")
        self.column = column


class _Token(NamedTuple):
    text: str
    column: int
    is_quoted: bool = False


def parse_condition(text: str) -> Condition:
    """Raises RuleError with the place of the fault."""
    if len(text) > MAX_LENGTH:
        raise RuleError(f"longer than {MAX_LENGTH} characters", MAX_LENGTH + 1)
    reader = _Reader(_tokens(text), len(text) + 1)
    condition = reader.disjunction(0)
    reader.expect_end()
    return condition


def _tokens(text: str) -> list[_Token]:
    tokens, position = [], 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            column = position + 1 + len(text[position:]) - len(text[position:].lstrip())
            raise RuleError(f"{text[column - 1]!r} is not understood here", column)
        column = match.start(match.lastgroup or 0) + 1
        if match["quoted"] is not None:
            tokens.append(_Token(re.sub(r"\\(.)", r"\1", match["quoted"][1:-1]), column, is_quoted=True))
        else:
            tokens.append(_Token(match[match.lastgroup or 0], column))
        position = match.end()
    return tokens


@dataclass(slots=True)
class _Reader:
    """Recursive descent over the tokens; ``end`` is the column after the last character."""

    tokens: list[_Token]
    end: int
    position: int = 0

    def disjunction(self, depth: int) -> Condition:
        parts = [self._conjunction(depth)]
        while self._take("or"):
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else lambda spans: any(part(spans) for part in parts)

    def expect_end(self) -> None:
        if self.position < len(self.tokens):
            token = self.tokens[self.position]
            raise RuleError(f"{token.text!r} comes after the end; join conditions by and, or", token.column)

    def _conjunction(self, depth: int) -> Condition:
        parts = [self._negation(depth)]
        while self._take("and"):
            parts.append(self._negation(depth))
        return parts[0] if len(parts) == 1 else lambda spans: all(part(spans) for part in parts)

    def _negation(self, depth: int) -> Condition:
        if depth > _MAX_DEPTH:
            raise RuleError("nested too deep", self._column())
        if self._take("not"):
            negated = self._negation(depth + 1)
            return lambda spans: not negated(spans)
        if self._take("("):
            inner = self.disjunction(depth + 1)
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        token = self._next("a field")
        try:
            field = parse_field(token.text)
        except ValueError as error:
            raise RuleError(str(error), token.column) from None
        sign = self._next("an operator")
        if sign.is_quoted or sign.text not in OPERATORS:
            raise RuleError(f"{sign.text!r} is no operator; there are {', '.join(OPERATORS)}", sign.column)
        if sign.text == "exists":
            return lambda spans: bool(field.read(spans))
        if sign.text in ("in", "not-in"):
            return _among(field, self._values(field), is_in=sign.text == "in")
        if sign.text in _TEXTS:
            return _text_test(field, sign, self._next("a value"))
        value = self._value(field)
        if sign.text in _ORDER:
            return _order_test(field, sign, value)
        return _among(field, [value], is_in=sign.text == "=")

    def _values(self, field: Field) -> list[Value]:
        self._expect("(")
        values = [self._value(field)]
        while self._take(","):
            values.append(self._value(field))
        self._expect(")")
        return values

    def _value(self, field: Field) -> Value:
        token = self._next("a value")
        if token.is_quoted:
            if field.kind not in ("text", "any"):
                raise RuleError(f"{field.name} is compared with {field.kind}s, not with texts", token.column)
            return token.text
        if token.text in _SIGNS:
            raise RuleError(f"a value must come here, not {token.text!r}", token.column)
        try:
            return parse_value(token.text, field.kind)
        except ValueError as error:
            raise RuleError(str(error), token.column) from None

    def _next(self, what: str) -> _Token:
        if self.position >= len(self.tokens):
            raise RuleError(f"{what} is missing at the end", self.end)
        self.position += 1
        return self.tokens[self.position - 1]

    def _take(self, text: str) -> bool:
        if self.position >= len(self.tokens):
            return False
        token = self.tokens[self.position]
        is_it = token.text == text and not token.is_quoted
        self.position += is_it
        return is_it

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise RuleError(f"{text!r} is missing here", self._column())

    def _column(self) -> int:
        return self.tokens[self.position].column if self.position < len(self.tokens) else self.end


_SIGNS = frozenset({"(", ")", ",", "=", "!=", ">", ">=", "<", "<="})


def _among(field: Field, values: Sequence[Value], *, is_in: bool) -> Condition:
    read, wanted = field.read, frozenset(_keyed(value) for value in values)
    if is_in:
        return lambda spans: any(_keyed(value) in wanted for value in read(spans))
    return lambda spans: not any(_keyed(value) in wanted for value in read(spans))


def _keyed(value: Value) -> tuple[bool, Value]:
    """True is not 1 to whoever writes a rule, though it is to Python."""
    return isinstance(value, bool), value


def _order_test(field: Field, sign: _Token, value: Value) -> Condition:
    if isinstance(value, (str, bool)):
        raise RuleError(f"{sign.text} compares numbers, and {value!r} is none", sign.column)
    read, compare = field.read, _ORDER[sign.text]
    return lambda spans: any(
        isinstance(found, (int, float)) and not isinstance(found, bool) and compare(found, value)
        for found in read(spans)
    )


def _text_test(field: Field, sign: _Token, token: _Token) -> Condition:
    if field.kind not in ("text", "any"):
        raise RuleError(f"{sign.text} is for texts, and {field.name} is none", sign.column)
    read, wanted = field.read, token.text
    if sign.text == "starts-with":
        return lambda spans: any(isinstance(found, str) and found.startswith(wanted) for found in read(spans))
    if sign.text == "contains":
        return lambda spans: any(isinstance(found, str) and wanted in found for found in read(spans))
    search = _search(token)
    return lambda spans: any(isinstance(found, str) and search(found) is not None for found in read(spans))


def _search(token: _Token) -> Callable[[str], object]:
    """RE2 takes linear time: a rule is read while requests run, and must not hold them up."""
    import re2  # only who has such a rule pays for it

    options = re2.Options()
    options.log_errors = False
    try:
        return cast("Callable[[str], object]", re2.compile(token.text, options).search)
    except re2.error as error:
        said = error.args[0]
        reason = said.decode(errors="replace") if isinstance(said, bytes) else said
        problem = f"{token.text!r} is no regular expression of RE2: {reason}"
        raise RuleError(problem, token.column) from None

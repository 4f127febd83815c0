"""The kinds of values that configuration keys hold.

Types are strict: a number in quotes is text. Only text that came from a variable may become a number, a
flag or null, since a variable has no other way to say it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo
from pydantic.types import Strict

from .expand import Expanded
from .places import Places

T = TypeVar("T")


class Section(BaseModel):
    """A mapping with known keys: others are refused, nothing is converted, values never show in errors."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_default=True, hide_input_in_errors=True
    )


def _from_variable(convert: Callable[[str], Any]) -> BeforeValidator:
    return BeforeValidator(lambda value: convert(value) if isinstance(value, Expanded) else value)


def _whole(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else text


def _number(text: str) -> float | str:
    return float(text) if re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", text) else text


def _flag(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text.lower(), text)


Whole = Annotated[int, _from_variable(_whole)]
Number = Annotated[float, _from_variable(_number)]
Flag = Annotated[bool, _from_variable(_flag)]
Nullable = Annotated[T | None, _from_variable(lambda text: text or None)]
Listed = Annotated[tuple[T, ...], Strict(False)]


def _some(value: Any) -> Any:
    if value in ([], {}, ""):
        raise ValueError("must not be empty")
    return value


def one_or_many(value: Any) -> Any:
    """A text alone is a list of one."""
    return [value] if isinstance(value, str) else value


OneOrMany = Annotated[Listed[T], BeforeValidator(one_or_many)]

# Counts what is written: pydantic's own lengths count only the items that are right.
NotEmpty = BeforeValidator(_some)


def matching(pattern: str, expected: str) -> AfterValidator:
    """Text that the whole of ``pattern`` matches; ``expected`` says in words what that is."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(f"must be {expected}")
        return text

    return AfterValidator(check)


def _to_path(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("must be the path of a file or folder")
    places = info.context
    assert isinstance(places, Places)
    return places.resolve(Path(value))


AnyPath = Annotated[Path, BeforeValidator(_to_path)]

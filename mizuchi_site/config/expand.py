"""``${VAR}`` in the string values of a parsed document.

| written          | becomes                                                  |
|------------------|----------------------------------------------------------|
| ``${VAR}``       | the variable; a fault when it is unset                   |
| ``${VAR-text}``  | the variable; ``text`` when it is unset                  |
| ``${VAR:-text}`` | the variable; ``text`` when it is unset or empty         |
| ``$$``           | one dollar; a dollar before anything else stays as it is |

Expansion follows parsing and is done once, so a value can add neither YAML nor variables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .errors import Fault, Location

_REFERENCE = re.compile(
    r"\$(?:(?P<dollar>\$)"
    r"|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<operator>:?-)(?P<default>[^}]*))?\}"
    r"|(?P<malformed>\{))"
)


class Expanded(str):
    """Text in which variables were expanded; ``variables`` are their names."""

    variables: tuple[str, ...]

    def __new__(cls, text: str, variables: tuple[str, ...]) -> Expanded:
        expanded = super().__new__(cls, text)
        expanded.variables = variables
        return expanded


class ExpansionFault(ValueError):
    """A reference that cannot be expanded; the message says what would be right."""


def expand_text(text: str, environ: Mapping[str, str]) -> str:
    """Expand one string. Raises ExpansionFault."""
    variables: list[str] = []

    def replace(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        if match["malformed"] or "${" in (match["default"] or ""):
            raise ExpansionFault(
                "has a malformed variable; write ${NAME}, ${NAME-default} or ${NAME:-default}, "
                "and $$ for a dollar sign"
            )
        variables.append(match["name"])
        return _value(match, environ)

    expanded = _REFERENCE.sub(replace, text)
    return Expanded(expanded, tuple(variables)) if variables else expanded


def _value(match: re.Match[str], environ: Mapping[str, str]) -> str:
    value = environ.get(match["name"])
    if match["operator"] is None:
        if value is None:
            raise ExpansionFault(
                f"the environment variable {match['name']} is not set; set it, "
                f"or give a default with ${{{match['name']}:-...}}"
            )
        return value
    if value is None or (value == "" and match["operator"] == ":-"):
        return match["default"]
    return value


def expand_tree(tree: Any, environ: Mapping[str, str], location: Location = ()) -> tuple[Any, list[Fault]]:
    """Expand every string value of nested mappings and lists; keys stay. What cannot be expanded becomes
    empty text and a fault."""
    if isinstance(tree, str):
        try:
            return expand_text(tree, environ), []
        except ExpansionFault as error:
            return Expanded("", ()), [Fault(location, str(error))]
    if not isinstance(tree, dict | list):
        return tree, []
    faults: list[Fault] = []
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    expanded = {}
    for key, value in items:
        expanded[key], found = expand_tree(value, environ, (*location, key))
        faults += found
    return (expanded if isinstance(tree, dict) else list(expanded.values())), faults

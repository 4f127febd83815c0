"""What pydantic found, in the words of this project and without any value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .errors import Fault, Location, suggestion
from .expand import Expanded
from .storages import BACKENDS, DjangoStorage, FilesystemStorage, S3Storage

_STORAGE_KINDS = {kind.__name__: kind for kind in (FilesystemStorage, S3Storage, DjangoStorage)}

_MESSAGES = {
    "missing": "is required",
    "string_type": "must be text; put it in quotes",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of keys to values",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "string_unicode": "must be valid UTF-8",
    "union_tag_not_found": f"is required: {BACKENDS}",
    "value_error": "{error}",
}


def faults_of(error: ValidationError, model: type[BaseModel], tree: Any) -> list[Fault]:
    """One fault for each of pydantic's errors about ``tree``, which was read as ``model``."""
    details = error.errors(include_url=False, include_input=False)
    return [_fault(detail, model, tree) for detail in details]


def _fault(detail: ErrorDetails, model: type[BaseModel], tree: Any) -> Fault:
    location = detail["loc"]
    if detail["type"] == "union_tag_not_found":
        location = (*location, "backend")
    plain = _without_kind(location)
    if detail["type"] == "extra_forbidden":
        return Fault(plain, f"is not a known key; {suggestion(str(location[-1]), _keys_at(model, location))}")
    message = _MESSAGES.get(detail["type"], "is not acceptable here").format(**detail.get("ctx", {}))
    return Fault(plain, message + _origin(tree, plain))


def _without_kind(location: Location) -> Location:
    """pydantic puts the kind of a storage, and a mark for a bad name, into the location."""
    kinds = _STORAGE_KINDS if location[0] == "storages" else {}
    return tuple(part for index, part in enumerate(location) if index < 2 or part not in {*kinds, "[key]"})


def _keys_at(model: type[BaseModel], location: Location) -> Iterator[str]:
    """The keys that could stand where the unknown last one does."""
    models = [model]
    for part in location[:-1]:
        if part in _STORAGE_KINDS:
            models = [_STORAGE_KINDS[str(part)]]
            continue
        below = [found for each in models for found in _models_below(each, part)]
        models = below or models
    for each in models:
        yield from each.model_fields


def _models_below(model: type[BaseModel], key: str | int) -> Iterator[type[BaseModel]]:
    if key in model.model_fields:
        yield from models_in([model.model_fields[str(key)].annotation])


def models_in(annotations: Iterable[Any]) -> Iterator[type[BaseModel]]:
    """The models that annotations speak of, inside lists, mappings and unions too."""
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation
        else:
            yield from models_in(get_args(annotation))


def _origin(tree: Any, location: Location) -> str:
    """Names the variables that a value came from."""
    for part in location:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return ""
    names = tree.variables if isinstance(tree, Expanded) else ()
    return f" (the value comes from {', '.join(names)})" if names else ""

"""The policy engines of a bucket: whom to ask whether an authenticated caller may, and what follows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from authz.policy.templates import GROUP_FIELDS, OBJECT_FIELDS, USER_FIELDS, check_template
from uploads.s3.operations import Operation

from .errors import suggestion
from .storages import ExistingFile
from .values import Flag, NotEmpty, Nullable, Number, OneOrMany, Section, Whole, matching

_OPERATIONS = frozenset({operation.value for operation in Operation} | {each.action for each in Operation})
_ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}"


def written_block(value: Any) -> Any:
    """A key without a value must not pass for a policy."""
    if value is None:
        raise ValueError("has no engine: give opa, openfga or both, or leave the key out")
    return value


def _url(text: str) -> str:
    try:
        url = urlsplit(text)
        is_url = bool(url.hostname) and url.scheme in {"http", "https"} and url.port != 0
    except ValueError:
        is_url = False
    if not is_url or not re.fullmatch(r"[!-~]+", text) or "@" in url.netloc or "?" in text or "#" in text:
        raise ValueError('must be a URL without login and query, like "https://opa.example.org:8181"')
    return text.rstrip("/")


def _relations(relations: Mapping[str, str]) -> Mapping[str, str]:
    for name in relations:
        if name not in _OPERATIONS:
            hint = suggestion(name, _OPERATIONS)
            raise ValueError(f"has a name that is no operation and no action of S3; {hint}")
    return relations


Url = Annotated[str, AfterValidator(_url)]
Token = Annotated[SecretStr, NotEmpty]
Timeout = Annotated[Number, Field(ge=0.05, le=30)]
Ttl = Annotated[Number, Field(ge=0, le=3600)]
Ulid = Annotated[str, matching(_ULID, "an id of OpenFGA: 26 letters and digits")]
Relation = Annotated[str, matching(r"[A-Za-z][A-Za-z0-9_-]{0,49}", "the name of a relation")]
ObjectTemplate = Annotated[str, AfterValidator(partial(check_template, fields=OBJECT_FIELDS))]
UserTemplate = Annotated[str, AfterValidator(partial(check_template, fields=USER_FIELDS))]
GroupTemplate = Annotated[str, AfterValidator(partial(check_template, fields=GROUP_FIELDS))]


class _EngineSection(Section):
    """What engines have in common."""

    url: Url
    ca_file: Nullable[ExistingFile] = None
    timeout_seconds: Timeout = 2.0
    cache_ttl_seconds: Ttl = 60.0

    @model_validator(mode="after")
    def _certificates(self) -> Self:
        if self.ca_file is not None and self.url.startswith("http:"):
            raise ValueError("ca_file needs an https url; this one has no certificate to check")
        return self


class OpaSection(_EngineSection):
    """An Open Policy Agent, asked over its data API."""

    path: Annotated[
        str,
        matching(r"/v1/data(?:/[A-Za-z0-9_.-]+)+", 'the path of a decision, like "/v1/data/mizuchi/allow"'),
    ] = "/v1/data/mizuchi/allow"
    token: Nullable[Token] = None


class OpenFgaSection(_EngineSection):
    """An OpenFGA store, asked with Check and BatchCheck."""

    store_id: Ulid
    model_id: Nullable[Ulid] = None
    relation: Relation = "writer"
    relations: Annotated[dict[str, Relation], AfterValidator(_relations)] = {}
    object: Annotated[OneOrMany[ObjectTemplate], NotEmpty, Field(max_length=10)] = ("bucket:{bucket}",)
    user: UserTemplate = "user:{subject}"
    group: Nullable[GroupTemplate] = None
    group_relation: Relation = "member"
    api_token: Nullable[Token] = None


class PolicyBreakerSection(Section):
    """After how many failures on end an engine is left alone, and for how long."""

    failures: Whole = Field(default=5, ge=1, le=1000)
    reset_seconds: Number = Field(default=10.0, ge=0.1, le=3600)


class AuthzSection(Section):
    """Which engines decide, and how their answers combine."""

    mode: Literal["all_of", "any_of", "shadow"] = "all_of"
    opa: OpaSection | None = None
    openfga: OpenFgaSection | None = None
    fails_open: Flag = False
    breaker: PolicyBreakerSection = PolicyBreakerSection()

    @model_validator(mode="after")
    def _some_engine(self) -> Self:
        written_block(self.opa or self.openfga)
        return self

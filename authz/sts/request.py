"""The parameters of AssumeRoleWithWebIdentity. Source: AWS STS API reference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from .errors import InvalidAction, InvalidParameter, MissingAction
from .session_policy import parse_session_policy

ACTION = "AssumeRoleWithWebIdentity"
VERSION = "2011-06-15"
DEFAULT_ROLE = "arn:aws:iam::000000000000:role/mizuchi"
DEFAULT_SESSION_NAME = "mizuchi"
MIN_DURATION_SECONDS = 900
DEFAULT_DURATION_SECONDS = 3600

_MAX_FIELDS = 20
_KNOWN = frozenset(
    {"Action", "Version", "WebIdentityToken", "DurationSeconds", "RoleArn", "RoleSessionName", "Policy"}
)
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>[0-9]{12}):role/(?P<path>[A-Za-z0-9+=,.@_/-]{1,512})")
_SESSION_NAME = re.compile(r"[A-Za-z0-9+=,.@_-]{2,64}")


@dataclass(frozen=True, slots=True)
class AssumeRole:
    """A request to exchange ``token``. Role and session name mean nothing here and are only echoed.

    ``duration_seconds`` None: as long as usual. ``prefixes`` are those of a session policy, by bucket;
    None: none narrows it.
    """

    token: str = field(repr=False)
    role_arn: str = DEFAULT_ROLE
    session_name: str = DEFAULT_SESSION_NAME
    duration_seconds: int | None = None
    prefixes: Mapping[str, tuple[str, ...]] | None = None

    @property
    def assumed_role_arn(self) -> str:
        """The ARN of the session, as STS makes it of the role's."""
        match = _ROLE.fullmatch(self.role_arn)
        assert match is not None
        name = match["path"].rpartition("/")[2]
        return f"arn:aws:sts::{match['account']}:assumed-role/{name}/{self.session_name}"


def parse_parameters(query: str, body: bytes) -> Mapping[str, str]:
    """The parameters in query and form body together. Raises InvalidParameter for one that comes twice, or
    that is no text."""
    parameters: dict[str, str] = {}
    try:
        pairs = [
            *parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS),
            *parse_qsl(
                body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
            ),
        ]
    except ValueError:
        raise InvalidParameter("The parameters are not a form of at most 20 fields in UTF-8.") from None
    for name, value in pairs:
        if name in parameters:
            raise InvalidParameter("A parameter is given more than once. Send it once.")
        parameters[name] = value
    return parameters


def parse_assume_role(parameters: Mapping[str, str]) -> AssumeRole:
    """Raises MissingAction, InvalidAction, InvalidParameter, MalformedPolicy, SessionTooLarge."""
    if not parameters.get("Action"):
        raise MissingAction
    if parameters["Action"] != ACTION or parameters.get("Version", VERSION) != VERSION:
        raise InvalidAction
    if not {*parameters} <= _KNOWN:
        # One that narrows a session elsewhere (PolicyArns) must not be passed over.
        raise InvalidParameter(f"A parameter is not known here; known are: {', '.join(sorted(_KNOWN))}.")
    if not parameters.get("WebIdentityToken"):
        raise InvalidParameter("WebIdentityToken is missing: send the token of your identity provider.")
    policy = parameters.get("Policy")
    return AssumeRole(
        token=parameters["WebIdentityToken"],
        role_arn=_matching(_ROLE, parameters.get("RoleArn") or DEFAULT_ROLE, "RoleArn"),
        session_name=_matching(
            _SESSION_NAME, parameters.get("RoleSessionName") or DEFAULT_SESSION_NAME, "RoleSessionName"
        ),
        duration_seconds=_duration(parameters.get("DurationSeconds")),
        prefixes=None if policy is None else parse_session_policy(policy),
    )


def _matching(pattern: re.Pattern[str], text: str, name: str) -> str:
    if not pattern.fullmatch(text):
        raise InvalidParameter(f"{name} is not valid: it must match {pattern.pattern}")
    return text


def _duration(text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) < MIN_DURATION_SECONDS:
        raise InvalidParameter(
            f"DurationSeconds must be a number of seconds, at least {MIN_DURATION_SECONDS}."
        )
    return int(text)

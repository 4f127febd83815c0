"""The scope and the time of a signature.

Source: S3 API reference, "Authenticating Requests: Using the Authorization Header" (Credential).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from authz.errors import AuthError

ALGORITHM = "AWS4-HMAC-SHA256"

_CREDENTIAL = re.compile(
    r"(?P<key>[!-+\-.-~]{1,256})/(?P<date>[0-9]{8})/(?P<region>[A-Za-z0-9._-]{0,64})"
    r"/(?P<service>[A-Za-z0-9_-]+)/(?P<terminator>[A-Za-z0-9_]+)"
)
_TIMESTAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")


@dataclass(frozen=True, slots=True)
class CredentialScope:
    """The day (``YYYYMMDD``), region and service that a signing key is good for."""

    date: str
    region: str
    service: str

    @property
    def text(self) -> str:
        """The scope as it stands in the string to sign."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def parse_credential(text: str, timestamp: str, malformed: type[AuthError]) -> tuple[str, CredentialScope]:
    """The access key id and scope of a Credential signed at ``timestamp``; raises ``malformed``.

    The id is printable ASCII without a comma; it may hold slashes, since the scope is read from the end.
    """
    try:
        access_key_id, scope = _read_credential(text)
    except ValueError as error:
        raise malformed(str(error)) from None
    if scope.date != timestamp[:8]:
        raise malformed("The credential's date is not the date of X-Amz-Date. Sign both with one clock.")
    return access_key_id, scope


@lru_cache(maxsize=1024)
def _read_credential(text: str) -> tuple[str, CredentialScope]:
    """Without the time, which is another in every request: a client sends this all day."""
    match = _CREDENTIAL.fullmatch(text)
    if match is None:
        raise ValueError(
            'The credential is malformed; expecting "<access key id>/YYYYMMDD/<region>/s3/aws4_request".'
        )
    access_key_id, date, region, service, terminator = match.groups()
    if service != "s3" or terminator != "aws4_request":
        raise ValueError("The credential's scope must end in /s3/aws4_request. Sign for the service s3.")
    return access_key_id, CredentialScope(date=date, region=region, service=service)


def checked_timestamp(text: str, malformed: type[AuthError]) -> str:
    """``text``, when it is ``YYYYMMDDTHHMMSSZ`` and the calendar has it; raises ``malformed``."""
    try:
        epoch_seconds(text)
    except ValueError:
        pass
    else:
        return text
    raise malformed("The time of the request must be UTC in the form YYYYMMDDTHHMMSSZ (x-amz-date).")


@lru_cache(maxsize=1024)
def epoch_seconds(timestamp: str) -> int:
    """Seconds since the epoch of a ``YYYYMMDDTHHMMSSZ`` timestamp; ValueError when it is not a time."""
    if not _TIMESTAMP.fullmatch(timestamp):
        raise ValueError("not in the form YYYYMMDDTHHMMSSZ")
    year, month, day = int(timestamp[:4]), int(timestamp[4:6]), int(timestamp[6:8])
    hour, minute, second = int(timestamp[9:11]), int(timestamp[11:13]), int(timestamp[13:15])
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())

"""The XML that STS answers with. Source: AWS STS API reference, "AssumeRoleWithWebIdentity"."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from .exchange import IssuedSession
from .request import ACTION, AssumeRole

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_ROLE_ID = "AROAMIZUCHI"


def assumed_role(request: AssumeRole, issued: IssuedSession, request_id: str) -> bytes:
    """The answer that carries the keys of the session."""
    root = Element(f"{ACTION}Response", xmlns=NAMESPACE)
    result = SubElement(root, f"{ACTION}Result")
    _add(
        SubElement(result, "Credentials"),
        AccessKeyId=issued.access_key_id,
        SecretAccessKey=issued.secret_access_key,
        SessionToken=issued.session_token,
        Expiration=f"{datetime.fromtimestamp(issued.expires_at, UTC):%Y-%m-%dT%H:%M:%SZ}",
    )
    _add(
        SubElement(result, "AssumedRoleUser"),
        Arn=request.assumed_role_arn,
        AssumedRoleId=f"{_ROLE_ID}:{request.session_name}",
    )
    _add(
        result,
        SubjectFromWebIdentityToken=issued.token.subject,
        Provider=issued.token.issuer,
        Audience=next(iter(issued.token.audiences), ""),
    )
    _add(SubElement(root, "ResponseMetadata"), RequestId=request_id)
    return _document(root)


def error(code: str, message: str, *, is_senders: bool, request_id: str) -> bytes:
    """An error document."""
    root = Element("ErrorResponse", xmlns=NAMESPACE)
    _add(SubElement(root, "Error"), Type="Sender" if is_senders else "Receiver", Code=code, Message=message)
    _add(root, RequestId=request_id)
    return _document(root)


def _add(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = text


def _document(root: Element) -> bytes:
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document

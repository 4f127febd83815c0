"""Refusing, before the body is touched, what a backend cannot honour."""

from __future__ import annotations

from collections.abc import Collection

from uploads.s3.headers import Conditions, ObjectMetadata

from .base import Capability
from .errors import Unsupported

#: What clients spell out although it is what they get without asking (S3 API reference, PutObject).
DEFAULT_STORAGE_CLASS = "STANDARD"
DEFAULT_ACLS = frozenset({"private", "bucket-owner-full-control"})


def asked_for(metadata: ObjectMetadata, conditions: Conditions) -> list[Capability]:
    """The capabilities that a request needs, beyond bytes, content headers and user metadata."""
    asked = (
        (metadata.tagging, Capability.TAGGING),
        (metadata.storage_class not in (None, DEFAULT_STORAGE_CLASS), Capability.STORAGE_CLASS),
        (metadata.acl is not None and metadata.acl not in DEFAULT_ACLS, Capability.ACL),
        (metadata.encryption, Capability.ENCRYPTION),
        (metadata.website_redirect_location is not None, Capability.WEBSITE_REDIRECT),
        (conditions.if_none_match, Capability.IF_NONE_MATCH),
        (conditions.if_match is not None, Capability.IF_MATCH),
    )
    return [capability for is_asked, capability in asked if is_asked]


def refuse_unsupported(
    metadata: ObjectMetadata, conditions: Conditions, capabilities: Collection[Capability]
) -> None:
    """Raise ``Unsupported`` naming the headers that the capabilities do not cover."""
    asked = asked_for(metadata, conditions)
    missing = sorted(capability.value for capability in asked if capability not in capabilities)
    if missing:
        raise Unsupported(f"The storage of this bucket cannot honour {', '.join(missing)}. Leave it out.")

"""Every way in which an exchange of a token is refused.

AuthError
`- StsError
    |- MissingAction             MissingAction            400
    |- InvalidAction             InvalidAction            400
    |- InvalidParameter          ValidationError          400
    |- IdentityTokenRefused      InvalidIdentityToken     400
    |- IdentityTokenExpired      ExpiredTokenException    400
    |- IssuerUnreachable         IDPCommunicationError    400
    |- MalformedPolicy           MalformedPolicyDocument  400
    |- SessionTooLarge           PackedPolicyTooLarge     400
    `- ExchangeDenied            AccessDenied             403

Codes and statuses: AWS STS API reference, "AssumeRoleWithWebIdentity" and "Common Errors".
"""

from __future__ import annotations

from authz.errors import AuthError


class StsError(AuthError):
    """Base: a code of STS, an HTTP status and a message that says what to do."""

    code = "ValidationError"
    status = 400


class MissingAction(StsError):
    """Nothing says what is wanted."""

    code = "MissingAction"
    message = "The request names no Action. The only one here is AssumeRoleWithWebIdentity."


class InvalidAction(StsError):
    """An action of STS that is not answered here, or a version of the API that there is not."""

    code = "InvalidAction"
    message = "The only action here is AssumeRoleWithWebIdentity of version 2011-06-15."


class InvalidParameter(StsError):
    """A parameter is missing, malformed or out of bounds."""

    message = "A parameter is missing or not valid."


class IdentityTokenRefused(StsError):
    """No bucket takes the token."""

    code = "InvalidIdentityToken"
    message = "The web identity token is not valid here. Get another from your identity provider."


class IdentityTokenExpired(StsError):
    """The token's time is over."""

    code = "ExpiredTokenException"
    message = "The web identity token has expired. Get a new one from your identity provider."


class IssuerUnreachable(StsError):
    """The keys of the identity provider cannot be had now; clients try again by themselves."""

    code = "IDPCommunicationError"
    message = "The identity provider's keys cannot be fetched at the moment. Try again later."


class MalformedPolicy(StsError):
    """A session policy that is none, or that says more than can be kept here."""

    code = "MalformedPolicyDocument"
    message = "The session policy cannot be read."


class SessionTooLarge(StsError):
    """Policy and claims together make a session token that does not fit into requests."""

    code = "PackedPolicyTooLarge"
    message = "The session would be too large. Shorten the policy, or let fewer groups and claims through."


class ExchangeDenied(StsError):
    """The token is good, but opens no bucket to a session."""

    code = "AccessDenied"
    status = 403
    message = "Access Denied: this token, as narrowed by the policy, opens no bucket of this gateway."

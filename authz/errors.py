"""Every way in which authentication or authorization refuses a request.

AuthError                                code                                status
|- AccessDenied                          AccessDenied                        403
|   |- RequestExpired                    AccessDenied                        403
|   `- BearerTokenRequired               AccessDenied                        401
|- BearerTokenRefused                    InvalidToken                        401
|   `- BearerTokenExpired                ExpiredToken                        401
|- TokenKeysUnavailable                  ServiceUnavailable                  503
|- PolicyUnavailable                     ServiceUnavailable                  503
|- SignatureDoesNotMatch                 SignatureDoesNotMatch               403
|- InvalidAccessKeyId                    InvalidAccessKeyId                  403
|- RequestTimeTooSkewed                  RequestTimeTooSkewed                403
|- InvalidToken                          InvalidToken                        400
|- ExpiredToken                          ExpiredToken                        400
|- AuthorizationHeaderMalformed          AuthorizationHeaderMalformed        400
|- AuthorizationQueryParametersError     AuthorizationQueryParametersError   400
|- InvalidPolicyDocument                 InvalidPolicyDocument               400
|- InvalidPayloadHash                    InvalidArgument                     400
|- MissingSecurityHeader                 MissingSecurityHeader               400
|- MultipleAuthMechanisms                InvalidArgument                     400
|- UnsignedHeaders                       AccessDenied                        403
`- UnsupportedSignature                  InvalidRequest                      400

Codes and statuses: S3 API reference, "Error responses". The message says what to do and never holds
a secret, a signature or anything that was computed from one.
"""

from __future__ import annotations

from collections.abc import Mapping

_CHALLENGE = 'Bearer realm="mizuchi"'


class AuthError(Exception):
    """Base: an S3 error code, an HTTP status and a message that says what to do. ``reason`` is stable and
    low in cardinality, for logs and traces; ``headers`` go with the answer."""

    code = "AccessDenied"
    status = 403
    message = "Access Denied."
    headers: Mapping[str, str] = {}

    def __init__(self, message: str | None = None, *, reason: str = "") -> None:
        self.message = message or type(self).message
        self.reason = reason or type(self).__name__
        super().__init__(self.message)


class AccessDenied(AuthError):
    """Nobody is authenticated, or the authenticated principal may not do this."""


class RequestExpired(AccessDenied):
    """A presigned URL or POST policy is past its expiry."""

    message = "Request has expired. Ask for a new presigned URL or policy."


class BearerTokenRequired(AccessDenied):
    """Nothing says who calls, and the bucket takes tokens (RFC 6750, section 3: no error without a token)."""

    status = 401
    message = "Access Denied: the request has neither a token nor a signature. Send Authorization: Bearer."
    headers = {"WWW-Authenticate": _CHALLENGE}


class BearerTokenRefused(AuthError):
    """A JSON Web Token that the bucket does not take. The reason goes to the client too (RFC 6750, 3.1)."""

    code = "InvalidToken"
    status = 401
    message = "The token is not valid here. Get a new one from your identity provider."

    def __init__(self, message: str | None = None, *, reason: str = "") -> None:
        if message is None and reason:
            message = f"{type(self).message} Reason: {reason}."
        super().__init__(message, reason=reason)
        description = f'error="invalid_token", error_description="{self.reason}"'
        self.headers = {"WWW-Authenticate": f"{_CHALLENGE}, {description}"}


class BearerTokenExpired(BearerTokenRefused):
    """The token's ``exp`` has passed."""

    code = "ExpiredToken"
    message = "The token has expired. Get a new one from your identity provider."


class TokenKeysUnavailable(AuthError):
    """The keys that tokens are verified with cannot be had now, so nobody gets in."""

    code = "ServiceUnavailable"
    status = 503
    message = "Tokens cannot be verified at the moment. Try again later."
    headers = {"Retry-After": "5"}


class PolicyUnavailable(AuthError):
    """A policy engine that must agree does not answer, so nobody gets in."""

    code = "ServiceUnavailable"
    status = 503
    message = "It cannot be decided at the moment whether you may do this. Try again later."
    headers = {"Retry-After": "2"}


class SignatureDoesNotMatch(AuthError):
    """The signature computed with the stored secret differs from the one sent."""

    code = "SignatureDoesNotMatch"
    message = (
        "The request signature we calculated does not match the signature you provided. "
        "Check your key and signing method; the operator can look this request id up."
    )


class InvalidAccessKeyId(AuthError):
    """No enabled access key has this id."""

    code = "InvalidAccessKeyId"
    message = "The access key id you provided does not exist, is disabled or has expired."


class RequestTimeTooSkewed(AuthError):
    """The request's time is too far from the gateway's clock."""

    code = "RequestTimeTooSkewed"
    message = (
        "The difference between the request time and the server's time is too large. Set the client's clock."
    )


class InvalidToken(AuthError):
    """A session token that this gateway did not issue, or cannot accept."""

    code = "InvalidToken"
    status = 400
    message = (
        "The session token is not valid here, or belongs to another access key. Exchange your identity token "
        "for a new session; a permanent access key has no session token."
    )


class ExpiredToken(AuthError):
    """The session token's time is over."""

    code = "ExpiredToken"
    status = 400
    message = "The session token has expired. Exchange a new identity token for a new session."


class AuthorizationHeaderMalformed(AuthError):
    """The Authorization header cannot be read, or its scope is wrong."""

    code = "AuthorizationHeaderMalformed"
    status = 400
    message = "The authorization header is malformed. Sign the request with AWS Signature Version 4."


class AuthorizationQueryParametersError(AuthError):
    """The X-Amz-* query parameters of a presigned URL cannot be read."""

    code = "AuthorizationQueryParametersError"
    status = 400
    message = "The X-Amz-* query parameters are incomplete or malformed. Make the presigned URL anew."


class InvalidPolicyDocument(AuthError):
    """The policy of a POST form cannot be read."""

    code = "InvalidPolicyDocument"
    status = 400
    message = "The content of the form does not meet the conditions specified in the policy document."


class InvalidPayloadHash(AuthError):
    """A value of x-amz-content-sha256 that S3 does not know."""

    code = "InvalidArgument"
    status = 400
    message = (
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or the body's "
        "SHA-256 in hexadecimal digits."
    )


class MissingSecurityHeader(AuthError):
    """A header that the signature needs is missing (x-amz-date, x-amz-content-sha256)."""

    code = "MissingSecurityHeader"
    status = 400
    message = "Your request is missing a required header."


class MultipleAuthMechanisms(AuthError):
    """Two credentials on one request, of one kind or of two: which one is meant is unknown."""

    code = "InvalidArgument"
    status = 400
    message = (
        "Only one auth mechanism allowed: send one Authorization header, presigned URL, signed form or token."
    )


class UnsignedHeaders(AuthError):
    """A header that must be signed is not among SignedHeaders."""

    message = "There were headers present in the request which were not signed."


class UnsupportedSignature(AuthError):
    """A signature version or algorithm that is not AWS4-HMAC-SHA256."""

    code = "InvalidRequest"
    status = 400
    message = "The authorization mechanism is not supported. Use AWS4-HMAC-SHA256 (Signature Version 4)."

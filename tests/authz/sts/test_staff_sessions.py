"""Sessions of staff for uploads in the browser: who they are, and where they are good for anything."""

from __future__ import annotations

import pytest

from authz.config import BucketAuth, JwtConfig
from authz.errors import AccessDenied, AuthError, ExpiredToken
from authz.identity import Identity
from authz.sts.caller import session_identity
from authz.sts.session import Grant, Session, SessionSealer
from authz.sts.staff import LIFETIME_SECONDS, RULE, StaffSessions, staff_principal

NOW = 1_800_000_000.5
OPEN = BucketAuth(browser_upload=True)
JWT = JwtConfig(algorithms=("HS256",), secret="s" * 32)
SEALER = SessionSealer([b"k" * 32])


def identity(
    rules: BucketAuth = OPEN,
    *,
    username: str = "anna",
    bucket: str | None = "uploads",
    key: str = "in/file",
    now: float = NOW,
) -> Identity:
    keys = StaffSessions(SEALER, clock=lambda: NOW).issue(username, "uploads", key)
    opened = SEALER.open(keys.access_key_id, keys.session_token)
    assert opened.secret == keys.secret_access_key
    return session_identity(
        opened.session,
        access_key_id=keys.access_key_id,
        method="sigv4-query",
        bucket=bucket,
        rules=rules,
        now=now,
    )


def test_a_session_is_its_user_and_no_other_kind_of_caller() -> None:
    one = identity()
    assert (one.principal, one.subject, one.method) == ("user:anna", "user:anna", "sigv4-query")
    assert (one.groups, dict(one.claims)) == ((), {})


def test_it_reaches_one_object() -> None:
    scope = identity().scope
    assert scope.allows("uploads", "in/file")
    assert not scope.allows("uploads", "in/")
    assert not scope.allows("uploads", "other")
    assert not scope.allows("other", "in/file")


def test_it_ends() -> None:
    until = int(NOW) + LIFETIME_SECONDS
    assert identity(now=until)
    with pytest.raises(ExpiredToken):
        identity(now=until + 1)


@pytest.mark.parametrize(
    ("rules", "bucket"),
    [
        (BucketAuth(), "uploads"),
        (BucketAuth(jwt=JWT), "uploads"),
        (BucketAuth(browser_upload=True), "other"),
        (BucketAuth(browser_upload=True), None),
    ],
    ids=["not-open", "tokens-only", "other-bucket", "no-bucket"],
)
def test_where_it_is_not_good(rules: BucketAuth, bucket: str | None) -> None:
    with pytest.raises(AuthError) as refused:
        identity(rules, bucket=bucket)
    assert isinstance(refused.value, AccessDenied)


def test_beside_tokens_both_are_who_they_are() -> None:
    rules = BucketAuth(jwt=JWT, browser_upload=True)
    assert identity(rules).principal == "user:anna"


def test_a_token_can_never_pass_for_staff() -> None:
    """A grant by another rule is not taken, whatever its issuer and subject are called."""
    session = Session(int(NOW) + 60, (Grant("0" * 16, "", "anna"),))
    with pytest.raises(AccessDenied):
        session_identity(
            session, access_key_id="MZX", method="sigv4-query", bucket="uploads", rules=OPEN, now=NOW
        )
    assert len(RULE) != 16, "fingerprints of token rules have 16 characters"


def test_a_folder_for_everybody_is_the_principals() -> None:
    rules = BucketAuth(browser_upload=True, key_template="users/{subject}/")
    assert identity(rules, key="users/user:anna/x").scope.allows("uploads", "users/user:anna/x")
    assert not identity(rules, key="users/anna/x").scope.allows("uploads", "users/anna/x")


def test_names_of_users_stay_different() -> None:
    assert staff_principal("anna@example.org") == "user:anna@example.org"
    assert staff_principal("käthe+x") == "user:käthe+x"
    assert len(staff_principal("x" * 150)) <= 255


def test_every_signature_has_keys_of_its_own_and_shows_no_secret() -> None:
    sessions = StaffSessions(SEALER, clock=lambda: NOW)
    one, other = (sessions.issue("anna", "uploads", "k") for _ in range(2))
    assert one.access_key_id != other.access_key_id
    assert one.secret_access_key not in repr(one)
    assert one.session_token not in repr(one)


def test_the_longest_key_fits() -> None:
    key = "".join(chr(0x4E00 + 7 * number) for number in range(341))
    assert identity(key=key).scope.allows("uploads", key)

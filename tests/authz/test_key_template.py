from __future__ import annotations

import pytest

from authz.identity import BucketScope
from authz.key_template import TEMPLATE, expand_template, own_scope


@pytest.mark.parametrize(
    ("subject", "prefix"),
    [
        ("alice", "users/alice/"),
        ("a@example.org", "users/a@example.org/"),
        ("system:serviceaccount:ns:name", "users/system:serviceaccount:ns:name/"),
        ("auth0|123", "users/auth0%7C123/"),
        ("..", "users/%2E%2E/"),
        (".", "users/%2E/"),
        ("...", "users/.../"),
        ("../bob", "users/..%2Fbob/"),
        ("bob/", "users/bob%2F/"),
        ("%2F", "users/%252F/"),
        ("a b", "users/a%20b/"),
        ("jürgen", "users/j%C3%BCrgen/"),
        ("{subject}", "users/%7Bsubject%7D/"),
    ],
)
def test_a_subject_is_one_segment(subject: str, prefix: str) -> None:
    assert expand_template("users/{subject}/", subject) == prefix


@pytest.mark.parametrize(
    ("template", "is_good"),
    [
        ("users/{subject}/", True),
        ("{subject}/", True),
        ("u-{subject}/in/", True),
        ("users/", False),
        ("users/{subject}", False),
        ("users/{subject}-x/", False),
        ("users/{name}/", False),
        ("{subject}/{subject}/", False),
        ("users/{subject}/{x}", False),
    ],
)
def test_templates(template: str, is_good: bool) -> None:
    assert bool(TEMPLATE.fullmatch(template)) == is_good


@pytest.mark.parametrize(
    ("prefixes", "allowed", "denied"),
    [
        (None, ["users/a/", "users/a/x"], ["users/b/x"]),
        (("",), ["users/a/x"], ["users/b/x"]),
        (("users/",), ["users/a/x"], ["users/b/x"]),
        (("users/a/in/",), ["users/a/in/x"], ["users/a/x"]),
        (("users/b/",), [], ["users/a/x", "users/b/x"]),
        (("users/a/1", "users/a/2", "z"), ["users/a/1", "users/a/23"], ["users/a/3", "z"]),
        ((), [], ["users/a/x", ""]),
    ],
)
def test_a_template_only_ever_narrows(
    prefixes: tuple[str, ...] | None, allowed: list[str], denied: list[str]
) -> None:
    given = BucketScope(prefixes={} if prefixes is None else {"b": prefixes, "other": ("o/",)})

    scope = own_scope(given, "b", "users/{subject}/", "a")

    assert [key for key in [*allowed, *denied] if scope.allows("b", key)] == allowed
    assert scope.allows("other", "users/b/x") == given.allows("other", "users/b/x")

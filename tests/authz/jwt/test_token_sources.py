"""Where tokens are looked for, and who owns what under their name."""

from __future__ import annotations

import pytest

from authz.config import TokenSource
from authz.jwt.principal import token_principal, token_subject
from authz.jwt.sources import presented_tokens
from authz.sigv4.parts import RequestParts

BEARER, QUERY, HEADER = (
    TokenSource("bearer"),
    TokenSource("query", "token"),
    TokenSource("header", "x-auth-token"),
)
ALL = (BEARER, QUERY, HEADER)


@pytest.mark.parametrize(
    ("headers", "query", "sources", "tokens"),
    [
        ({"authorization": "Bearer a.b.c"}, "", ALL, ("a.b.c",)),
        ({"authorization": "bearer  a.b.c "}, "", ALL, ("a.b.c",)),
        ({"authorization": "BEARER a.b.c"}, "", (BEARER,), ("a.b.c",)),
        ({"authorization": "Bearer a b"}, "", (BEARER,), ("a b",)),
        ({"authorization": "Bearer a,Bearer b"}, "", (BEARER,), ("a,Bearer b",)),
        ({"authorization": "Bearer"}, "", (BEARER,), ()),
        ({"authorization": "Bearera.b.c"}, "", (BEARER,), ()),
        ({"authorization": "Basic a.b.c"}, "", (BEARER,), ()),
        ({"authorization": "Bearer a"}, "", (QUERY, HEADER), ()),
        ({}, "token=a.b.c", ALL, ("a.b.c",)),
        ({}, "x=1&to%6ben=a%2Eb.c&y", (QUERY,), ("a.b.c",)),
        ({}, "token=", (QUERY,), ()),
        ({}, "token", (QUERY,), ()),
        ({}, "Token=a&tokens=b", (QUERY,), ()),
        ({}, "token=a&token=b", (QUERY,), ("a", "b")),
        ({}, "token=a", (BEARER, HEADER), ()),
        ({"x-auth-token": " a.b.c "}, "", ALL, ("a.b.c",)),
        ({"x-auth-token": ""}, "", ALL, ()),
        ({"authorization": "Bearer a", "x-auth-token": "b"}, "token=c", ALL, ("a", "c", "b")),
    ],
)
def test_tokens_are_found_where_the_bucket_looks(
    headers: dict[str, str], query: str, sources: tuple[TokenSource, ...], tokens: tuple[str, ...]
) -> None:
    assert presented_tokens(RequestParts("PUT", b"/b/k", query, headers), sources) == tokens


def test_principals_of_tokens_are_told_apart() -> None:
    people = [
        ("a", "b#c"),
        ("a#b", "c"),
        ("a%23b", "c"),
        ("", "a#b"),
        ("", "jwt:a#b"),
        ("i" * 300, "s"),
        ("i" * 300, "t"),
    ]
    principals = [token_principal(*each) for each in people]

    assert len(set(principals)) == len(people)
    assert all(principal.startswith("jwt:") and len(principal) <= 255 for principal in principals)
    assert token_principal("https://idp.example", "alice") == "jwt:https://idp.example#alice"


@pytest.mark.parametrize(
    ("principal", "subject"),
    [
        (token_principal("https://idp.example/a#b", "al#ice"), "al#ice"),
        (token_principal("", "alice"), "alice"),
        (token_principal("https://idp.example", "x" * 300), None),
        ("build#7", None),
    ],
    ids=["signs", "no-issuer", "hashed", "a-keys"],
)
def test_the_subject_of_a_principal(principal: str, subject: str | None) -> None:
    assert token_subject(principal) == subject

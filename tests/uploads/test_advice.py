"""Every error code is explained to operators, in the desk and in the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from authz.errors import AuthError
from uploads.advice import ADVICE, Advice
from uploads.s3.errors import S3Error

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "errors.md"
OF_RECORDS = {"WorkerDied", "Abandoned", "Expired"}
"""Codes that no client is told."""


def codes_below(kind: type[S3Error] | type[AuthError]) -> Iterator[str]:
    if not kind.__module__.startswith("authz.sts"):  # the errors of another API
        yield kind.code
    for more in kind.__subclasses__():
        yield from codes_below(more)


def test_every_code_has_advice_and_no_other() -> None:
    assert set(ADVICE) == {*codes_below(S3Error), *codes_below(AuthError), *OF_RECORDS}


def test_the_documentation_says_the_same() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", DOCUMENT.read_text(), re.MULTILINE)

    assert {code: Advice(meaning, remedy) for code, meaning, remedy in rows} == ADVICE
    assert [code for code, _, _ in rows] == sorted(ADVICE)

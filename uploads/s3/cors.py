"""Cross-Origin Resource Sharing: which pages of other sites may talk to a bucket.

Sources: Fetch standard, "CORS protocol"; S3 User Guide, "Elements of a CORS configuration" and "How does
Amazon S3 evaluate the CORS configuration on a bucket".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CorsRule:
    """A rule; the first of a bucket's that matches a request answers it.

    Origins and header names may have one ``*``, which stands for any text. Names of headers are compared
    without regard to case. ``max_age_seconds`` None leaves it to the browser.
    """

    allowed_origins: tuple[str, ...]
    allowed_methods: tuple[str, ...]
    allowed_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age_seconds: int | None = None

    def lets(self, origin: str, method: str) -> bool:
        """Whether a page of that origin may use that method."""
        return method in self.allowed_methods and _matches_one(origin, self.allowed_origins)

    def lets_headers(self, names: Iterable[str]) -> bool:
        """Whether such a request may have these headers."""
        patterns = [pattern.lower() for pattern in self.allowed_headers]
        return all(_matches_one(name.lower(), patterns) for name in names)

    def headers(self, origin: str) -> dict[str, str]:
        """Those of the answer to a page of that origin, which the rule lets."""
        headers = {"Access-Control-Allow-Origin": "*"}
        if "*" not in self.allowed_origins:
            headers = {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
        if self.expose_headers:
            headers["Access-Control-Expose-Headers"] = ", ".join(self.expose_headers)
        return headers


def actual_headers(rules: Sequence[CorsRule], origin: str, method: str) -> Mapping[str, str] | None:
    """The headers of the answer to a page's request; None when no rule lets it read the answer."""
    for rule in rules:
        if rule.lets(origin, method):
            return rule.headers(origin)
    return None


def preflight_headers(
    rules: Sequence[CorsRule], origin: str, method: str, requested_headers: str
) -> Mapping[str, str] | None:
    """The headers of the answer to a page that asks first; None when no rule lets it. ``method`` and
    ``requested_headers`` are as in ``Access-Control-Request-Method`` and ``-Headers``."""
    names = [name for name in (part.strip() for part in requested_headers.split(",")) if name]
    for rule in rules:
        if rule.lets(origin, method) and rule.lets_headers(names):
            headers = rule.headers(origin)
            headers["Access-Control-Allow-Methods"] = ", ".join(rule.allowed_methods)
            if names:
                headers["Access-Control-Allow-Headers"] = ", ".join(names).lower()
            if rule.max_age_seconds is not None:
                headers["Access-Control-Max-Age"] = str(rule.max_age_seconds)
            return headers
    return None


def _matches_one(text: str, patterns: Iterable[str]) -> bool:
    return any(_matches(text, pattern) for pattern in patterns)


def _matches(text: str, pattern: str) -> bool:
    before, star, after = pattern.partition("*")
    if not star:
        return text == pattern
    return len(text) >= len(before) + len(after) and text.startswith(before) and text.endswith(after)

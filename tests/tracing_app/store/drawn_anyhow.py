"""Any trace: requests that overlap or not, spans inside and beyond their parents, waits that cannot be."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.tracing_app.store.drawn import CLIENT, INTERNAL, SERVER, Drawn

NAMES = ("auth.sigv4", "auth.jwt", "authz.opa", "GET", "upload.part", "file.write", "S3.PutObject", "library")
MOMENTS = st.integers(0, 60_000_000).map(lambda nanoseconds: nanoseconds / 1e6)
WAITS = st.one_of(st.none(), st.floats(-5, 100), st.sampled_from([float("inf"), float("nan")]))


@st.composite
def spans(draw: st.DrawFn, depth: int = 3) -> Drawn:
    start, end = sorted((draw(MOMENTS), draw(MOMENTS)))
    waits = {
        "mizuchi.upload.receive_wait_ms": draw(WAITS),
        "mizuchi.upload.backend_wait_ms": draw(WAITS),
        "mizuchi.storage": draw(st.sampled_from([None, None, "disk"])),
    }
    children = draw(st.lists(spans(depth - 1), max_size=3)) if depth else []
    return Drawn(
        draw(st.sampled_from(NAMES)),
        start,
        end,
        children,
        draw(st.sampled_from([INTERNAL, CLIENT, SERVER])),
        {name: value for name, value in waits.items() if value is not None},
    )


def any_requests() -> st.SearchStrategy[list[Drawn]]:
    """Those of one trace, for ``tree_of``."""
    return st.lists(spans(), min_size=1, max_size=4)

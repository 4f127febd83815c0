from collections.abc import Callable, Sequence

from tracing_app.recording.data import SpanData

def encode_plain(
    spans: Sequence[SpanData], trace_id: int, common_of: Callable[[SpanData], bytes], /
) -> bytes | None: ...

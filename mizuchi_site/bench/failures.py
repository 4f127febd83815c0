"""Why a benchmark has no figures: each is a BenchmarkFailed.

BenchmarkFailed
  ServerFailed     a process that it needs did not come up         (server)
  UploadRefused    an upload was not answered with success         (uploads)
  NotExported      traces did not arrive                           (export)
  NotAllowed       an engine that allows everything did not        (policy)
  NoRoom           what it stores does not fit                     (room)
"""

from __future__ import annotations


class BenchmarkFailed(Exception):
    """The text says what went wrong, for people."""

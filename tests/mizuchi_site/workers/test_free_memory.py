"""What uploads needed is not kept when they are over."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from mizuchi_site.config.places import PROJECT_ROOT

BURST = """
import resource
from pathlib import Path
from mizuchi_site.workers.free_memory import give_back_memory

def resident_mib():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1048576

# Those that live on lie between the buffers, as records and connections do.
pairs = [(bytearray(65536), bytearray(1000)) for _ in range(1000)]
lasting = [small for _, small in pairs]
del pairs
kept = resident_mib()
give_back_memory()
print(kept - resident_mib())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps it")
def test_the_buffers_of_a_burst_are_given_back() -> None:
    command = [sys.executable, "-c", BURST]
    ended = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert float(ended.stdout) > 40

"""A Django storage that takes its time, for the gateway under test."""

from __future__ import annotations

import time

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

SAVE_SECONDS = 2.5


class SlowStorage(FileSystemStorage):
    """Names that have ``slow`` in them are saved after a while."""

    def _save(self, name: str, content: File) -> str:
        if "slow" in name:
            time.sleep(SAVE_SECONDS)
        return super()._save(name, content)

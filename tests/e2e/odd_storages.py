"""Django storages for the gateway under test: one takes its time, one fails as those of third parties do."""

from __future__ import annotations

import errno
import time

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

SAVE_SECONDS = 2.5


class SlowStorage(FileSystemStorage):
    """Names that have ``slow`` in them are saved after a while."""

    def _save(self, name: str, content: File) -> str:
        if "slow" in name:
            time.sleep(SAVE_SECONDS)
        return super()._save(name, content)


class FailingStorage(FileSystemStorage):
    """The end of a name says how saving it fails; each failure tells the name, as most do."""

    def _save(self, name: str, content: File) -> str:
        match name.rpartition(".")[2]:
            case "runtime":
                try:
                    raise KeyError(name)
                except KeyError as cause:
                    raise RuntimeError(f"403 PUT https://storage.example.org/{name}: denied") from cause
            case "os":
                raise OSError(errno.EIO, "cannot write", name)
            case "suspicious":
                raise SuspiciousFileOperation(f"the joined path ({name}) is outside")
            case "renamed":
                return super()._save(name + ".other", content)
        return super()._save(name, content)

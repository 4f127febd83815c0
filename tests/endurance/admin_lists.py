"""How long the desk's lists take, with 100,000 uploads in the database and 10,000 traces in the store.

    make lists [LISTS="--uploads 1000000 --traces 10000 --rounds 20 --postgres"]

Server time of a page in milliseconds, the whole of Django's chain included: median and maximum over the
rounds, which go through all pages in turn. The database is a file on disk, or a PostgreSQL of its own.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

LIMIT_MS = 300.0
BATCH = 2000
SECONDS_APART = 5.0
CODES = ("BadDigest", "IncompleteBody", "ServiceUnavailable")


def configure(folder: Path, database_url: str | None) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
        "MIZUCHI_CONFIG": str(folder / "config.yaml"),
        "MIZUCHI_VAR": str(folder / "var"),
    }
    database = {"database": {"url": database_url}} if database_url else {}
    config = {
        "security": {"secret_keys": [uuid.uuid4().hex * 2]},
        "storages": {"disk": {"backend": "filesystem", "location": str(folder / "objects")}},
        "buckets": [{"name": name, "storage": "disk"} for name in ("uploads", "rare")],
        **database,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    import django

    django.setup(set_prefix=False)
    from django.conf import settings
    from django.core.management import call_command

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    for alias in settings.DATABASES:
        call_command("migrate", database=alias, verbosity=0, interactive=False)


def fill_uploads(number: int) -> None:
    """Of 50 principals, two in a hundred failed; every ten-thousandth is of a rare bucket and principal."""
    from uploads.models import UploadRecord

    dice, now = random.Random(7), datetime.now(UTC)
    made: list[UploadRecord] = []
    for count in range(number):
        began = now - timedelta(seconds=SECONDS_APART * (number - count))
        is_failed, is_rare = dice.random() < 0.02, count % 10_000 == 5_000
        made.append(
            UploadRecord(
                request_id=f"{dice.getrandbits(128):032x}",
                bucket="rare" if is_rare else "uploads",
                key=f"photos/{count % 400}/{dice.getrandbits(48):012x}.jpg",
                principal="rare" if is_rare else f"camera-{count % 50}",
                auth_method="sigv4",
                method="multipart" if count % 10 == 0 else "simple",
                upload_digest=f"{dice.getrandbits(128):032x}" if count % 10 == 0 else "",
                state="FAILED" if is_failed else "STORED",
                error_code=CODES[count % 3] if is_failed else "",
                size=dice.randrange(1 << 24),
                etag=f"{dice.getrandbits(128):032x}",
                worker="host:1:1",
                started_at=began,
                finished_at=began + timedelta(seconds=dice.random()),
            )
        )
        if len(made) == BATCH or count == number - 1:
            UploadRecord.objects.bulk_create(made)
            made.clear()


def fill_traces(number: int) -> None:
    """Recorded, encoded and saved as those of requests are; of the newest uploads."""
    from tests.tracing_app.store.recorded import MS, Recorded
    from uploads.models import UploadRecord

    recorded = Recorded()
    newest = UploadRecord.objects.values_list("request_id", "error_code", "started_at")[:number]
    for count, (request_id, error, began) in enumerate(reversed(newest)):
        recorded.request(
            "PutObject",
            milliseconds=5 + count % 700,
            trace_id=request_id,
            status=400 if error else 200,
            error=error,
            began=int(began.timestamp() * 1e3) * MS,
        )
        if count % BATCH == BATCH - 1 or count == number - 1:
            recorded.save(max_traces=number)


def pages() -> Mapping[str, str]:
    """What operators look at: the newest, what is common, what is rare, and what is not there at all."""
    from uploads.models import UploadRecord

    uploads, traces = "/admin/uploads/uploadrecord/", "/admin/traces/"
    middle = UploadRecord.objects.order_by("id")[UploadRecord.objects.count() // 2]
    day = middle.started_at
    between = f"since={day:%Y-%m-%dT%H:%M:%S}&until={day + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}"
    return {
        "uploads": uploads,
        "uploads, far down": f"{uploads}?before={middle.pk}",
        "uploads, failed": f"{uploads}?state=FAILED",
        "uploads, in progress: none": f"{uploads}?state=RECEIVING",
        "uploads, an error code": f"{uploads}?error=ServiceUnavailable",
        "uploads, the common bucket": f"{uploads}?bucket=uploads",
        "uploads, a rare bucket": f"{uploads}?bucket=rare",
        "uploads, a principal": f"{uploads}?principal=camera-7",
        "uploads, a rare principal": f"{uploads}?principal=rare",
        "uploads, an hour long ago": f"{uploads}?{between}",
        "uploads, many keys": f"{uploads}?q=photos/7",
        "uploads, one key": f"{uploads}?q={middle.key.rpartition('/')[2]}",
        "uploads, no key": f"{uploads}?q=nowhere",
        "uploads, a request id": f"{uploads}?q={middle.request_id}",
        "uploads, an unknown id": f"{uploads}?q={'f' * 32}",
        "uploads, in flight": "/admin/uploads-in-flight/",
        "one upload": f"{uploads}{UploadRecord.objects.first().pk}/change/",  # type: ignore[union-attr]
        "uploads by REST": "/api/v1/uploads/?limit=500",
        "traces": traces,
        "traces, failed": f"{traces}?outcome=failed",
        "traces, slow": f"{traces}?slower_than_ms=690",
        "traces, an error code": f"{traces}?error=BadDigest",
        "traces, no such bucket": f"{traces}?bucket=nowhere",
        "traces by REST": "/api/v1/traces/?limit=500",
        "traces as points": "/api/v1/traces/points/?limit=5000",
    }


def timed(rounds: int) -> Iterator[tuple[str, list[float]]]:
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(raise_request_exception=True)
    client.force_login(User.objects.create_superuser("admin"))
    asked = pages()
    found: dict[str, list[float]] = {name: [] for name in asked}
    for count in range(rounds + 1):
        for name, path in asked.items():
            began = time.perf_counter()
            answer = client.get(path)
            took = (time.perf_counter() - began) * 1e3
            assert answer.status_code == 200, (path, answer.status_code)
            if count:  # the first warms up
                found[name].append(took)
    return iter(found.items())


def measure(arguments: argparse.Namespace) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mizuchi-lists-")))
        url = None
        if arguments.postgres:
            from tests.servers.postgres import running_postgres

            url = stack.enter_context(running_postgres()).create_database()
        configure(folder, url)
        began = time.perf_counter()
        fill_uploads(arguments.uploads)
        fill_traces(arguments.traces)
        print(
            f"{arguments.uploads:,} uploads and {arguments.traces:,} traces "
            f"in {time.perf_counter() - began:.0f} s, {'PostgreSQL' if url else 'SQLite'}"
        )
        print(f"{'page':30} {'median ms':>10} {'max ms':>10}")
        for name, took in timed(arguments.rounds):
            over = f"  over {LIMIT_MS:g}" if max(took) > LIMIT_MS else ""
            print(f"{name:30} {statistics.median(took):10.1f} {max(took):10.1f}{over}")
        from django.db import connections

        connections.close_all()


def parse(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--uploads", type=int, default=100_000)
    parser.add_argument("--traces", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--postgres", action="store_true")
    return parser.parse_args(words)


if __name__ == "__main__":
    measure(parse())

"""``manage.py setup_dev``: everything a development system needs before its first upload."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand

from authz.credentials import create_access_key
from authz.models import AccessKey
from mizuchi_site.config.sections import ServerSection
from mizuchi_site.private_files import as_exports, read_exports, write_private

ADMIN = "admin"
REGION = "us-east-1"

_HINTS = """\
Mizuchi Uploadr, ready to run at {endpoint}

  access key   {access_key_id}  (kept in {env})
  admin        {endpoint}/admin/  {login}

Once it runs, upload a first file from another shell:

  . {env} && aws --endpoint-url "$AWS_ENDPOINT_URL" s3 cp README.md s3://{bucket}/

or without the AWS CLI:

  . {env} && curl --fail --no-progress-meter --aws-sigv4 "aws:amz:$AWS_REGION:s3" \\
      --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\
      --upload-file README.md "$AWS_ENDPOINT_URL/{bucket}/README.md"
"""
_TRACE_HINT = """
Its trace is at {endpoint}/admin/traces/ a few seconds later, and here:

  {python} manage.py traces --last
"""


class Command(BaseCommand):
    help = (
        "Prepare a development system: folders, database, static files, an admin login and an access key. "
        "Running it again keeps what is there."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        var: Path = settings.VAR
        var.mkdir(parents=True, exist_ok=True)
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        login = ensure_admin(var / "dev-admin.txt")
        env = var / "dev.env"
        variables = ensure_access_key(env)
        hints = _HINTS + _TRACE_HINT if settings.TRACING.store is not None else _HINTS
        self.stdout.write(
            hints.format(
                endpoint=variables["AWS_ENDPOINT_URL"],
                python=_as_typed(Path(sys.executable)),
                access_key_id=variables["AWS_ACCESS_KEY_ID"],
                env=_as_typed(env),
                login=login,
                bucket=settings.UPLOADS.buckets[0].name,
            )
        )


def ensure_admin(file: Path) -> str:
    """An admin whose password is in ``file``; one that was made elsewhere keeps its own. Returns how to
    log in."""
    users = get_user_model()._default_manager
    if not users.filter(username=ADMIN).exists():
        password = file.read_text().strip() if file.exists() else secrets.token_urlsafe(18)
        write_private(file, password + "\n")
        users.create_superuser(username=ADMIN, password=password)
    kept = f"the password in {_as_typed(file)}" if file.exists() else "the password you gave it"
    return f"login {ADMIN} with {kept}"


def ensure_access_key(file: Path) -> dict[str, str]:
    """The development key in ``file``, made anew when the database does not know it. Returns all
    variables of the file."""
    kept = read_exports(file)
    key_id, secret = kept.get("AWS_ACCESS_KEY_ID", ""), kept.get("AWS_SECRET_ACCESS_KEY", "")
    if not (secret and AccessKey.objects.filter(access_key_id=key_id).exists()):
        row, secret = create_access_key("dev", note="made by setup_dev")
        key_id = row.access_key_id
    variables = {
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_ENDPOINT_URL": endpoint(settings.SERVER),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    write_private(file, as_exports(variables))
    return variables


def endpoint(server: ServerSection) -> str:
    """The gateway as this machine reaches it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)  # noqa: S104 - not a bind
    return f"http://[{host}]:{server.port}" if ":" in host else f"http://{host}:{server.port}"


def _as_typed(file: Path) -> Path:
    """Relative where that is shorter to type."""
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file

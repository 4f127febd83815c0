"""The WSGI application that ``manage.py serve`` runs in every worker."""

from __future__ import annotations

import os

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mizuchi_site.settings")
django.setup(set_prefix=False)

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402

from mizuchi_site.front_door import FrontDoor, S3Handler  # noqa: E402
from uploads.startup import recover  # noqa: E402

recover()

application = FrontDoor(pages=WSGIHandler(), s3=S3Handler(), domain=settings.UPLOADS.domain)

#!/usr/bin/env python
"""Commands of the gateway; a configuration that cannot be used is told in one message."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

from mizuchi_site.config import ConfigError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mizuchi_site.settings")
    try:
        execute_from_command_line(sys.argv)
    except ConfigError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

"""All clients that must work unchanged."""

from __future__ import annotations

from . import aws_cli, boto, programs, scripted

CLIENTS = (*boto.CLIENTS, *aws_cli.CLIENTS, *scripted.CLIENTS, *programs.CLIENTS)

"""What every view of the REST API has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rest_framework.authentication import SessionAuthentication
from rest_framework.parsers import JSONParser
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTAuthentication

from .permissions import HasPermission


class RestView(APIView):
    """JSON for staff: with an operator's token, or with the admin's session (then with its CSRF token)."""

    authentication_classes = [JWTAuthentication, SessionAuthentication]
    permission_classes = [HasPermission]
    parser_classes = [JSONParser]

    permission: ClassVar[str]
    """Of methods that only read, as ``app_label.codename``."""
    change_permission: ClassVar[str | None] = None
    """Of methods that change something."""
    method_permissions: ClassVar[Mapping[str, str]] = {}
    """Of single methods, in the place of these two."""

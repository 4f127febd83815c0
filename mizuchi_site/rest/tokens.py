"""Tokens of operators for the REST API: a short one for requests, a longer one to renew it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.parsers import JSONParser
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView


class StaffTokenSerializer(TokenObtainPairSerializer):
    """For staff only: others have nothing to do here."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        tokens: dict[str, str] = super().validate(attrs)
        if self.user is None or not self.user.is_staff:
            raise AuthenticationFailed(gettext_lazy("This account may not use the API."), "not_staff")
        return tokens


class ObtainToken(TokenObtainPairView):
    """Exchange a username and password for a pair of tokens."""

    parser_classes = [JSONParser]
    serializer_class = StaffTokenSerializer


class RefreshToken(TokenRefreshView):
    """Exchange a refresh token for a new access token."""

    parser_classes = [JSONParser]

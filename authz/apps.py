from __future__ import annotations

import atexit
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import Tags, register

from authz.config import AuthzConfig, JwtConfig
from authz.encryption import SecretBox
from authz.sts.session import SessionSealer

if TYPE_CHECKING:
    from authz.diagnosis_log import DiagnosisLog
    from authz.jwt.verifier import TokenVerifier
    from authz.permissions import Authorizer
    from authz.sts.exchange import TokenExchange
    from authz.sts.staff import StaffSessions


class AuthzAppConfig(AppConfig):
    """Holds what the room was configured with, for this process."""

    name = "authz"
    verbose_name = "Access"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from authz.checks import check_anonymous_buckets, check_policies

        register(check_anonymous_buckets, Tags.security)
        register(check_policies, Tags.security)

    @property
    def config(self) -> AuthzConfig:
        config: AuthzConfig = settings.AUTHZ
        return config

    @cached_property
    def verifiers(self) -> Mapping[JwtConfig, TokenVerifier]:
        """Of tokens, by rule. One for all that need them: each keeps the keys it fetched."""
        if not any(auth.jwt for auth in self.config.buckets.values()):
            return {}  # simplejwt is not imported for nothing: it costs a worker 4 MiB
        from authz.jwt.rules import build_verifiers

        return build_verifiers(self.config.buckets)

    @cached_property
    def session_sealer(self) -> SessionSealer:
        return SessionSealer(self.config.session_keys)

    @cached_property
    def staff_sessions(self) -> StaffSessions:
        """Of uploads in the browser."""
        from authz.sts.staff import StaffSessions

        return StaffSessions(self.session_sealer)

    @cached_property
    def exchange(self) -> TokenExchange:
        """Of tokens for sessions."""
        from authz.sts.exchange import TokenExchange

        return TokenExchange(
            self.config.buckets,
            self.verifiers,
            self.session_sealer,
            max_duration_seconds=self.config.max_session_seconds,
        )

    @cached_property
    def secret_box(self) -> SecretBox:
        return SecretBox(self.config.encryption_keys)

    @cached_property
    def diagnoses(self) -> DiagnosisLog:
        """Of signatures that do not match. Its thread begins with the first."""
        from authz.diagnosis_log import DiagnosisLog

        diagnoses = DiagnosisLog()
        atexit.register(diagnoses.close)
        return diagnoses

    @cached_property
    def authorizer(self) -> Authorizer:
        """Built when the first request needs it."""
        from authz.decision_log import DecisionLog
        from authz.permissions import Authorizer
        from authz.policy.factory import build_policies

        decisions = DecisionLog()
        atexit.register(decisions.close)
        return Authorizer(build_policies(self.config.policies), decisions.note)


def authz_app() -> AuthzAppConfig:
    """The room of this process."""
    config = apps.get_app_config("authz")
    assert isinstance(config, AuthzAppConfig)
    return config

"""The Django applications of the house itself: commands, checks, rights, and the admin site."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.core.checks import Tags, register


class MizuchiSiteAppConfig(AppConfig):
    """Composes the rooms; its one model holds the rights of the desk's pages."""

    name = "mizuchi_site"
    verbose_name = "Mizuchi Uploadr"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from mizuchi_site.without_extras import import_rest_framework

        import_rest_framework()  # before anything else does

        from axes.signals import user_locked_out

        from mizuchi_site.checks import check_shared_limits, check_shared_secret
        from mizuchi_site.login_pause import login_refused

        register(check_shared_secret, Tags.security)
        register(check_shared_limits, Tags.compatibility)
        user_locked_out.connect(login_refused)


class DeskAdminConfig(AdminConfig):
    """Django's admin with the desk as its site."""

    default_site = "mizuchi_site.desk.site.DeskSite"

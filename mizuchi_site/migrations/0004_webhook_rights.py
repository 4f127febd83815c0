"""Rights of the roles on deliveries of webhooks."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

VIEW, REPLAY = "view_webhookdelivery", "replay_webhookdelivery"
RIGHTS = {"viewer": (VIEW,), "operator": (VIEW, REPLAY), "admin": (VIEW, REPLAY)}


def give_rights(apps, schema_editor):
    group, permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    alias = schema_editor.connection.alias
    # Django makes permissions after all migrations, which is too late here.
    config = apps.get_app_config("uploads")
    config.models_module = True
    create_permissions(config, apps=apps, using=alias, verbosity=0)
    config.models_module = None
    for role in group.objects.using(alias).filter(name__in=RIGHTS):
        role.permissions.add(
            *permission.objects.using(alias).filter(
                content_type__app_label="uploads", codename__in=RIGHTS[role.name]
            )
        )


class Migration(migrations.Migration):
    dependencies = [
        ("mizuchi_site", "0003_worker_reports"),
        ("uploads", "0004_webhook_deliveries"),
    ]
    # Users may have been given them besides: they stay.
    operations = [migrations.RunPython(give_rights, migrations.RunPython.noop)]

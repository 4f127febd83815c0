"""The roles: groups of users, each with all rights of the one before."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

VIEWER = (
    "mizuchi_site.view_status",
    "mizuchi_site.view_traces",
    "mizuchi_site.view_tracing_settings",
    "mizuchi_site.view_buckets",
    "uploads.view_uploadrecord",
    "authz.view_policydecision",
)
OPERATOR = (
    *VIEWER,
    "mizuchi_site.change_tracing_settings",
    "mizuchi_site.test_policy",
    "mizuchi_site.view_diagnoses",
    "mizuchi_site.view_configuration",
    "mizuchi_site.upload_in_browser",
    "authz.view_accesskey",
    "authz.add_accesskey",
    "authz.change_accesskey",
)
ADMIN = (
    *OPERATOR,
    "mizuchi_site.view_audit",
    "authz.delete_accesskey",
    "auth.view_user",
    "auth.add_user",
    "auth.change_user",
    "auth.delete_user",
    "auth.view_group",
)
ROLES = {"viewer": VIEWER, "operator": OPERATOR, "admin": ADMIN}


def make_roles(apps, schema_editor):
    group, permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    alias = schema_editor.connection.alias
    # Django makes permissions after all migrations, which is too late here.
    for label in ("mizuchi_site", "uploads", "authz", "auth"):
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, using=alias, verbosity=0)
        config.models_module = None
    for name, rights in ROLES.items():
        role, _ = group.objects.using(alias).get_or_create(name=name)
        for right in rights:
            label, codename = right.split(".")
            role.permissions.add(
                permission.objects.using(alias).get(content_type__app_label=label, codename=codename)
            )


class Migration(migrations.Migration):
    dependencies = [
        ("mizuchi_site", "0001_desk"),
        ("uploads", "0001_initial"),
        ("authz", "0002_policydecision"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    # Users may be in them: they stay.
    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]

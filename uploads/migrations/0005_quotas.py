import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("uploads", "0004_webhook_deliveries"),
    ]

    operations = [
        migrations.CreateModel(
            name="QuotaReservation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("period", models.CharField(blank=True, max_length=10)),
                ("bytes", models.BigIntegerField()),
                (
                    "object_count",
                    models.IntegerField(help_text="1 of an object or a whole multipart upload, 0 of a part."),
                ),
                ("part_number", models.IntegerField(null=True)),
                ("is_received", models.BooleanField(default=False)),
                ("worker", models.CharField(max_length=255)),
                (
                    "record",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reservations",
                        to="uploads.uploadrecord",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="QuotaUsage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("bucket", models.CharField(max_length=63)),
                ("principal", models.CharField(blank=True, max_length=255)),
                (
                    "period",
                    models.CharField(
                        blank=True, help_text="2026-11, 2026-11-30; empty: all time.", max_length=10
                    ),
                ),
                ("used_bytes", models.BigIntegerField(default=0)),
                ("used_objects", models.BigIntegerField(default=0)),
                ("reserved_bytes", models.BigIntegerField(default=0)),
                ("reserved_objects", models.BigIntegerField(default=0)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("bucket", "principal", "period"), name="quota_usage_once")
                ],
            },
        ),
    ]

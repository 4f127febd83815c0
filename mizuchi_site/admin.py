"""Models of other rooms that the desk shows on pages of Django's admin."""

from __future__ import annotations

from django.contrib import admin

from mizuchi_site.desk.delivery_admin import WebhookDeliveryAdmin
from uploads.models import WebhookDelivery

admin.site.register(WebhookDelivery, WebhookDeliveryAdmin)

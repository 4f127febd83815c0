"""Django's settings, composed from config.yaml (``MIZUCHI_CONFIG``) or the built-in defaults."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF

from mizuchi_site.composition import (
    authz_config,
    caches,
    database,
    logging_config,
    metrics_config,
    trace_database,
    tracing_config,
    uploads_config,
)
from mizuchi_site.config import config_file, load_config
from mizuchi_site.keyring import Keyring, kept_secret
from tracing_app.logs.layers import logging_settings
from tracing_app.loopback import is_loopback

_loaded = load_config(config_file(os.environ), os.environ)
_config, _places = _loaded.config, _loaded.places
_masters = [secret.get_secret_value() for secret in _config.security.secret_keys]
_keys = Keyring.derive(_masters or [kept_secret(_places.var / "secret.key")])


# What the rooms, the server and the commands are told.
CONFIGURATION = _loaded
VAR = _places.var
SERVER = _config.server
UPLOADS = uploads_config(_config, _keys)
AUTHZ = authz_config(_config, _keys)
IS_SECRET_LOCAL = not _masters
TRACING = tracing_config(_config, _places, _keys)
METRICS = metrics_config(_config)

DEBUG = False
STATIC_URL = "/static/"
SECRET_KEY, *SECRET_KEY_FALLBACKS = _keys.django
ALLOWED_HOSTS = list(SERVER.allowed_hosts)
ROOT_URLCONF = "mizuchi_site.urls"
WSGI_APPLICATION = "mizuchi_site.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": database(_config, _places), **trace_database(_config, _places)}
CACHES = caches(_config)
DATABASE_ROUTERS = ["mizuchi_site.trace_store_router.TraceStoreRouter"]

INSTALLED_APPS = [
    "mizuchi_site.apps.MizuchiSiteAppConfig",
    "uploads.apps.UploadsAppConfig",
    "authz.apps.AuthzAppConfig",
    "tracing_app.apps.TracingAppConfig",
    "tracing_app.store.apps.TraceStoreAppConfig",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "mizuchi_site.apps.DeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "mizuchi_site.idle_sessions.IdleSessionMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

# Logins that fail too often pause: mizuchi_site/login_pause.py.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "mizuchi_site.client_address.client_address"
AXES_USERNAME_CALLABLE = "mizuchi_site.login_pause.login_name"
AXES_LOCKOUT_CALLABLE = "mizuchi_site.login_pause.paused_page"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Every asset is ours, nothing is inline, nobody frames us.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Views name who may use them; one that forgets to is closed.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SIMPLE_JWT = {
    "SIGNING_KEY": _keys.operators[0],
    "ISSUER": "mizuchi-uploadr",
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(hours=12),
    "CHECK_REVOKE_TOKEN": True,  # a changed password ends its tokens
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Mizuchi Uploadr",
    "DESCRIPTION": "Status, uploads, traces and settings of an upload gateway.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["mizuchi_site.rest.schema.only_the_api"],
    "ENUM_NAME_OVERRIDES": {
        "UploadState": "uploads.models.UploadRecord.State",
        "UploadMethod": "uploads.models.UploadRecord.Method",
        "AccessKeyState": "authz.key_states.STATES",
        "PolicyOutcome": "authz.models.PolicyDecision.Outcome",
        "TraceOutcome": "mizuchi_site.rest.traces.OUTCOMES",
        "DeliveryState": "uploads.models.WebhookDelivery.State",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": STATIC_URL + "mizuchi_site/icon.svg",
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

# Where several nodes run one image, it holds these files, and var is each node's own.
STATIC_ROOT = Path(os.environ.get("MIZUCHI_STATIC") or VAR / "static")

# Logins travel over HTTPS, except where nothing leaves the machine.
_is_development = is_loopback(SERVER.host) and not SERVER.trusted_proxies
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not _is_development
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Messages show the secret of a new access key: in a cookie it goes to its reader only, never to the database.
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
if SERVER.trusted_proxies:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Who promises browsers HTTPS only also leads them there. Pages only: S3 clients sign for the way they came.
SECURE_HSTS_SECONDS = _config.security.hsts.seconds
SECURE_HSTS_INCLUDE_SUBDOMAINS = _config.security.hsts.include_subdomains
SECURE_SSL_REDIRECT = SECURE_HSTS_SECONDS > 0
# Browsers' lists of sites are about whole domains, of which the gateway is one host.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

LOGGING_CONFIG = "tracing_app.logs.layers.configure_logging"
LOGGING = logging_settings(logging_config(_config, _places, TRACING))
# Names and addresses are in what axes says; what matters of it is said by mizuchi_site.login_pause.
LOGGING["loggers"].setdefault("axes", {})["level"] = "ERROR"

"""Django's settings, derived from the typed table in ``config``; an empty environment is a complete working desk."""

from __future__ import annotations

import datetime as dt
import os
import secrets
import sys
from typing import Any

import environ

from sensequant import config
from sensequant.lib import paths
from sensequant.lib.env import Problem, rows
from sensequant.lib.errors import BadInput

DESK, DESK_PROBLEMS = config.load()
BASE_DIR = config.ROOT
SENSEQUANT_HOME = config.home(DESK)
try:
    paths.prepare(SENSEQUANT_HOME)
except BadInput as error:
    DESK_PROBLEMS.append(Problem("SENSEQUANT_HOME", str(error), 4))
config.stop_on(DESK_PROBLEMS)
EMBEDDED = not DESK.redis_url
os.environ.setdefault("SENSEQUANT_KERNELS", str(SENSEQUANT_HOME / "cache" / "kernels"))  # what numba compiled

DEBUG = DESK.debug
if DESK.secret_key or DESK_PROBLEMS:
    SECRET_KEY = DESK.secret_key or secrets.token_urlsafe(64)
else:
    SECRET_KEY = paths.read_or_make_private(SENSEQUANT_HOME / "secret_key", secrets.token_urlsafe(64))
ALLOWED_HOSTS = list(DESK.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(DESK.csrf_trusted_origins)

INSTALLED_APPS = [
    "sensequant",
    "sensequant.lib.security",
    "trading",
    "models_ml",
    "monitoring",
    "releases",
    "channels",
    "ninja",
    "django_celery_beat",
    "django_otp",
    "axes",
    "django.contrib.admin.apps.SimpleAdminConfig",  # urls.py discovers: an engine has no use for the pages
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "sensequant.middleware.SecurityHeaders",
    "sensequant.known.NobodyAsks",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "sensequant.known.KnownCaller",
    "sensequant.middleware.WhoAsks",
    "sensequant.middleware.SessionLimits",
    "django_otp.middleware.OTPMiddleware",
    "sensequant.limits.Limiter",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "sensequant.downloads.TablesAsCsv",
]

ROOT_URLCONF = "sensequant.urls"
ASGI_APPLICATION = "sensequant.asgi.application"
WSGI_APPLICATION = "sensequant.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- What is remembered -------------------------------------------------------------------------------------------
SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",  # a writer waits for its turn at BEGIN instead of failing half-way
    "timeout": 20,
    # FULL: a committed order intent survives a power cut (measured cost: one fsync per commit).
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
}


def database(url: str) -> dict[str, Any]:
    """Return Django's description of the database at ``url``; empty means SQLite in the home folder."""
    found: dict[str, Any] = dict(environ.Env.db_url_config(url or f"sqlite:///{SENSEQUANT_HOME / 'desk.sqlite3'}"))
    if found["ENGINE"].endswith("sqlite3"):
        return {**found, "OPTIONS": {**found.get("OPTIONS", {}), **SQLITE_OPTIONS}}
    return {**found, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}


DATABASES = {"default": database(DESK.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


# --- What crosses a process ---------------------------------------------------------------------------------------
def channel_layer(url: str) -> dict[str, Any]:
    """Return the sockets' layer over Redis.

    It asks for a message for five seconds at a time; redis-py gives an answer up after five seconds, too, and a socket
    nobody told anything for so long would be taken for one whose Redis is away. So its connections wait longer.
    """
    hosts = [{"address": url, "socket_timeout": 30.0}]
    return {"BACKEND": "sensequant.lib.layer.PatientLayer", "CONFIG": {"hosts": hosts, "group_expiry": 3_600}}


if EMBEDDED:
    CHANNEL_LAYERS: dict[str, Any] = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    CACHES: dict[str, Any] = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
else:
    CHANNEL_LAYERS = {"default": channel_layer(DESK.redis_url)}
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": DESK.redis_url,
            "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},  # a page does not wait for a count
        }
    }
CACHES["process"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "process"}

CELERY_BROKER_URL = DESK.redis_url or "memory://localhost/"
CELERY_TIMEZONE = "Asia/Kolkata"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]  # never pickle
CELERY_TASK_IGNORE_RESULT = True  # a run's result is a row of its own
CELERY_RESULT_EXPIRES = None
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 3_600
CELERY_TASK_SOFT_TIME_LIMIT = 3_540
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Who sends a message does not wait long for a Redis that takes connections and answers nothing (a worker does: see
# ``celery.wait_on``); a worker's wait for the next one that is overdue is ended by kombu's own check.
CELERY_BROKER_TRANSPORT_OPTIONS = {} if EMBEDDED else {
    "visibility_timeout": 2 * CELERY_TASK_TIME_LIMIT, "socket_timeout": 4.0, "socket_connect_timeout": 2.0,
    "socket_keepalive": True, "health_check_interval": 10,
}  # fmt: skip
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.0, "interval_max": 0.2}
CELERY_BEAT_SCHEDULER = "sensequant.beat:PatientScheduler"
DJANGO_CELERY_BEAT_TZ_AWARE = True

# --- Who may come in ----------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # a stranger cannot lock anybody out of the desk's own network
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = dt.timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "sensequant.lib.security.addresses.address_of"
AXES_LOCKOUT_CALLABLE = "sensequant.accounts.locked"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True  # logins are kept in rows of our own
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 12}),
        ("CommonPasswordValidator", {}),
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_AGE = 8 * 3_600  # a trading day
SESSION_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True  # pages carry the token in the form or in hx-headers
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if DESK.behind_https:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked by the supervisor on the plain port
    SECURE_HSTS_SECONDS = 365 * 86_400
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"

# --- Static files, time, logs -------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = SENSEQUANT_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG or not STATIC_ROOT.exists()

LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "Asia/Kolkata"

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {},
    "handlers": {
        "file": {"()": "sensequant.lib.logs.FileHandler", "path": SENSEQUANT_HOME / "logs" / "app.log"},
        "stderr": {"()": "sensequant.lib.logs.HumanHandler", "level": "DEBUG" if sys.stderr.isatty() else "WARNING"},
    },
    "root": {"handlers": ["file", "stderr"], "level": DESK.log_level},
    "loggers": {
        "django": {"level": "INFO", "propagate": True},
        "django.server": {"level": "WARNING", "handlers": [], "propagate": True},
        "uvicorn": {"level": "WARNING", "handlers": [], "propagate": True},
        "uvicorn.access": {"level": "WARNING", "handlers": [], "propagate": True},
        "celery": {"level": "WARNING", "handlers": [], "propagate": True},
        "django_celery_beat": {"level": "WARNING", "handlers": [], "propagate": True},
        "httpx": {"level": "WARNING"},  # at INFO it writes whole URLs, query and keys included
        "httpcore": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
    },
}
LOGGED_SECRETS = tuple(
    str(value) for each in rows(config.Desk) if each.secret and (value := getattr(DESK, each.attribute))
)

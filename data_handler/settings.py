"""Django settings, read once from the environment (`data_handler.options` lists every variable).

With neither DATABASE_URL nor REDIS_URL the service is *embedded*: PostgreSQL and Valkey come from PyPI wheels, live
under DATA_DIR and listen on Unix sockets; secrets are made once and kept there. With your own services nothing is
guessed: a missing secret or host stops the boot.
"""

from pathlib import Path

import django_stubs_ext
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from data_handler.embedded.home import Home
from data_handler.env import Env
from data_handler.options import OPTIONS

django_stubs_ext.monkeypatch()  # lets annotations such as ModelForm[ApiKey] stand in code that runs

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env(OPTIONS)

# Process

DATA_DIR = BASE_DIR / env.text("DATA_DIR")
HOME = Home.at(DATA_DIR)
EMBEDDED = not env.text("DATABASE_URL") and not env.text("REDIS_URL")


def _required(name: str, advice: str) -> str:
    if value := env.text(name):
        return value
    raise ImproperlyConfigured(
        f"{name} is not set. {advice} (Unset DATABASE_URL and REDIS_URL for the embedded mode, which needs nothing.)"
    )


DEBUG = env.flag("DEBUG")
if EMBEDDED:
    SECRET_KEY = env.text("SECRET_KEY") or HOME.secret_key()
    ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
else:
    SECRET_KEY = _required("SECRET_KEY", "Set it to 50 or more random characters.")
    _required("ALLOWED_HOSTS", "Set it to the host names under which clients call the service, separated by commas.")
    ALLOWED_HOSTS = env.words("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

HTTPS = env.flag("HTTPS") and not EMBEDDED
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health/"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_ENGINE = "access.session_store"
SESSION_COOKIE_NAME = "data_handler_session"
CSRF_COOKIE_NAME = "data_handler_csrf"

# Services

if EMBEDDED:
    database_url, redis_url, buffer_redis_url = HOME.database_url, HOME.broker_url, HOME.buffer_url
else:
    database_url = _required("DATABASE_URL", "Set it to postgresql://user:password@host:5432/name.")
    redis_url = _required("REDIS_URL", "Set it to redis://host:6379/0.")
    buffer_redis_url = env.text("BUFFER_REDIS_URL") or redis_url

CONNECTION_OPTIONS = {
    "application_name": "data-handler",
    "connect_timeout": "5",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",  # milliseconds after which a peer that acknowledges nothing is given up
}
try:
    _dsn = {name: str(value) for name, value in conninfo_to_dict(database_url).items() if value is not None}
except Exception as error:
    raise ImproperlyConfigured(f"DATABASE_URL is not a PostgreSQL URL: {error}") from error
DATABASES = {
    "default": {
        "ENGINE": "data_handler.postgresql",
        "NAME": _dsn.pop("dbname", "data_handler"),
        "USER": _dsn.pop("user", ""),
        "PASSWORD": _dsn.pop("password", ""),
        "HOST": _dsn.pop("host", ""),
        "PORT": _dsn.pop("port", ""),
        "OPTIONS": {**CONNECTION_OPTIONS, **_dsn},
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = redis_url
BUFFER_REDIS_URL = buffer_redis_url
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "dh:channels"},
    }
}

# Access

MANAGEMENT_REQUESTS_PER_MINUTE = env.integer("MANAGEMENT_REQUESTS_PER_MINUTE")
LOGIN_ATTEMPTS_PER_MINUTE = env.integer("LOGIN_ATTEMPTS_PER_MINUTE")
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", at_most=10)
AUDIT_RETENTION_DAYS = env.integer("AUDIT_RETENTION_DAYS")

# Ingestion

MAX_EVENT_BYTES = env.integer("MAX_EVENT_BYTES", at_least=2)
MAX_BODY_BYTES = env.integer("MAX_BODY_BYTES", at_least=2)
MAX_EVENTS_PER_REQUEST = env.integer("MAX_EVENTS_PER_REQUEST", at_least=1, at_most=60_000)
DIRECTORY_REFRESH_SECONDS = env.number("DIRECTORY_REFRESH_SECONDS", at_least=0.1, at_most=30)

# Buffer and flush

BUFFER_SHARDS = env.integer("BUFFER_SHARDS", at_least=1, at_most=64)
BUFFER_MAX_BYTES = env.integer("BUFFER_MAX_BYTES", at_least=1)
FLUSH_MAX_EVENTS = env.integer("FLUSH_MAX_EVENTS", at_least=1)
FLUSH_MAX_BYTES = env.integer("FLUSH_MAX_BYTES", at_least=1)
FLUSH_INTERVAL_SECONDS = env.number("FLUSH_INTERVAL_SECONDS", at_least=0.05)

# Storage

IDEMPOTENCY_WINDOW_HOURS = env.number("IDEMPOTENCY_WINDOW_HOURS", at_least=24)
RETENTION_DAYS = env.integer("RETENTION_DAYS")
QUERY_TIMEOUT_SECONDS = env.number("QUERY_TIMEOUT_SECONDS", at_least=0.001, at_most=3600)

# Live monitor

NOTIFY_INTERVAL_SECONDS = env.number("NOTIFY_INTERVAL_MS", at_least=1) / 1000
NOTIFY_MAX_EVENTS = env.integer("NOTIFY_MAX_EVENTS", at_least=1)
FEED_REPLAY_EVENTS = env.integer("FEED_REPLAY_EVENTS", at_least=1)

# Pulling from elsewhere

SOURCES_ALLOWED_HOSTS = env.words("SOURCES_ALLOWED_HOSTS")
SOURCES_HOST_REQUESTS_PER_SECOND = env.number("SOURCES_HOST_REQUESTS_PER_SECOND", at_least=0.001)
SOURCES_MAX_UPLOAD_BYTES = env.integer("SOURCES_MAX_UPLOAD_BYTES", at_least=1)
UPLOADS_MAX_BYTES_PER_OWNER = int(env.number("UPLOADS_MAX_GB_PER_OWNER", at_least=0.001) * 1e9)
SOURCES_RUN_RETENTION_DAYS = env.integer("SOURCES_RUN_RETENTION_DAYS", at_least=1)
SOURCES_SECRET_KEYS = env.words("SOURCES_SECRET_KEYS")

# Datasets and analyses

SNAPSHOTS_DIR = BASE_DIR / env.text("SNAPSHOTS_DIR") if env.text("SNAPSHOTS_DIR") else DATA_DIR / "snapshots"
SNAPSHOTS_MAX_BYTES = int(env.number("SNAPSHOTS_MAX_GB", at_least=0.001) * 1e9)
ANALYSIS_MAX_SECONDS = env.number("ANALYSIS_MAX_SECONDS", at_least=1)
ANALYSIS_MAX_MEMORY_BYTES = env.integer("ANALYSIS_MAX_MEMORY_MB", at_least=200) << 20
ANALYSIS_THREADS = env.integer("ANALYSIS_THREADS", at_least=1, at_most=64)
ANALYSIS_RETENTION_DAYS = env.integer("ANALYSIS_RETENTION_DAYS", at_least=1)
DATASETS_EXTRA_KINDS = env.words("DATASETS_EXTRA_KINDS")

# Celery: tasks are doorbells. None carries the only copy of anything, so nothing is acknowledged late or retried.

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "jobs"
CELERY_TASK_ROUTES = {
    "ingest.flush": {"queue": "flush"},
    "monitor.broadcast": {"queue": "notify"},
    "monitor.tick": {"queue": "notify"},
    "sources.work": {"queue": "sources"},
    "datasets.work": {"queue": "analyses"},
    "datasets.maintain": {"queue": "analyses"},
}
CELERY_TASK_SOFT_TIME_LIMIT = 300
CELERY_TASK_TIME_LIMIT = 330
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 30, "socket_connect_timeout": 5}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "flush": {
        "task": "ingest.flush",
        "schedule": FLUSH_INTERVAL_SECONDS,
        "options": {"expires": max(5.0, FLUSH_INTERVAL_SECONDS)},
    },
    "tick": {"task": "monitor.tick", "schedule": 10, "options": {"expires": 10}},
    "maintain": {"task": "ingest.maintain", "schedule": 3600, "options": {"expires": 3600}},
    "index": {"task": "ingest.index", "schedule": 60, "options": {"expires": 60}},
    "sources": {"task": "sources.tick", "schedule": 2, "options": {"expires": 2}},
    "maintain sources": {"task": "sources.maintain", "schedule": 3600, "options": {"expires": 3600}},
    "datasets": {"task": "datasets.tick", "schedule": 2, "options": {"expires": 2}},
    "maintain datasets": {"task": "datasets.maintain", "schedule": 3600, "options": {"expires": 3600}},
}

# Django

INSTALLED_APPS = [
    "access.apps.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "csp",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "data_handler",
    "access.apps.AccessConfig",
    "ingest",
    "monitor",
    "sources",
    "datasets.apps.DatasetsConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "data_handler.redirects.Common",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "data_handler.outage.DatabaseOutage",
]
MOST_DJANGO_REQUESTS = 20  # at once, in each web process
ROOT_URLCONF = "data_handler.urls"
ASGI_APPLICATION = "data_handler.asgi.application"
X_FRAME_OPTIONS = "DENY"
APPEND_SLASH = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "monitor.pages.navigation",
                "access.audit_pages.navigation",
            ]
        },
    }
]
AUTHENTICATION_BACKENDS = ["access.backend.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "live"
LOGOUT_REDIRECT_URL = "login"
CSRF_FAILURE_VIEW = "data_handler.urls.csrf_failure"
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = None if EMBEDDED else BASE_DIR / "static"
ASSETS = BASE_DIR / "assets"  # what `make assets` gets from npm
STATICFILES_DIRS = [("assets", ASSETS)] if ASSETS.is_dir() else []
WHITENOISE_USE_FINDERS = EMBEDDED
WHITENOISE_AUTOREFRESH = DEBUG

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

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "access.authentication.KeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["access.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["access.throttles.PerPrincipal"],
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_RENDERER_CLASSES": ["ingest.rendering.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["access.parsing.OrjsonParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "access.answers.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Data Handler",
    "DESCRIPTION": "JSON events in over HTTP, stored exactly once in PostgreSQL, shown live.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["access.permissions.HasScope"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {"RunStatusEnum": "sources.models.Status", "TaskStatusEnum": "datasets.models.Status"},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "ingest.openapi.describe_ingestion",
    ],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL").upper()},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "daphne": {"level": "WARNING"},
        # at DEBUG these log the headers of what sources ask and get: cookies, tokens
        "httpcore2": {"level": "INFO"},
        "httpx2": {"level": "INFO"},
    },
}

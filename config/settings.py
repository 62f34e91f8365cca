"""Settings of Tunewise. One file; every variable is listed in `.env.example`.

Nothing has to be set to run on one machine: data goes to `var/`, the database is SQLite, the broker the embedded Valkey
that `./tunewise up` starts. In production set `SECRET_KEY`, `ALLOWED_HOSTS`, `DATABASE_URL` and `REDIS_URL`.
"""

import contextlib
import secrets
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def _data_dir() -> Path:
    """The folder that holds everything the running product writes."""
    path = Path(env.str("DATA_DIR", default="") or BASE_DIR / "var")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"DATA_DIR {path} cannot be created ({error.strerror}); set DATA_DIR to a folder this user may write"
        ) from error
    return path


def _secret_key() -> str:
    """SECRET_KEY from the environment; on one machine a generated one, kept beside the data."""
    if given := env.str("SECRET_KEY", default=""):
        return str(given)
    if not DEBUG and env.str("DATABASE_URL", default=""):
        raise ImproperlyConfigured(
            "SECRET_KEY is not set although DATABASE_URL is; set it to 50 random characters, the same for every process"
        )
    path = DATA_DIR / "secret-key"
    if not path.exists():
        # Written apart and linked whole: of several processes that start at once the first wins, and none reads half.
        with tempfile.NamedTemporaryFile("w", dir=DATA_DIR, encoding="ascii") as draft:  # nobody else may read it
            draft.write(secrets.token_urlsafe(50))
            draft.flush()
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(draft.name)
    return path.read_text(encoding="ascii")


def _bool(name: str, default: bool) -> bool:
    value = env.str(name, default=str(default)).strip().lower()
    if value not in {"true", "false"}:
        raise ImproperlyConfigured(f"{name} is {value!r}; set it to true or false")
    return bool(value == "true")


def _site_url() -> str:
    """Where people open the product, without a slash at the end: what the links in mails begin with."""
    given = env.str("SITE_URL", default="").strip().rstrip("/") or "http://localhost:8000"
    parts = urlsplit(given)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ImproperlyConfigured(
            f"SITE_URL {given!r} is no address; set it to where people open Tunewise, like https://tunewise.example.org"
        )
    return given


DATA_DIR = _data_dir()
DEBUG = _bool("DEBUG", default=False)
SECRET_KEY = _secret_key()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = _bool("HTTPS", default=False)  # true behind a proxy that ends TLS
SITE_URL: str = _site_url()

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "csp",
    "heroicons",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "organisations",
    "costing",
    "portfolio",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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
                "organisations.context.shell",
            ],
            "builtins": ["costing.templatetags.tunewise"],
        },
    }
]

# Database. Without these SQLite options most concurrent writes fail: WAL lets readers and one writer meet, IMMEDIATE
# takes the write lock at BEGIN instead of failing at the first write, and the timeout waits for it.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-20000;",
}
DATABASE_URL = env.str("DATABASE_URL", default="") or f"sqlite:///{DATA_DIR / 'tunewise.sqlite3'}"
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
else:
    # A connection is kept between requests, and tried before each: the database may have been restarted.
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Accounts
AUTH_USER_MODEL = "organisations.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["name", "email"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "organisations.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "none"  # an account exists only through an invitation sent to that address
ACCOUNT_SESSION_REMEMBER = True
# allauth's limits on guessing are counted per address of the client; the proxy, if there is one, tells it.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if HTTPS else 0
CACHES = {  # files, so that all web processes count together
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": DATA_DIR / "cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Tunewise <no-reply@localhost>")

# Security
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # probes ask from inside, past the proxy
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        # plotly.js and server-drawn SVG set inline style attributes; scripts stay strict.
        "style-src": [SELF, "'unsafe-inline'"],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "costing.sheets.uploads.BoundedUploadHandler",  # keeps nothing of a file that no form would take
]

# Static files: htmx and plotly.js come from their wheels, the typeface is subset into var/ by `manage.py build_assets`.
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "config.assets.WheelAssetsFinder",
]
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # every page asks for the hashed names
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.assets.StaticStorage"},
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = False

# Jobs. The broker is only plumbing: the job's row decides (lease, heartbeat, reaper; see costing/jobs.py).
JOB_HARD_LIMIT_S = 300
JOB_LEASE_S = env.int("JOB_LEASE_S", default=20)
REDIS_URL = env.str("REDIS_URL", default="") or f"redis+socket://{DATA_DIR / 'run' / 'valkey.sock'}"
if urlsplit(REDIS_URL).scheme not in {"redis", "rediss", "redis+socket"}:
    raise ImproperlyConfigured(f"REDIS_URL {REDIS_URL!r} must start with redis://, rediss:// or redis+socket://")
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = JOB_HARD_LIMIT_S
CELERY_TASK_SOFT_TIME_LIMIT = JOB_HARD_LIMIT_S - 20
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_TASK_PUBLISH_RETRY = False  # a page must not wait for a broker that is down; the reaper asks again
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": JOB_HARD_LIMIT_S + 60,  # longer than the hard limit, or a running task would run twice
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "run" / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    # A call that no worker took for a minute is worth nothing: the next one does the same.
    "reap-projections": {"task": "costing.reap_projections", "schedule": 10.0, "options": {"expires": 60}},
    "reap-reports": {"task": "portfolio.reap_reports", "schedule": 10.0, "options": {"expires": 60}},
    "reap-policy-runs": {"task": "portfolio.reap_policy_runs", "schedule": 10.0, "options": {"expires": 60}},
    "reap-portfolio-runs": {"task": "portfolio.reap_portfolio_runs", "schedule": 10.0, "options": {"expires": 60}},
    "mail-notices": {"task": "organisations.mail_notices", "schedule": 60.0, "options": {"expires": 60}},
    # Daily ones may run more often, as they do when a worker starts: each tells and deletes only what is due.
    "remind": {"task": "portfolio.remind", "schedule": crontab(hour=6, minute=0), "options": {"expires": 3600}},
    # A new month, price book, catalogue or answer: the figures of such portfolios are worked out anew.
    "price-portfolios": {
        "task": "portfolio.price_portfolios",
        "schedule": crontab(hour=2, minute=0),
        "options": {"expires": 3600},
    },
    "prune-notices": {
        "task": "organisations.prune_notices",
        "schedule": crontab(hour=5, minute=30),
        "options": {"expires": 3600},
    },
}
CELERY_TIMEZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}

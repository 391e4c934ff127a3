"""Settings of one running city. Values come from the environment; the CLI sets it from its options.

    STADTHERZ_DATA             the folder that holds everything of this city
    STADTHERZ_ENGINE           the database as a URL; empty means SQLite in the data folder
    STADTHERZ_SERVICES         comma-separated keys of the services switched on; unset means every one
    STADTHERZ_CITY             the name of the municipality, as pages show it
    STADTHERZ_URL              the address under which people reach the city; https:// makes cookies secure
    STADTHERZ_HEARTBEAT_URL    address of a watcher outside that is told each minute that the alarm chain lives
    STADTHERZ_REGIONAL_KEY     the municipality's twelve-digit regional key (ARS), which stands in its CAP documents
    STADTHERZ_HOSTS            further host names it answers to, comma-separated
    STADTHERZ_HOST             the address `stadtherz serve` listens on
    STADTHERZ_PORT             the port `stadtherz serve` listens on; 0 takes a free one
    STADTHERZ_MQTT             where MQTT listens besides the websocket at /mqtt, comma-separated: mqtt://127.0.0.1:1883 or mqtts://0.0.0.0:8883; `off` switches the websocket off, too
    STADTHERZ_MQTT_CERTIFICATE the file with the certificate, and those that vouch for it, for mqtts://
    STADTHERZ_MQTT_KEY         the file with the certificate's key, if it is not in the same file
    STADTHERZ_MQTT_PLAIN       1 lets mqtt:// listen on other addresses than the loopback, where something else encrypts
    STADTHERZ_MQTT_STRANGERS   0 demands a token also from those who only want to hear what is public
    STADTHERZ_TRUSTED_PROXIES  addresses of proxies whose forwarded headers are believed
    STADTHERZ_SECRET_KEY       the key that signs sessions; unset means `secret.key` in the data folder
    STADTHERZ_SMTP_URL         where e-mail leaves: smtp://user:password@host:port
    STADTHERZ_SMTP_CA          a file with the certificate of an authority of one's own that mail servers are believed by
    STADTHERZ_MAIL_FROM        the sender of e-mail
    STADTHERZ_READ_SECONDS     after which the interface stops looking for the answer to a question, 30 unless set
    STADTHERZ_MESSAGES_KEPT    how many of the last messages of each device are kept to be looked at, 100 unless set
    STADTHERZ_MESSAGE_DAYS     for how many days they are kept, 7 unless set
    STADTHERZ_TIME_ZONE        the time zone of days, weeks and shown times
    STADTHERZ_TABLE_MB         the largest table (CSV, Excel) that may be uploaded, in megabytes
    STADTHERZ_WATCHED          the folder with the watched folders; unset means `watched` in the data folder
    STADTHERZ_LOG              the least serious messages to log: DEBUG, INFO, WARNING or ERROR
    STADTHERZ_PULL_PRIVATE     1 lets sources be pulled from addresses within a private network
    STADTHERZ_CALL_PRIVATE     1 lets webhooks lead to addresses within a private network
    STADTHERZ_TOKEN            the token `stadtherz simulate` sends with, so that no list of processes shows it
    STADTHERZ_DEMO             1 in the demo, which says so on every page; set by `stadtherz demo`

This list is the text of docs/reference/settings.md; a variable missing here fails a test.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stadtherz.kit.registry import installed_service_apps
from stadtherz.project.engine import database_settings
from stadtherz.project.mail import mail_settings
from stadtherz.project.secret import secret_key

DATA = Path(os.environ.get("STADTHERZ_DATA", "data")).resolve()
DEMO = os.environ.get("STADTHERZ_DEMO") == "1"
PUBLIC_URL = os.environ.get("STADTHERZ_URL", "http://127.0.0.1:8000").rstrip("/")
HTTPS = PUBLIC_URL.startswith("https://")

SECRET_KEY = secret_key(DATA)
DEBUG = False
ALLOWED_HOSTS = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    urlsplit(PUBLIC_URL).hostname or "localhost",
    *filter(None, os.environ.get("STADTHERZ_HOSTS", "").split(",")),
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if HTTPS else []

DATABASES: dict[str, dict[str, Any]] = {
    "default": database_settings(os.environ.get("STADTHERZ_ENGINE", ""), DATA)
}
PULL_PRIVATE = os.environ.get("STADTHERZ_PULL_PRIVATE") == "1"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "stadtherz.web",
    *installed_service_apps(),
    "stadtherz.alerts",
    "stadtherz.kit",
    "stadtherz.geo",
    "stadtherz.mqtt",
    "stadtherz.identity",
    "stadtherz.ingest",
    "stadtherz.stream",
    "stadtherz.store",
    "wagtail.users",
    "wagtail.admin",
    "wagtail.images",
    "wagtail.documents",
    "wagtail.search",
    "wagtail",
    "modelcluster",
    "taggit",
    "allauth",
    "allauth.account",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "stadtherz.web.security.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "stadtherz.identity.middleware.StaffLanguage",
    "stadtherz.identity.middleware.VisibilityMiddleware",
    "stadtherz.web.errors.TranslateErrors",
]

ROOT_URLCONF = "stadtherz.project.urls"
WSGI_APPLICATION = "stadtherz.project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "stadtherz.web.shell.context",
                "stadtherz.web.warnings.banner.context",
            ],
        },
    }
]

LANGUAGE_CODE = "de"
LANGUAGES = [("de", "Deutsch"), ("en", "English")]
TIME_ZONE = os.environ.get("STADTHERZ_TIME_ZONE", "Europe/Berlin")
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [("sh", Path(__file__).parent.parent / "web" / "assets")]
MEDIA_ROOT = DATA / "media"
MEDIA_URL = "/media/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 86_400  # what has a hash in its name is kept for ever

# --- people ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/konto/login/"
LOGIN_REDIRECT_URL = "/verwaltung/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_ADAPTER = "stadtherz.identity.adapter.StaffOnly"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # or anybody could make this server mail strangers
ACCOUNT_LOGOUT_REDIRECT_URL = "/"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
X_FRAME_OPTIONS = "DENY"

# --- back office -------------------------------------------------------------------------------
WAGTAIL_SITE_NAME = os.environ.get("STADTHERZ_CITY", "Stadtherz")
WAGTAILADMIN_BASE_URL = PUBLIC_URL
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_I18N_ENABLED = False
WAGTAILADMIN_PERMITTED_LANGUAGES = [("de", "Deutsch"), ("en", "English")]
WAGTAILADMIN_LOGIN_URL = LOGIN_URL

# --- the product -------------------------------------------------------------------------------
STADTHERZ: dict[str, Any] = {
    "city": os.environ.get("STADTHERZ_CITY", "Stadtherz"),
    "smtp": os.environ.get("STADTHERZ_SMTP_URL", ""),  # smtp://user:password@host:port
    "smtp_ca": os.environ.get("STADTHERZ_SMTP_CA", ""),
    "mail_from": os.environ.get("STADTHERZ_MAIL_FROM", "stadtherz@localhost"),
    "public_url": PUBLIC_URL,
    "regional_key": os.environ.get("STADTHERZ_REGIONAL_KEY", ""),
    "heartbeat": os.environ.get("STADTHERZ_HEARTBEAT_URL", ""),
    "call_private": os.environ.get("STADTHERZ_CALL_PRIVATE") == "1",
    "demo": DEMO,
    "table_mb": os.environ.get("STADTHERZ_TABLE_MB", "500"),
    "watched": Path(os.environ.get("STADTHERZ_WATCHED") or DATA / "watched").resolve(),
    "mqtt": os.environ.get("STADTHERZ_MQTT", ""),
    "mqtt_certificate": os.environ.get("STADTHERZ_MQTT_CERTIFICATE", ""),
    "mqtt_key": os.environ.get("STADTHERZ_MQTT_KEY", ""),
    "mqtt_plain": os.environ.get("STADTHERZ_MQTT_PLAIN") == "1",
    "read_seconds": float(os.environ.get("STADTHERZ_READ_SECONDS", "30")),
    "messages_kept": max(1, int(os.environ.get("STADTHERZ_MESSAGES_KEPT", "100"))),
    "message_days": max(1, int(os.environ.get("STADTHERZ_MESSAGE_DAYS", "7"))),
    "mqtt_strangers": os.environ.get("STADTHERZ_MQTT_STRANGERS", "1") != "0",
}

globals().update(mail_settings(STADTHERZ["smtp"], STADTHERZ["smtp_ca"]))
DEFAULT_FROM_EMAIL = STADTHERZ["mail_from"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("STADTHERZ_LOG", "WARNING")},
    # Every wrong address of every robot is not worth a line.
    "loggers": {"django.request": {"level": "ERROR"}},
}

"""Settings: a PostgreSQL database named by the environment, and one application."""

import os

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "of the example")
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "arena"]
ROOT_URLCONF = "django_game.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ.get("PGDATABASE", "game"),
        "HOST": os.environ.get("PGHOST", "127.0.0.1"),
        "PORT": os.environ.get("PGPORT", ""),
        "USER": os.environ.get("PGUSER", ""),
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
    }
}

"""Trueup's settings with one language more: the one that ``test_pseudo`` makes, in the folder that it names."""

from __future__ import annotations

import os

from trueup.config import settings

globals().update({name: getattr(settings, name) for name in dir(settings) if name.isupper()})

LANGUAGES = [*settings.LANGUAGES, ("en-xa", "Pseudo")]
LOCALE_PATHS = [os.environ["PSEUDO_LOCALES"], *settings.LOCALE_PATHS]
# Whoever signed in at the console that is tested is signed in here as well.
SESSION_COOKIE_NAME = os.environ["PSEUDO_SESSION_COOKIE"]

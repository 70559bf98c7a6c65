"""In which language, region and time zone a page is written: what the reader chose, else what their browser says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest
from django.middleware import locale
from django.utils import timezone, translation
from django.utils.translation.trans_real import parse_accept_lang_header
from typing_extensions import override

from trueup.web.console import formats


class LocaleMiddleware(locale.LocaleMiddleware):
    """A page is written in the browser's language until it is known who reads; the API in English alone.

    Programs compare what the API says, and whoever writes one has a browser in some language.
    """

    @override
    def process_request(self, request: HttpRequest) -> None:
        if not request.path_info.startswith("/api/"):
            super().process_request(request)
            return
        translation.activate("en")
        request.LANGUAGE_CODE = "en"


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name and len(name) < 64 else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@contextmanager
def chosen(request: HttpRequest) -> Iterator[None]:
    """Write in the reader's language, region and zone for as long as the block lasts."""
    user = getattr(request, "user", None)
    # A stranger has neither attribute.
    language, zone = getattr(user, "language", ""), getattr(user, "zone", "")
    here = _zone(zone) or _zone(request.COOKIES.get("tz", "")) or timezone.get_default_timezone()
    tags = [tag for tag, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "").lower())]
    with timezone.override(here):
        if language not in dict(settings.LANGUAGES):
            with formats.region(tags):
                yield
            return
        with translation.override(language), formats.region(tags):
            request.LANGUAGE_CODE = language
            yield

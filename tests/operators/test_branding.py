"""How the console looks for a company: an accent that can be read in light and dark, and a logo."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.operators.conftest import BY
from trueup.kernel.errors import Refused
from trueup.operators.branding import rules
from trueup.operators.branding import service as branding

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_contrast_is_what_the_standard_says() -> None:
    assert rules.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert rules.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert rules.contrast("#2450b8", "#2450b8") == 1


@given(COLORS)
def test_every_accent_that_is_taken_can_be_read_in_light_and_dark_and_others_get_one_that_can(color: str) -> None:
    nearest = rules.readable(color)
    tones = rules.tones(nearest)

    assert rules.contrast(tones.light, "#ffffff") >= rules.ENOUGH
    assert rules.contrast(tones.light, rules.SUNKEN) >= rules.ENOUGH
    assert rules.contrast(tones.dark, rules.NIGHT) >= rules.ENOUGH
    assert rules.contrast(tones.dark, rules.INK) >= rules.ENOUGH


def test_a_color_that_nobody_can_read_is_refused_with_one_that_they_can(db: None) -> None:
    with pytest.raises(Refused, match=r"contrast of 1\.4 to 1") as refused:
        branding.set_accent(accent="#FFCC00", by=BY)
    assert "#856a03" in refused.value.hint
    for odd in ("red", "#12345", "#12345g", "#1234567", "#123456; }"):
        with pytest.raises(Refused, match="not a color"):
            branding.set_accent(accent=odd, by=BY)
    assert branding.tones() is None


def test_the_accent_and_the_logo_are_chosen_and_taken_back(db: None) -> None:
    assert branding.branding().version == ""
    assert branding.set_accent(accent=" #2450B8 ", by=BY).accent == "#2450b8"
    assert branding.set_logo(content=PNG, by=BY).logo_type == "image/png"
    assert branding.logo() == PNG
    tones = branding.tones()
    assert tones is not None
    assert tones.light == "#2450b8"

    branding.set_logo(content=b"", by=BY)
    branding.set_accent(accent="", by=BY)

    assert (branding.logo(), branding.tones(), branding.branding().logo_type) == (None, None, "")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVE", ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ""),
        (b"", ""),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(content: bytes, kind: str) -> None:
    assert rules.image_type(content) == kind


@pytest.mark.parametrize("content", [b"<svg/>", b"hello", PNG + b"x" * 200_000])
def test_what_is_no_picture_or_too_large_is_no_logo(db: None, content: bytes) -> None:
    with pytest.raises(Refused, match="at most 200 KB"):
        branding.set_logo(content=content, by=BY)

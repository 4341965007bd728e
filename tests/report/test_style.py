from __future__ import annotations

import pytest

from watchword.report.style import DARK, LIGHT, READ_ON, SHEET


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ink", READ_ON)
def test_every_text_colour_can_be_read(palette: dict[str, str], ink: str) -> None:
    """Contrast of at least 4.5 to 1 on each background that the colour stands on (WCAG 2.2, 1.4.3)."""
    for ground in READ_ON[ink]:
        light, dark = sorted((luminance(palette[ink]), luminance(palette[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)


def test_the_page_prints_and_has_a_dark_side() -> None:
    """Rules for paper and for dark screens are there, and the dark ones stay off paper."""
    assert "@media print" in SHEET
    assert "@media screen and (prefers-color-scheme:dark)" in SHEET


def test_every_colour_used_is_defined() -> None:
    """A name misspelt would fall back to the browser's colour."""
    import re

    assert set(re.findall(r"var\(--([a-z-]+)\)", SHEET)) <= set(LIGHT) == set(DARK)

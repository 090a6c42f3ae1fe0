from __future__ import annotations

import pytest

from klientel.show.theme import (
    CATEGORIES,
    DARK,
    LIGHT,
    SEQUENCE,
    TOKENS,
    contrast,
    dark_rules,
    luminance,
    vega_config,
)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_has_contrast_aa(colours) -> None:
    for token in ("ink", "muted", "accent", "green", "amber", "red"):
        for ground in ("paper", "surface"):
            assert contrast(colours[token], colours[ground]) >= 4.5, (token, ground)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_marks_stand_out_from_paper(colours) -> None:
    for token in (*CATEGORIES, "class_a", "class_b", "class_c", "class_n", "up", "down", "total"):
        assert contrast(colours[token], colours["paper"]) >= 3, token


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_numbers_on_cells_can_be_read(colours) -> None:
    for i in range(len(SEQUENCE)):
        cell, ink = colours.step((i + 0.5) / len(SEQUENCE))
        assert contrast(cell, ink) >= 4.5, i


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_sequence_runs_one_way(colours) -> None:
    levels = [luminance(colours[token]) for token in SEQUENCE]
    assert levels == sorted(levels) or levels == sorted(levels, reverse=True)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_classes_can_be_told_apart_without_colour(colours) -> None:
    a, b, c = (luminance(colours[f"class_{k}"]) for k in "abc")
    assert a < b < c if colours is LIGHT else a > b > c


def test_every_light_colour_names_one_token() -> None:
    light = [pair[0] for pair in TOKENS.values()]
    assert len(set(light)) == len(light)


def test_dark_rules_recolour_every_token() -> None:
    rules = dark_rules("figure")
    for light, dark in TOKENS.values():
        assert f'figure [fill="{light}"]{{fill:{dark}}}' in rules


def test_configuration_uses_only_tokens() -> None:
    import re

    found = set(re.findall(r"#[0-9a-f]{6}", repr(vega_config(DARK))))
    assert found <= {dark for _, dark in TOKENS.values()}


# Machado, Oliveira and Fernandes (2009), severity 1.0, for linear RGB.
PROTAN = ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998))
DEUTAN = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))
EQUAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def lab(colour: str, eye) -> tuple[float, float, float]:
    raw = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in raw]
    r, g, b = (min(max(sum(m * c for m, c in zip(row, linear, strict=True)), 0), 1) for row in eye)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
    fx, fy, fz = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@pytest.mark.parametrize("eye", [EQUAL, PROTAN, DEUTAN], ids=["all cones", "protanopia", "deuteranopia"])
@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    "group", [("up", "down", "total"), ("class_a", "class_b", "class_c", "class_n"), CATEGORIES[:4]]
)
def test_colours_that_meet_can_be_told_apart_by_everybody(eye, colours, group) -> None:
    seen = {token: lab(colours[token], eye) for token in group}
    for one in group:
        for other in group:
            if one < other:
                distance = sum((a - b) ** 2 for a, b in zip(seen[one], seen[other], strict=True)) ** 0.5
                assert distance > 12, (one, other, distance)

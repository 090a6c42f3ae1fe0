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

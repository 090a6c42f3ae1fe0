"""One design for charts, report, PDF and workbook: colours, light and dark, and type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Mode = Literal["light", "dark"]

# Text in charts is measured with Liberation Sans, which has Arial's metrics and comes with vl-convert.
CHART_FONTS = "Arial, Liberation Sans, Helvetica, sans-serif"
TEXT_FONTS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
CODE_FONTS = 'ui-monospace, "SF Mono", "Cascadia Mono", Consolas, "DejaVu Sans Mono", monospace'

# name: (light, dark). Every light value occurs once, because the report turns a light picture into a
# dark one by naming its colours in CSS (`dark_rules`).
TOKENS: dict[str, tuple[str, str]] = {
    "paper": ("#ffffff", "#11161d"),
    "surface": ("#f5f7fa", "#1a212b"),
    "ink": ("#16202c", "#e9edf2"),
    "muted": ("#566273", "#a8b3c1"),
    "line": ("#8a96a5", "#667385"),
    "grid": ("#e3e8ee", "#2a3441"),
    "accent": ("#0a5c9e", "#74b6f0"),
    # classes, from strong to weak; N stands apart
    "class_a": ("#0b4a86", "#7fc1fb"),
    "class_b": ("#2c8ac0", "#3d8fc9"),
    "class_c": ("#8493a6", "#75859a"),
    "class_n": ("#c04a0f", "#f08a4b"),
    # up, down and what stays, told apart without red and green
    "up": ("#11719f", "#58b4e0"),
    "down": ("#c9570e", "#f2935a"),
    "total": ("#3f4c5c", "#b4bfcc"),
    # categories, after Okabe and Ito, darkened to 3:1 on paper
    "cat_1": ("#0c64aa", "#66aeea"),
    "cat_2": ("#d06a05", "#f0a04b"),
    "cat_3": ("#00836a", "#3fc1a4"),
    "cat_4": ("#a9508a", "#dd8fc3"),
    "cat_5": ("#3a91c9", "#8fd0fa"),
    "cat_6": ("#a07800", "#e0bd3f"),
    "cat_7": ("#8f3d1f", "#d98363"),
    "cat_8": ("#6a7687", "#98a4b3"),
    # one hue from pale to deep
    "seq_1": ("#edf3f9", "#1b2735"),
    "seq_2": ("#d6e5f2", "#1f3348"),
    "seq_3": ("#b9d5ea", "#23425f"),
    "seq_4": ("#95c0df", "#285378"),
    "seq_5": ("#6ca7d2", "#2f6793"),
    "seq_6": ("#3379b2", "#468abd"),
    "seq_7": ("#23659f", "#5a9fd2"),
    "seq_8": ("#175590", "#7bb8e8"),
    "seq_9": ("#0a3c70", "#aed7f9"),
    # writing on the sequential colours
    "on_pale": ("#16212d", "#e9eef3"),
    "on_deep": ("#fefefe", "#0c131b"),
    # how far to trust an answer
    "green": ("#1a7548", "#5cc592"),
    "amber": ("#8a5a00", "#e3b34d"),
    "red": ("#b3261e", "#f28b82"),
}

CATEGORIES = tuple(f"cat_{i}" for i in range(1, 9))
SEQUENCE = tuple(f"seq_{i}" for i in range(1, 10))
CLASSES = {
    "A": "class_a", "B": "class_b", "C": "class_c", "N": "class_n",
    "X": "class_a", "Y": "class_b", "Z": "class_c",
}  # fmt: skip


@dataclass(frozen=True)
class Theme:
    """The colours of one mode, by token name."""

    mode: Mode

    def __getitem__(self, token: str) -> str:
        """The colour of a token as #rrggbb; KeyError if there is no such token."""
        return TOKENS[token][0 if self.mode == "light" else 1]

    def category(self, i: int) -> str:
        """Colour of the i-th category (from 0); they repeat after eight."""
        return self[CATEGORIES[i % len(CATEGORIES)]]

    def step(self, share: float) -> tuple[str, str]:
        """Colour of the sequential palette for a position 0-1, and the colour of writing on it."""
        i = min(int(max(share, 0.0) * len(SEQUENCE)), len(SEQUENCE) - 1)
        return self[SEQUENCE[i]], self["on_deep" if i >= 5 else "on_pale"]

    def of_class(self, name: str) -> str | None:
        """Colour of a class (A, B, C, N, X, Y, Z), None for any other word."""
        token = CLASSES.get(name)
        return self[token] if token else None


LIGHT = Theme("light")
DARK = Theme("dark")


def theme(mode: Mode | str) -> Theme:
    """The theme "light" or "dark"."""
    return DARK if mode == "dark" else LIGHT


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, 0-1 (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1-21 (WCAG 2.2: 4.5 for text, 3 for graphics)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def css_variables(mode: Mode) -> str:
    """The tokens of a mode as CSS custom properties, one line."""
    return "".join(f"--{name.replace('_', '-')}:{theme(mode)[name]};" for name in TOKENS)


def dark_rules(scope: str) -> str:
    """CSS that recolours light charts under the selector `scope`: one rule per token, fill and stroke."""
    rules = []
    for light, dark in TOKENS.values():
        rules.append(f'{scope} [fill="{light}"]{{fill:{dark}}}{scope} [stroke="{light}"]{{stroke:{dark}}}')
    return "".join(rules)


def vega_config(colours: Theme) -> dict[str, Any]:
    """Vega-Lite configuration of the theme: few lines, quiet axes, titles at the left."""
    label = {"labelColor": colours["muted"], "labelFontSize": 12, "labelPadding": 6}
    title = {"titleColor": colours["muted"], "titleFontSize": 12, "titleFontWeight": "normal"}
    bare = {"domain": False, "ticks": False}
    return {
        "background": colours["paper"],
        "font": CHART_FONTS,
        "padding": {"left": 4, "right": 12, "top": 6, "bottom": 6},
        "view": {"stroke": None},
        "title": {
            "anchor": "start", "frame": "bounds", "offset": 14,
            "color": colours["ink"], "fontSize": 17, "fontWeight": "bold", "lineHeight": 22,
            "subtitleColor": colours["muted"], "subtitleFontSize": 12.5, "subtitlePadding": 5,
            "subtitleLineHeight": 17,
        },
        "axis": {**label, **title, **bare, "gridColor": colours["grid"], "gridWidth": 1},
        "axisX": {**label, **title, **bare, "grid": False},
        "axisY": {**label, **title, **bare},
        "legend": {"labelColor": colours["ink"], "titleColor": colours["muted"], "symbolType": "square"},
        "text": {"color": colours["ink"], "fontSize": 12, "font": CHART_FONTS},
        "bar": {"cornerRadiusEnd": 2, "color": colours["cat_1"]},
        "line": {"strokeWidth": 2.25, "strokeCap": "round", "strokeJoin": "round"},
        "rule": {"color": colours["line"], "strokeWidth": 1},
    }  # fmt: skip

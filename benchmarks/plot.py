"""Bars as SVG: how ours and the official SDKs compare with raw aiohttp, and where the goals are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from .figures import Bar, Section

WIDTH, LEFT, RIGHT = 860, 250, 70
THICK, GAP, HEAD, FOOT = 12, 10, 44, 20
COLOURS = {"rpa_bridge": "#2563eb", "official SDK": "#c9ccd3"}
TEXT = 'font-family="sans-serif" font-size="12" fill="#4b5563"'


def svg(sections: Sequence[Section]) -> str:
    """A panel for each section that has bars."""
    parts, y = [], 0.0
    for section in (one for one in sections if one.bars):
        parts += list(_panel(section, y))
        y += _height(section)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y:.0f}" width="{WIDTH}" height="{y:.0f}">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{y:.0f}" fill="#ffffff"/>', *parts, "</svg>", ""])


def _height(section: Section) -> float:
    return HEAD + FOOT + sum(len(bar.values) * THICK + GAP for bar in section.bars)


def _panel(section: Section, top: float) -> Iterator[str]:
    most = max(value for bar in section.bars for value in (*bar.values.values(), bar.goal or 0, 1.0))
    scale = (WIDTH - LEFT - RIGHT) / most
    bottom = top + _height(section) - FOOT
    yield _text(8, top + 20, section.plot, 'font-weight="bold"')
    yield from _legend(top + 20)
    y = top + HEAD
    for bar in section.bars:
        yield from _group(bar, y, scale)
        y += len(bar.values) * THICK + GAP
    yield _upright(LEFT + scale, top + HEAD - 6, bottom, "#4b5563", 'stroke-dasharray="3 3"')
    yield _text(LEFT + scale, bottom + 12, "raw", 'text-anchor="middle"')


def _group(bar: Bar, top: float, scale: float) -> Iterator[str]:
    yield _text(LEFT - 8, top + len(bar.values) * THICK / 2 + 4, bar.name, 'text-anchor="end"')
    for place, (name, value) in enumerate(bar.values.items()):
        y, width = top + place * THICK, value * scale
        yield f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{THICK - 2}" fill="{COLOURS[name]}"/>'
        yield _text(LEFT + width + 5, y + THICK - 3, f"{value:.2f}")
    if bar.goal is not None:
        yield _upright(LEFT + bar.goal * scale, top - 2, top + THICK, "#dc2626", 'stroke-width="2"')


def _legend(y: float) -> Iterator[str]:
    x = WIDTH - 330
    for name, colour in (*COLOURS.items(), ("goal", "#dc2626")):
        yield f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{colour}"/>'
        yield _text(x + 14, y, name)
        x += 110


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {TEXT} {more}>{escape(text)}</text>'


def _upright(x: float, top: float, bottom: float, colour: str, more: str) -> str:
    return f'<line x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom:.1f}" stroke="{colour}" {more}/>'

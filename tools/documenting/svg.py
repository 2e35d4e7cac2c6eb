"""Pictures of a terminal as one SVG that plays them in a loop. Where nothing plays, the last picture is seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from documenting.recording import COLUMNS, ROWS, Picture, Row

CELL_WIDTH, LINE_HEIGHT, FONT_SIZE = 8.4, 21, 14
MARGIN, BAR = 18, 34
FONT = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"
BACKGROUND, FRAME, TEXT = "#10151c", "#1b232d", "#d7dee8"
COLOURS = {
    "default": TEXT,
    "black": "#3a4552",
    "red": "#ff6b6b",
    "green": "#5bd6a5",
    "brown": "#f2c14e",
    "blue": "#6ea8fe",
    "magenta": "#d79bf5",
    "cyan": "#5cc8d7",
    "white": TEXT,
}
BUTTONS = ("#ff5f57", "#febc2e", "#28c840")


def animated(pictures: Sequence[Picture], title: str) -> str:
    """The whole file."""
    length_s = pictures[-1].at_s
    width, height = COLUMNS * CELL_WIDTH + 2 * MARGIN, BAR + ROWS * LINE_HEIGHT + 2 * MARGIN
    spans = list(spans_of(pictures))
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
            f"<title>{escape(title)}</title>",
            "<style>",
            f"text {{ font: {FONT_SIZE}px {FONT}; fill: {TEXT}; white-space: pre; }}",
            ".b { font-weight: bold; } .s { visibility: hidden; } .last { visibility: visible; }",
            "@media (prefers-reduced-motion: no-preference) {",
            f".s {{ animation: {length_s:.2f}s step-end infinite; }}",
            *(keyframes(number, start_s, end_s, length_s) for number, (_, start_s, end_s, _) in enumerate(spans)),
            "}",
            "</style>",
            f'<rect width="100%" height="100%" rx="9" fill="{BACKGROUND}"/>',
            f'<path d="M0 {BAR}V9a9 9 0 0 1 9-9H{width - 9:.0f}a9 9 0 0 1 9 9V{BAR}z" fill="{FRAME}"/>',
            *(f'<circle cx="{20 + 20 * n}" cy="{BAR / 2}" r="6" fill="{fill}"/>' for n, fill in enumerate(BUTTONS)),
            *(drawn(number, row, content, end_s >= length_s) for number, (row, _, end_s, content) in enumerate(spans)),
            "</svg>",
            "",
        )
    )


def spans_of(pictures: Sequence[Picture]) -> Iterator[tuple[int, float, float, Row]]:
    """What each line of the screen shows, from when to when: line, start, end, content; empty ones left out."""
    end_s = pictures[-1].at_s
    for row in range(ROWS):
        begun: tuple[float, Row] = (0.0, ())
        for picture in pictures[:-1]:
            if picture.rows[row] != begun[1]:
                if begun[1]:
                    yield row, begun[0], picture.at_s, begun[1]
                begun = (picture.at_s, picture.rows[row])
        if begun[1]:
            yield row, begun[0], end_s, begun[1]


def keyframes(number: int, start_s: float, end_s: float, length_s: float) -> str:
    """When the line is seen, in parts of the whole."""
    start, end = (f"{100 * at_s / length_s:.3f}%" for at_s in (start_s, end_s))
    before = "" if start_s <= 0 else "0% { visibility: hidden; } "
    after = "" if end_s >= length_s else f" {end} {{ visibility: hidden; }}"
    return (
        f".k{number} {{ animation-name: k{number}; }} @keyframes k{number} "
        f"{{ {before}{start} {{ visibility: visible; }}{after} }}"
    )


def drawn(number: int, row: int, content: Row, last: bool) -> str:
    """One line: each run of one colour at its place, as wide as its characters are in a terminal."""
    y = BAR + MARGIN + row * LINE_HEIGHT + FONT_SIZE
    column, texts = 0, []
    for text, (colour, bold) in content:
        if text.strip():
            lead = len(text) - len(text.lstrip())
            shown = text.strip()
            x, width = MARGIN + (column + lead) * CELL_WIDTH, len(shown) * CELL_WIDTH
            fill = COLOURS.get(colour, f"#{colour}")
            style = "" if colour in {"default", "white"} else f' style="fill:{fill}"'
            weight = ' class="b"' if bold else ""
            texts.append(
                f'<text x="{x:.1f}" y="{y}" textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs"{weight}{style}>'
                f"{escape(shown)}</text>"
            )
        column += len(text)
    return f'<g class="s k{number}{" last" if last else ""}">{"".join(texts)}</g>'

"""How the page looks, on a screen in light or dark and on paper. The one style sheet, and the policy admitting it.

Every text colour meets WCAG 2 AA against its background in both palettes (tested from :data:`LIGHT` and :data:`DARK`).
"""

from __future__ import annotations

import base64
import hashlib

from watchword.report.html import Html, tag, visible

LIGHT = {
    "page": "#f4f5f7", "sheet": "#ffffff", "ink": "#17202b", "quiet": "#4d5866", "line": "#d5dae1", "band": "#eef1f5",
    "accent": "#123a66", "good": "#0f6034", "good-tint": "#e7f4ec", "bad": "#9b1c1c", "bad-tint": "#fcebea",
    "warn": "#7a4b00", "warn-tint": "#fdf3dd", "none": "#56616e", "none-tint": "#eef1f5",
}  # fmt: skip
DARK = {
    "page": "#0d1218", "sheet": "#151c24", "ink": "#e6ebf1", "quiet": "#a7b2bf", "line": "#323d4a", "band": "#1d2630",
    "accent": "#9cc4f2", "good": "#7fd6a0", "good-tint": "#12301f", "bad": "#ff9d96", "bad-tint": "#3a1717",
    "warn": "#f2c46d", "warn-tint": "#35270c", "none": "#a7b2bf", "none-tint": "#1d2630",
}  # fmt: skip

READ_ON = {
    "ink": ("page", "sheet", "band", "good-tint", "bad-tint", "warn-tint", "none-tint"),
    "quiet": ("page", "sheet", "band"),
    "accent": ("page", "sheet", "band"),
    "good": ("sheet", "band", "good-tint"),
    "bad": ("sheet", "band", "bad-tint"),
    "warn": ("sheet", "band", "warn-tint"),
    "none": ("sheet", "band", "none-tint"),
}
"""Which text colours stand on which backgrounds: what the contrast test checks."""


def _palette(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())


_RULES = """
*{box-sizing:border-box}
html{font:16px/1.5 "Source Sans 3","Segoe UI",Roboto,"Helvetica Neue",Arial,"Liberation Sans",sans-serif;
 -webkit-text-size-adjust:100%;background:var(--page);color:var(--ink)}
body{margin:0;padding:1.5rem 1rem 3rem}
.sheet{max-width:66rem;margin:0 auto;background:var(--sheet);border:1px solid var(--line);
 padding:2rem clamp(1rem,4vw,3rem) 3rem}
a{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
h1,h2,h3{line-height:1.2;margin:0}
h1{font-size:1.9rem;font-weight:650;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:2.75rem 0 .75rem;padding-bottom:.35rem;border-bottom:2px solid var(--accent);
 color:var(--accent)}
h3{font-size:1rem;margin:1.5rem 0 .5rem}
p{margin:.5rem 0;max-width:46rem}
.lead{display:flex;justify-content:space-between;gap:1rem;flex-wrap:wrap;font-size:.82rem;color:var(--quiet);
 border-bottom:1px solid var(--line);padding-bottom:.75rem;margin-bottom:1.5rem}
.lead b{color:var(--accent);letter-spacing:.04em}
.quiet{color:var(--quiet)}
.small{font-size:.875rem}
code,.code,pre{font-family:"JetBrains Mono","DejaVu Sans Mono",Consolas,"Liberation Mono",monospace;font-size:.84em;
 overflow-wrap:anywhere}
pre{white-space:pre-wrap;background:var(--band);border:1px solid var(--line);padding:.75rem 1rem;margin:.5rem 0;
 max-width:none}
.verdict{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1.1rem;align-items:center;margin:1.5rem 0;
 padding:1.25rem 1.5rem;
 border:1px solid var(--line);border-left:.6rem solid var(--none);background:var(--none-tint)}
.verdict .mark{width:2.75rem;height:2.75rem;grid-row:1/3}
.verdict strong{font-size:1.6rem;letter-spacing:.06em;line-height:1.1}
.verdict p{font-size:1.08rem;margin:0;max-width:none}
.verdict.good{border-left-color:var(--good);background:var(--good-tint)}
.verdict.bad{border-left-color:var(--bad);background:var(--bad-tint)}
.verdict.warn{border-left-color:var(--warn);background:var(--warn-tint)}
.verdict.good strong{color:var(--good)}.verdict.bad strong{color:var(--bad)}.verdict.warn strong{color:var(--warn)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.75rem 2rem;margin:1rem 0}
.facts div{border-top:1px solid var(--line);padding-top:.4rem;min-width:0}
.facts dt{font-size:.78rem;color:var(--quiet);text-transform:uppercase;letter-spacing:.05em}
.facts dd{margin:0;overflow-wrap:anywhere}
.mark{width:1em;height:1em;vertical-align:-.12em;margin-right:.4em;fill:none;stroke:currentColor;stroke-width:2.2;
 stroke-linecap:round;stroke-linejoin:round}
.mark.good{color:var(--good)}.mark.bad{color:var(--bad)}.mark.warn{color:var(--warn)}.mark.none{color:var(--none)}
.chip{white-space:nowrap;font-weight:600}

 .chip.good{color:var(--good)}.chip.bad{color:var(--bad)}.chip.warn{color:var(--warn)}.chip.none{color:var(--none);font-weight:500}
.wide{overflow-x:auto;margin:.75rem 0}
table{border-collapse:collapse;width:100%;font-size:.92rem}
caption{text-align:left;color:var(--quiet);font-size:.875rem;padding:.25rem 0 .5rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem .5rem 0;border-bottom:1px solid var(--line);
 overflow-wrap:anywhere}
thead th{font-size:.78rem;color:var(--quiet);text-transform:uppercase;letter-spacing:.05em;font-weight:600;
 border-bottom:1px solid var(--ink);white-space:nowrap}
tbody th{font-weight:600}
th .quiet{font-weight:400}
.fixed{white-space:nowrap;overflow-wrap:normal}
.number{font-variant-numeric:tabular-nums;white-space:nowrap}
td ul,dd ul{margin:0;padding-left:1.1em}
.part.good{fill:var(--good)}.part.bad{fill:var(--bad)}.part.warn{fill:var(--warn)}.part.none{fill:var(--none)}
.part{stroke:var(--sheet);stroke-width:1.5;vector-effect:non-scaling-stroke}
.bar{display:block;width:100%;max-width:46rem;height:14px}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;margin:.5rem 0 1rem;padding:0;font-size:.92rem}
.spans{display:block;width:100%;max-width:46rem}
.spans .axis{fill:var(--ink);font-size:13px}
.spans .point{fill:var(--accent)}
.plot{display:block;max-width:46rem;margin:.5rem 0}
.dots{vertical-align:-.15em;margin-right:.5em}
.dots .full{fill:var(--good);stroke:var(--good)}
.dots .empty{fill:none;stroke:var(--none);stroke-width:1.5}
.curve{display:block;width:100%;max-width:46rem}.curve .grid{stroke:var(--line)}
.curve .interval{fill:var(--none-tint);stroke:var(--line)}.curve .line{fill:none;stroke:var(--accent);stroke-width:2}
.curve .axis{fill:var(--quiet);font-size:11px}
.graph{display:block;margin:.5rem 0}.graph .axis{fill:var(--ink);font-size:12px}.graph .aside{fill:var(--quiet)}
.graph .box{fill:var(--sheet);stroke:var(--none);stroke-width:1.5}.graph .box.good{stroke:var(--good)}
.graph .box.bad{stroke:var(--bad);stroke-width:3}.graph .box.warn{stroke:var(--warn);stroke-dasharray:5 3}
.graph .wire{fill:none;stroke:var(--line);stroke-width:1.5}.graph .wire.bad{stroke:var(--bad);stroke-dasharray:4 4}
.graph .mark{stroke:currentColor}
.picture{width:8rem;height:8rem;margin:.25rem 1rem .25rem 0;border:1px solid var(--line);shape-rendering:crispEdges}
.shade0{fill:#000}.shade1{fill:#202020}.shade2{fill:#404040}.shade3{fill:#606060}.shade4{fill:#808080}
.shade5{fill:#a0a0a0}.shade6{fill:#c0c0c0}.shade7{fill:#e0e0e0}.shade8{fill:#fff}
.hidden-character{border:1px solid currentColor;border-radius:2px;font-size:.8em;padding:0 .2em;margin:0 .1em;
 color:var(--bad)}
nav ol{columns:2;column-gap:2rem;margin:.5rem 0;padding-left:1.4em;font-size:.92rem;max-width:46rem}
.limits li{margin:.35rem 0;max-width:46rem}
footer{margin-top:3rem;border-top:1px solid var(--line);padding-top:.75rem;font-size:.82rem;color:var(--quiet)}
@media (max-width:40rem){nav ol{columns:1}.verdict .mark{width:2rem;height:2rem}.sheet{border:0}body{padding:0}}
@media print{
 html{font-size:10.5pt;background:#fff}body{padding:0}.sheet{border:0;max-width:none;padding:0}nav{display:none}
 h2{break-after:avoid;margin-top:1.6rem}tr,.verdict,.facts div{break-inside:avoid}thead{display:table-header-group}
 .wide{overflow:visible}a{color:inherit;text-decoration:none}details>*{display:block}
 .verdict,.part,.dots *{-webkit-print-color-adjust:exact;print-color-adjust:exact}
 @page{size:A4;margin:18mm 16mm}
}
"""


SHEET = (
    f":root{{color-scheme:light dark;{_palette(LIGHT)}}}"
    f"@media screen and (prefers-color-scheme:dark){{:root{{{_palette(DARK)}}}}}" + _RULES
)
_HASH = base64.b64encode(hashlib.sha256(SHEET.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
"""Nothing may be fetched, run, framed or sent; the style sheet is admitted by its hash."""


def document(title: str, main: Html) -> str:
    """One HTML document with nothing in it but *main*, ending in a line feed; *title* is text from anywhere."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", visible(title)),
        style_element(),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', main), lang='en')}\n"


def style_element() -> Html:
    """The style sheet as an element. It holds no text from outside, and no character that HTML would read."""
    return Html(f"<style>{SHEET}</style>")

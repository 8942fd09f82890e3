"""A report as one HTML file that needs nothing else: its charts, its style and the chart library are in it.

Figures are plain JSON in the words of plotly.js; texts are escaped, and JSON inside the page cannot end its element.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

from models_ml.core.report_markdown import as_table
from models_ml.core.reports import Block, Chart, Document, Heading, Table, Text

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
COLOURS = ["#1f5fbf", "#b45309", "#6d28d9", "#0f766e", "#be123c"]
STYLE = """
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:1040px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}p.sub{color:#777;margin:.2rem 0 1rem}
table{border-collapse:collapse;margin:.5rem 0;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{padding:.25rem .7rem;border-bottom:1px solid #8884;text-align:right}
th:first-child,td:first-child{text-align:left}
.wide{overflow-x:auto}figure{margin:1rem 0}.plot{height:380px}
"""
DRAW = """
for (const box of document.querySelectorAll(".plot")) {
  const figure = JSON.parse(document.getElementById(box.dataset.of).textContent);
  Plotly.newPlot(box, figure.data, figure.layout, {responsive: true, displaylogo: false});
}
"""


def html(document: Document, library: str) -> str:
    """Return the report as HTML; ``library`` is the text of plotly.js."""
    parts = [_block(block, k) for k, block in enumerate(document.blocks)]
    title = escape(document.title)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f'<style>{STYLE}</style></head><body><h1>{title}</h1><p class="sub">{escape(document.subtitle)}</p>\n'
        f"{chr(10).join(parts)}\n<script>{_inside(library)}</script><script>{DRAW}</script></body></html>\n"
    )


def _inside(script: str) -> str:
    return script.replace("</script", "<\\/script")


def _block(block: Block, k: int) -> str:
    if isinstance(block, Heading):
        return f"<h2>{escape(block.text)}</h2>"
    if isinstance(block, Text):
        return f"<p>{escape(block.text)}</p>"
    if isinstance(block, Table):
        return _table(block)
    text = json.dumps(figure(block), allow_nan=False).replace("<", "\\u003c").replace("&", "\\u0026")
    return (
        f'<figure><div class="plot" data-of="figure-{k}" role="img" aria-label="{escape(block.title)}"></div>'
        f'<script type="application/json" id="figure-{k}">{text}</script>'
        f"<noscript>{_table(as_table(block))}</noscript></figure>"
    )


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in table.header)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(each)}</td>' for each in row)}</tr>" for row in table.rows)
    caption = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    return f'<div class="wide"><table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def figure(chart: Chart) -> dict[str, Any]:
    """Return a chart as plotly.js draws it."""
    layout = {
        "title": {"text": escape(chart.title)}, "xaxis": {"title": {"text": escape(chart.x_title)}, "automargin": True},
        "yaxis": {"title": {"text": escape(chart.y_title)}, "automargin": True}, "colorway": COLOURS,
        "margin": {"t": 48, "r": 16}, "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "#888"}, "barmode": "overlay" if chart.kind == "histogram" else "group",
    }  # fmt: skip
    if chart.kind == "heatmap":
        axes = {"x": [escape(each) for each in chart.columns], "y": [escape(each) for each in chart.lines]}
        cells = {
            "z": [list(row) for row in chart.z],
            "texttemplate": "%{z:.3~g}",
            "colorscale": "Blues",
            "reversescale": True,
        }
        layout["xaxis"]["type"] = layout["yaxis"]["type"] = "category"  # type: ignore[index]
        layout["yaxis"]["autorange"] = "reversed"  # type: ignore[index]
        return {"data": [{"type": "heatmap", **axes, **cells}], "layout": layout}
    return {"data": [_trace(chart.kind, series) for series in chart.series], "layout": layout}


def _trace(kind: str, series: Any) -> dict[str, Any]:
    x = [escape(each) if isinstance(each, str) else each for each in series.x]
    name, y = escape(series.name), list(series.y)
    if kind == "histogram":
        return {"type": "histogram", "x": y, "name": name, "opacity": 0.7}
    if kind == "hbar":
        return {"type": "bar", "orientation": "h", "x": y, "y": x, "name": name}
    if kind == "bar":
        return {"type": "bar", "x": x, "y": y, "name": name}
    mode = "markers" if kind == "scatter" else "lines"
    return {"type": "scatter", "mode": mode, "x": x, "y": y, "name": name}

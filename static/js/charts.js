// The charts: candles with the strategy's averages and the desk's trades, the session's P&L, a backtest's equity.

import { IST_SECONDS, ist, show } from "./format.js";

const { LightweightCharts, uPlot } = window;
const LINES = ["--info", "--warn", "--violet"];

// A custom property as the colour it stands for; light-dark() only resolves on an element.
const probe = document.createElement("i");
probe.hidden = true;
document.body.append(probe);
export function colour(name) {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}
const BARE = { show: false };
const faint = (rgb, alpha) => rgb.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`).replace(/, /g, ",");
const look = (redraw) => document.addEventListener("desk:look", () => requestAnimationFrame(redraw));
const axis = () => ({ stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: `11px ${getComputedStyle(document.body).fontFamily}` });
const short = (value) => show(value, "volume").text;

// --- Candles ---
// The library shows UTC; shifting every time by 5:30 makes its axis read IST.
const shift = (seconds) => seconds + IST_SECONDS;

export function candles(box, legend, summary) {
  let symbol = box.dataset.symbol;
  let data = null;
  let loading = "";
  let seen = ""; // the newest bar's time the chart knows of
  let again = 0;
  box.querySelector("noscript")?.remove();
  const chart = LightweightCharts.createChart(box, { autoSize: true, layout: { attributionLogo: false, background: { color: "transparent" }, fontSize: 11 }, rightPriceScale: { borderVisible: false }, timeScale: { borderVisible: false, timeVisible: true, secondsVisible: false, rightOffset: 4, maxBarSpacing: 14 }, crosshair: { mode: 0 } });
  const body = chart.addSeries(LightweightCharts.CandlestickSeries, { priceLineVisible: true, lastValueVisible: true });
  const volume = chart.addSeries(LightweightCharts.HistogramSeries, { priceScaleId: "volume", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false });
  volume.priceScale().applyOptions({ scaleMargins: { top: 0.86, bottom: 0 } });
  const markers = LightweightCharts.createSeriesMarkers(body, []);
  const lines = [];

  function paint() {
    const [text, grid, up, down] = [colour("--muted"), colour("--line"), colour("--up"), colour("--down")];
    chart.applyOptions({ layout: { textColor: text, fontFamily: getComputedStyle(document.body).fontFamily }, grid: { vertLines: { color: grid }, horzLines: { color: grid } } });
    // hollow when the price rose, filled when it fell: the shape tells as much as the colour
    body.applyOptions({ upColor: "rgba(0,0,0,0)", downColor: down, borderUpColor: up, borderDownColor: down, wickUpColor: up, wickDownColor: down });
    lines.forEach((line, i) => line.applyOptions({ color: colour(LINES[i % LINES.length]) }));
    if (data) draw(false);
  }

  function draw(fit) {
    const bars = data.bars;
    const [up, down] = [faint(colour("--up"), 0.35), faint(colour("--down"), 0.35)];
    body.setData(bars.map(([t, open, high, low, close]) => ({ time: shift(t), open, high, low, close })));
    volume.setData(bars.filter((bar) => bar[5] !== null).map(([t, open, , , close, value]) => ({ time: shift(t), value, color: close >= open ? up : down })));
    const named = Object.entries(data.lines);
    while (lines.length < named.length) {
      lines.push(chart.addSeries(LightweightCharts.LineSeries, { lineWidth: 1.5, priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false }));
      lines.at(-1).applyOptions({ color: colour(LINES[(lines.length - 1) % LINES.length]) });
    }
    lines.forEach((line, i) => line.setData(named[i] ? bars.map((bar, k) => (named[i][1][k] === null ? { time: shift(bar[0]) } : { time: shift(bar[0]), value: named[i][1][k] })) : []));
    mark();
    const last = bars.at(-1);
    legend.replaceChildren(...named.map(([name, values], i) => Object.assign(document.createElement("span"), { className: `l${i}`, textContent: `${name} ${show(values.at(-1), "number").text}` })));
    summary.textContent = last
      ? `${data.symbol}, ${data.interval}: ${bars.length} bars to ${ist(new Date(last[0] * 1000).toISOString()).minute} IST, last ${show(last[4], "number").text}, ${data.marks.length} fills`
      : `${data.symbol}: no bar yet`;
    if (fit) chart.timeScale().setVisibleLogicalRange({ from: Math.max(-2, bars.length - 110), to: bars.length + 4 });
  }

  function mark() {
    const [up, down] = [colour("--up"), colour("--down")];
    const step = data.bar_seconds;
    const first = data.bars[0]?.[0] ?? 0;
    markers.setMarkers(data.marks.map(({ time, side, quantity, purpose }) => ({
      time: shift(Math.max(first, first + Math.floor((time - first) / step) * step)),
      position: side === "BUY" ? "belowBar" : "aboveBar",
      shape: side === "BUY" ? "arrowUp" : "arrowDown",
      color: side === "BUY" ? up : down,
      text: `${side === "BUY" ? "B" : "S"} ${quantity}${purpose === "exit" ? " ×" : ""}`,
    })));
  }

  async function load(wanted, fit = true) {
    if (!wanted || loading === wanted) return;
    loading = wanted;
    try {
      const answer = await fetch(`/chart/${encodeURIComponent(wanted)}/data`);
      if (!answer.ok) throw new Error(`${answer.status}`);
      const found = await answer.json();
      const known = data;
      data = found;
      symbol = box.dataset.symbol = found.symbol;
      if (fit || !known) {
        document.getElementById("candles-symbol").textContent = symbol;
        document.getElementById("candles-table").href = `/chart/${encodeURIComponent(symbol)}/`;
        const pick = document.getElementById("pick-symbol");
        if (pick) pick.value = symbol;
      }
      draw(fit || !known);
    } catch (error) {
      summary.textContent = `The bars of ${wanted} could not be read (${error.message}); the next bar tries again.`;
    } finally {
      loading = "";
    }
  }

  // A new bar of this symbol, or a new fill, fetches the chart again: at most once a second.
  function follow(snapshot) {
    const row = snapshot.watch.find((each) => each.symbol === symbol);
    const now = `${row?.at} ${snapshot.orders[0]?.number} ${snapshot.orders[0]?.status}`;
    if (!row || now === seen || Date.now() < again) return;
    seen = now;
    again = Date.now() + 1000;
    load(symbol, false);
  }

  paint();
  look(paint);
  load(symbol);
  return { load, follow, symbol: () => symbol };
}

// --- uPlot, drawn anew when the box or the look changes ---
function plot(box, make) {
  let chart = null;
  let data = null;
  const size = () => ({ width: box.clientWidth, height: box.clientHeight });
  function build() {
    if (!data || !box.clientWidth) return;
    chart?.destroy();
    box.replaceChildren();
    chart = new uPlot({ ...make(data), ...size(), legend: { show: false }, padding: [10, 22, 0, 0] }, data.series, box);
  }
  new ResizeObserver(() => chart?.setSize(size())).observe(box);
  look(build);
  return (next, redraw = false) => {
    const before = data;
    data = next;
    if (!chart || redraw || before.series.length !== next.series.length) build();
    else chart.setData(next.series);
  };
}
const clockAxis = (values) => values.map((seconds) => ist(new Date(seconds * 1000).toISOString()).minute);

export function curve(box, summary) {
  const set = plot(box, (data) => ({
    scales: { y: { range: (u) => bounds(Math.min(...u.data[1]), Math.max(...u.data[1]), data.limit) } },
    axes: [{ ...axis(), size: 26, values: (u, list) => clockAxis(list), space: 60 }, { ...axis(), size: 62, values: (u, list) => list.map(short) }],
    cursor: { y: false },
    series: [
      {},
      { stroke: colour("--info"), width: 1.6, fill: faint(colour("--info"), 0.12), fillTo: 0, points: BARE },
      { stroke: colour("--down"), width: 1.4, dash: [6, 4], points: BARE },
      { stroke: colour("--edge"), width: 1, dash: [2, 3], points: BARE },
    ],
  }));
  let limit = null;
  return {
    draw({ equity, pnl }) {
      if (equity.length < 2) return;
      const base = Number(pnl.equity) - Number(pnl.day);
      const xs = equity.map((point) => point[0]);
      const ys = equity.map((point) => point[1] - base);
      const bar = pnl.day_loss_limit === null ? null : -Number(pnl.day_loss_limit);
      set({ limit: bar, series: [xs, ys, xs.map(() => bar), xs.map(() => 0)] }, bar !== limit);
      limit = bar;
      const said = (value) => show(value.toFixed(2), "pnl_inr").text;
      summary.textContent = `low ${said(Math.min(...ys))}, high ${said(Math.max(...ys))}, now ${said(ys.at(-1))}`;
    },
  };
}

// The limit is drawn to scale once the loss is on its way there; far away it would only flatten the curve.
function bounds(low, high, limit) {
  const least = Math.min(low, 0);
  const floor = limit !== null && least < limit * 0.4 ? Math.min(limit * 1.1, least) : least;
  const room = Math.max(high, 0) - floor || 1;
  return [floor - room * 0.08, Math.max(high, 0) + room * 0.1];
}

export function equity(box, below, points, falls) {
  const xs = points.map(([day]) => Date.parse(`${day}T10:00:00Z`) / 1000);
  const sync = uPlot.sync("run");
  const shared = { cursor: { sync: { key: sync.key } } };
  const days = (u, list) => list.map((seconds) => ist(new Date(seconds * 1000).toISOString()).day.replace(/ (\d\d)(\d\d)$/, " $2"));
  const money = plot(box, () => ({ ...shared, axes: [{ ...axis(), show: false }, { ...axis(), size: 74, values: (u, list) => list.map(short) }], series: [{}, { stroke: colour("--info"), width: 1.6, fill: faint(colour("--info"), 0.1), points: BARE }, { stroke: colour("--edge"), width: 1, dash: [3, 4], points: BARE }] }));
  const fall = plot(below, () => ({ ...shared, axes: [{ ...axis(), size: 26, values: days, space: 90 }, { ...axis(), size: 74, values: (u, list) => list.map((value) => show(String(value), "pct_of_one").text) }], series: [{}, { stroke: colour("--down"), width: 1.2, fill: faint(colour("--down"), 0.18), fillTo: 0, points: BARE }] }));
  money({ series: [xs, points.map((point) => point[1]), xs.map(() => points[0][1])] });
  fall({ series: [xs, falls] });
}

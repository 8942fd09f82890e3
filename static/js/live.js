// The Live page: takes snapshots from the socket and draws them into what the server has drawn.

import { tell, tick } from "./ages.js";
import { rows, values } from "./bind.js";
import { candles, curve } from "./charts.js";
import { connect } from "./socket.js";
import { countdown, show } from "./format.js";

const $ = (id) => document.getElementById(id);
const AMBER = Number($("stale").dataset.warn); // seconds; the server knows every limit
const RED = Number($("stale").dataset.bad);
const CALM = ["suspended", "finished", "stopped", "failed"];
const SPOKEN = 15000;

let last = null; // newest message taken
let shown = null; // newest message drawn
let takenAt = 0; // ms, this browser's clock
let ageThen = 0; // seconds it was old when taken
let frozen = false;
let behind = false; // rows wait for the pointer to leave a table
let link = { state: "connecting", tries: 0, why: "" };
let spokenAt = 0;

const price = $("candles") && candles($("candles"), $("candles-legend"), $("candles-summary"));
const profit = $("curve") && curve($("curve"), $("curve-summary"));

function snapshot(message) {
  if (last && message.epoch === last.epoch && message.v <= last.v) return;
  if (last && message.body.run !== last.body.run) return location.reload(); // another run has other symbols and features
  const anew = last && message.epoch !== last.epoch;
  last = message;
  takenAt = Date.now();
  ageThen = Math.max(0, (Date.parse(message.sent_at) - Date.parse(message.body.as_of?.books.at)) / 1000) || 0;
  if ($("waiting")) return location.reload(); // the first snapshot ever: the server draws the page around it
  if (anew) price.load(price.symbol());
  if (!frozen) requestAnimationFrame(draw);
}

function heartbeat(message) {
  const box = $("trouble");
  if (box.textContent !== message.trouble) box.textContent = message.trouble;
  box.hidden = !message.trouble;
  if (message.ages.live === undefined) return;
  takenAt = Date.now();
  ageThen = message.ages.live;
}

function draw() {
  if (!last || (shown === last && !behind)) return;
  shown = last;
  const body = last.body;
  values(document, body);
  fresh(body);
  behind = false;
  for (const tbody of document.querySelectorAll("tbody[data-rows]")) {
    const name = tbody.dataset.rows;
    behind = rows(tbody, name === "watch" ? filtered(body.watch) : body[name] ?? []) || behind;
  }
  for (const count of document.querySelectorAll("[data-count]")) count.textContent = body[count.dataset.count].length;
  states(body.states);
  attention(body.attention);
  controls(body);
  clock(body);
  const meter = $("exposure-meter");
  if (meter) meter.value = Number(body.pnl.exposure);
  profit.draw(body);
  price.follow(body);
  speak(body);
}

function states(list) {
  for (const state of list) {
    const li = document.querySelector(`[data-state="${state.key}"]`);
    if (!li) continue;
    li.dataset.level = state.level;
    li.querySelector(".level").textContent = state.level;
    li.querySelector(".said").textContent = state.text ?? "";
  }
}

function attention(list) {
  const box = $("attention");
  const key = JSON.stringify(list);
  $("attention-count").textContent = list.length;
  $("calm").hidden = list.length > 0;
  if (box.dataset.drawn === key) return;
  box.dataset.drawn = key;
  box.replaceChildren(...list.map((item) => {
    const li = document.createElement("li");
    li.dataset.level = item.level;
    const part = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text });
    const shape = part("span", "shape", "");
    shape.ariaHidden = "true";
    li.append(shape, part("span", "visually-hidden", `${item.level}: `), part("b", "", item.title), " ", part("span", "muted", item.detail));
    return li;
  }));
}

function controls(body) {
  const still = body.held || CALM.includes(body.state) && body.state !== "suspended";
  const on = { still, moving: !still, paused: body.entries_paused, entries: !body.entries_paused };
  for (const button of document.querySelectorAll("#controls [data-when]")) {
    const hide = !on[button.dataset.when];
    if (hide && !button.hidden && button === document.activeElement) {
      button.hidden = true;
      button.parentElement.querySelector("button:not([hidden])")?.focus(); // its twin takes its place, and the focus
    }
    button.hidden = hide;
  }
  for (const button of document.querySelectorAll("[data-speed][aria-pressed]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === body.speed));
  }
}

function clock(body) {
  const time = $("market-time");
  if (!time || !body.market_time) return;
  time.textContent = show(body.market_time, "stamp_full").text;
  time.dateTime = body.market_time;
  const session = body.session;
  const left = session ? (Date.parse(session.close) - Date.parse(body.market_time)) / 1000 : 0;
  $("closes").textContent = left > 0 && session.phase === "continuous" ? `closes in ${countdown(left)}` : session?.phase ?? "closed";
}

// --- How old what is shown is ---
// Each part was true at a moment of its own: that much before the picture was published, whatever this browser's clock says.
function fresh(body) {
  const published = Date.parse(body.as_of?.books.at);
  const since = ageThen + (Date.now() - takenAt) / 1000;
  for (const label of document.querySelectorAll("main .as-of")) {
    const part = body.as_of?.[label.dataset.part];
    if (part) tell(label, since + (published - Date.parse(part.at)) / 1000, part.at, part.late_after);
  }
  tick();
}

function ages() {
  if (!last) return wire();
  const age = ageThen + (Date.now() - takenAt) / 1000;
  const calm = CALM.includes(last.body.state);
  $("age").textContent = `${show(age, "age").text} old · v${last.v}`;
  const level = calm || age < AMBER ? "" : age < RED ? "warn" : "bad";
  document.body.classList.toggle("is-stale", level !== "" && age >= RED);
  banner(level, age, calm);
  wire();
}

function banner(level, age, calm) {
  const box = $("stale");
  const trouble = link.state === "waiting" ? `reconnecting (${link.tries})` : link.why || "the engine is silent";
  let said = "";
  if (frozen) said = "Frozen: figures stand still, trading does not. Press f to go on.";
  else if (level) said = `Data ${show(age, "age").text} old – ${trouble}. Controls still work; the server decides by its own state.`;
  else if (calm) said = `The engine has ${last.body.state === "suspended" ? "been suspended" : last.body.state}. Figures are as it left them.`;
  else if (link.state === "closed") said = link.why;
  const as = frozen || calm ? "info" : level || "warn";
  if (box.textContent !== said) box.textContent = said;
  box.dataset.level = as;
  box.hidden = !said;
  const aloud = level && !frozen ? `Data is old: ${trouble}.` : said; // the seconds are for eyes: said once, not every second
  if ($("stale-said").textContent !== aloud) $("stale-said").textContent = aloud;
}

function wire() {
  const box = $("wire");
  if (!box) return;
  const words = { connecting: ["off", "connecting"], open: ["ok", "live"], waiting: ["warn", `reconnecting (${link.tries})`], closed: ["bad", "closed"] };
  const [level, said] = frozen ? ["info", "frozen"] : words[link.state];
  box.dataset.level = level;
  box.querySelector(".said").textContent = said;
}

// --- One summary for screen readers, at most every 15 s ---
function speak(body) {
  if (Date.now() - spokenAt < SPOKEN) return;
  spokenAt = Date.now();
  const day = show(body.pnl.day, "compact").text;
  $("announcer").textContent = `P and L ${day.replace("−", "minus ")}, ${body.pnl.open} open, ${body.attention.length} need attention${document.querySelector('.as-of.late[data-part="prices"]') ? ", prices are old" : ""}`;
}

// --- What a reader can do here ---
$("freeze")?.addEventListener("click", () => {
  frozen = !frozen;
  $("freeze").setAttribute("aria-pressed", String(frozen));
  document.body.classList.toggle("frozen", frozen);
  if (!frozen) draw();
  ages();
});
const filter = $("watch-filter");
const filtered = (list) => (filter?.value ? list.filter((row) => row.symbol.includes(filter.value.trim().toUpperCase())) : list);
filter?.addEventListener("input", () => last && rows(document.querySelector('tbody[data-rows="watch"]'), filtered(last.body.watch)));

function choose(symbol) {
  price.load(symbol);
  const address = new URL(location.href);
  address.searchParams.set("symbol", symbol);
  history.replaceState(null, "", address);
}
$("pick-symbol")?.addEventListener("change", (event) => choose(event.target.value));
document.addEventListener("click", (event) => {
  const to = event.target.closest?.("main [data-symbol]");
  if (!to || !to.matches("a") || event.metaKey || event.ctrlKey || !price) return;
  event.preventDefault();
  choose(to.dataset.symbol);
});
document.addEventListener("mouseout", () => behind && requestAnimationFrame(draw));
document.addEventListener("focusout", () => behind && requestAnimationFrame(draw));

// A button that was pressed is drawn anew: the focus goes to it, or to the one that undoes it.
const TWIN = { pause: "resume", resume: "pause", play: "hold", hold: "play" };
let pressed = "";
document.addEventListener("click", (event) => (pressed = event.target.closest?.("#controls button")?.value ?? ""));
document.addEventListener("htmx:after:swap", () => {
  if (!pressed || document.activeElement !== document.body) return;
  const find = (value) => document.querySelector(`#controls button[value="${value}"]:not([hidden])`);
  (find(pressed) ?? find(TWIN[pressed]) ?? document.querySelector("#stop-menu > summary"))?.focus();
});

connect("live", { snapshot, heartbeat, state: (state, tries, why = "") => { link = { state, tries, why }; ages(); } });
setInterval(ages, 1000);

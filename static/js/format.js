// How the desk writes numbers and moments: the twin of sensequant/lib/formats.py (a test compares them case by case).

export const MINUS = "−";
export const NOTHING = "—";
const SHAPES = { up: "▲", down: "▼", flat: "◆" };
const STATUSES = {
  working: ["○", "info"], partial: ["◐", "info"], filled: ["✔", "up"], expired: ["–", "muted"],
  cancelled: ["–", "muted"], rejected: ["⛔", "down"], queued: ["○", "muted"], running: ["◐", "info"],
  done: ["✔", "up"], failed: ["⛔", "down"], closed: ["✔", "up"], open: ["⛔", "down"],
  "half-open": ["◐", "info"], off: ["–", "muted"],
  ok: ["✔", "up"], warn: ["▲", "warn"], bad: ["⛔", "down"], stopped: ["–", "muted"],
  protected: ["✔", "up"], unwatched: ["▲", "warn"], unprotected: ["⛔", "down"], left: ["✔", "up"], held: ["◐", "warn"],
};
const SIDES = { BUY: "up", LONG: "up", SELL: "down", SHORT: "down" };
const UNKNOWN = { text: NOTHING, tone: "muted", title: "" };
const shown = (text, tone = "", title = "") => ({ text, tone, title });

// Rounds half up on the decimal digits, as the server does; binary rounding would differ at 1.005.
export function fixed(value, places) {
  let text = typeof value === "number" ? plain(value) : value;
  const negative = text.startsWith("-");
  if (negative || text.startsWith("+")) text = text.slice(1);
  let [whole, fraction = ""] = text.split(".");
  const up = (fraction[places] ?? "0") >= "5";
  let digits = (whole || "0") + fraction.slice(0, places).padEnd(places, "0");
  if (up) digits = (BigInt(digits) + 1n).toString().padStart(digits.length, "0");
  digits = digits.padStart(places + 1, "0").replace(/^0+(?=\d)/, "").padStart(places + 1, "0");
  const at = digits.length - places;
  const zero = /^0*$/.test(digits);
  return { negative: negative && !zero, zero, whole: digits.slice(0, at), fraction: digits.slice(at) };
}

function plain(number) {
  const text = String(number);
  return text.includes("e") ? number.toFixed(12) : text;
}

export function number(value) {
  if (value === null || value === undefined || value === "" || typeof value === "boolean") return null;
  if (typeof value === "number") return Number.isFinite(value) ? plain(value) : null;
  return /^[+-]?\d*\.?\d+$/.test(value) ? value : null;
}

export function grouped(value, places = 2) {
  const { negative, whole, fraction } = fixed(value, places);
  const tail = whole.slice(-3);
  const head = whole.slice(0, -3).replace(/\B(?=(\d{2})+(?!\d))/g, ",");
  const text = (head ? `${head},` : "") + tail + (fraction ? `.${fraction}` : "");
  return (negative ? MINUS : "") + text;
}

export function direction(value, places = 2) {
  const { negative, zero } = fixed(value, places);
  return zero ? "flat" : negative ? "down" : "up";
}

export function signed(value, places = 2) {
  const text = grouped(value, places);
  return direction(value, places) === "up" ? `+${text}` : text;
}

function rupees(text) {
  const sign = text[0] === MINUS || text[0] === "+" ? text[0] : "";
  return `${sign}₹${text.slice(sign.length)}`;
}

// Moves the decimal point; multiplying by 100 in binary would change the digits that are rounded.
function shifted(value, by) {
  const negative = value.startsWith("-");
  const [whole, fraction = ""] = value.replace(/^[+-]/, "").split(".");
  const digits = by > 0 ? whole + fraction.padEnd(by, "0") : whole.padStart(-by + 1, "0") + fraction;
  const at = (by > 0 ? whole.length : Math.max(whole.length, -by + 1)) + by;
  return `${negative ? "-" : ""}${digits.slice(0, at) || "0"}.${digits.slice(at) || "0"}`;
}

export function short(value) {
  const size = Math.abs(Number(value));
  if (size >= 1e7) return `${grouped(shifted(value, -7))} Cr`;
  if (size >= 1e5) return `${grouped(shifted(value, -5))} L`;
  return grouped(value, 0);
}

function age(value) {
  const whole = Math.floor(Math.max(Number(value), 0));
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (whole >= size) return shown(`${Math.floor(whole / size)} ${unit}`);
  }
  return shown(`${whole} s`);
}

const pct = (value) => shown(`${signed(value)}%`, direction(value));

const NUMERIC = {
  inr: (v) => shown(rupees(grouped(v))),
  compact: (v) => shown(rupees(short(v)), "", rupees(grouped(v))),
  pnl: (v) => shown(`${SHAPES[direction(v)]} ${signed(v)}`, direction(v)),
  pnl_inr: (v) => shown(`${SHAPES[direction(v)]} ${rupees(signed(v))}`, direction(v)),
  pct,
  pct_of_one: (v) => pct(shifted(v, 2)),
  share: (v) => shown(`${grouped(shifted(v, 2), 0)}%`),
  share2: (v) => shown(`${grouped(shifted(v, 2))}%`),
  ratio: (v) => shown(grouped(v), direction(v)),
  number: (v) => shown(grouped(v)),
  qty: (v) => shown(grouped(v, 0)),
  volume: (v) => shown(short(v), "", grouped(v, 0)),
  age,
  minutes: (v) => age(Number(v) * 60),
};

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const two = (n) => String(n).padStart(2, "0");

// IST has no daylight saving, so shifting by 5:30 and reading the UTC fields gives its wall clock.
export const IST_SECONDS = 19800;
export function ist(value) {
  const at = new Date(value);
  if (typeof value !== "string" || Number.isNaN(at.getTime()) || !/(Z|[+-]\d\d:?\d\d)$/.test(value)) return null;
  const there = new Date(at.getTime() + IST_SECONDS * 1000);
  return {
    day: `${there.getUTCDate()} ${MONTHS[there.getUTCMonth()]} ${there.getUTCFullYear()}`,
    minute: `${two(there.getUTCHours())}:${two(there.getUTCMinutes())}`,
    second: `${two(there.getUTCHours())}:${two(there.getUTCMinutes())}:${two(there.getUTCSeconds())}`,
  };
}

const MOMENTS = {
  time: (at) => shown(at.second, "", `${at.day} ${at.second} IST`),
  stamp: (at) => shown(`${at.day} ${at.minute}`, "", `${at.day} ${at.second} IST`),
  stamp_full: (at) => shown(`${at.day} ${at.second} IST`),
};

const WORDS = {
  side: (v) => shown(v, `side ${SIDES[v] ?? "muted"}`),
  status: (v) => shown(`${STATUSES[v]?.[0] ?? ""} ${v}`.trim(), STATUSES[v]?.[1] ?? ""),
  objections: (v) => {
    const said = typeof v === "string" ? [v] : v;
    return said.length ? shown(`✖ ${said.join(" · ")}`, "warn") : shown("✔ acted on", "up");
  },
  text: (v) => shown(String(v)),
  word: (v) => shown(String(v).replaceAll("_", " ")),
  symbol: (v) => shown(String(v)),
};

export function show(value, how) {
  if (how in NUMERIC) {
    const found = number(value);
    return found === null ? UNKNOWN : NUMERIC[how](found);
  }
  if (how in MOMENTS) {
    const at = ist(value);
    return at === null ? UNKNOWN : MOMENTS[how](at);
  }
  if (value === null || value === undefined || value === "") return UNKNOWN;
  return WORDS[how](value);
}

export function countdown(seconds) {
  const left = Math.max(0, Math.floor(seconds));
  return `${two(Math.floor(left / 3600))}:${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
}

// What every page has: theme, density, keyboard, help, palette, the row one stands on.

import "./ages.js";
import "./session.js";

const root = document.documentElement;
const $ = (id) => document.getElementById(id);
for (const element of document.querySelectorAll(".needs-js")) element.hidden = false;

// --- Preferences: the server keeps them in cookies, so the next page is drawn right at once ---
const preferences = $("preferences");
async function prefer(name, value) {
  root.dataset[name] = value;
  document.dispatchEvent(new CustomEvent("desk:look"));
  const body = new FormData(preferences);
  body.set(name, value);
  await fetch(preferences.action, { method: "POST", body, redirect: "manual" });
}
preferences?.addEventListener("submit", (event) => {
  if (!event.submitter?.name) return;
  event.preventDefault();
  prefer(event.submitter.name, event.submitter.value);
});
const dark = matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", () => document.dispatchEvent(new CustomEvent("desk:look")));
const isDark = () => root.dataset.theme === "dark" || (root.dataset.theme === "system" && dark.matches);

// --- Menus close when one leaves them ---
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open], details.help[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// --- A menu that has one thing to do is ready for Enter as it opens ---
document.addEventListener("toggle", (event) => {
  if (event.target.open) event.target.querySelector?.(".at-once")?.select();
}, true);

// --- Help and palette ---
const help = $("help");
$("open-help")?.addEventListener("click", () => help.showModal());
$("open-palette")?.addEventListener("click", () => openPalette());
const palette = $("palette");
const input = $("palette-input");
const list = $("palette-list");
let picks = [];
let picked = 0;

function places() {
  const pages = [...document.querySelectorAll(".rail a")].map((a) => ({ name: a.firstChild.textContent.trim(), href: a.href, kind: "page" }));
  const symbols = [...new Set([...document.querySelectorAll("[data-symbol]")].map((a) => a.dataset.symbol))].filter(Boolean);
  return [...pages, ...symbols.map((name) => ({ name, href: `/?symbol=${encodeURIComponent(name)}`, kind: "chart" }))];
}
function openPalette() {
  input.value = "";
  match();
  palette.showModal();
}
function match() {
  const wanted = input.value.trim().toLowerCase();
  picks = places().filter((place) => place.name.toLowerCase().includes(wanted)).slice(0, 30);
  picked = 0;
  list.replaceChildren(...picks.map((place, i) => {
    const li = document.createElement("li");
    li.id = `pick-${i}`;
    li.role = "option";
    li.append(place.name, Object.assign(document.createElement("span"), { className: "muted", textContent: place.kind }));
    li.addEventListener("click", () => (location.href = place.href));
    return li;
  }));
  mark();
}
function mark() {
  [...list.children].forEach((li, i) => li.setAttribute("aria-selected", String(i === picked)));
  list.children[picked]?.scrollIntoView({ block: "nearest" });
  if (picks.length) input.setAttribute("aria-activedescendant", `pick-${picked}`);
}
input?.setAttribute("role", "combobox");
input?.setAttribute("aria-expanded", "true");
input?.addEventListener("input", match);
input?.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    picked = Math.max(0, Math.min(picks.length - 1, picked + step));
    mark();
  } else if (event.key === "Enter" && picks[picked]) {
    event.preventDefault();
    location.href = picks[picked].href;
  }
});

// --- Every table has its own download beside its heading; without scripts the link at the page's foot gives them all ---
function downloads() {
  [...document.querySelectorAll("main table")].filter((table) => !table.closest(".chart")).forEach((table, i) => {
    const panel = table.closest(".panel");
    const head = panel?.querySelector(":scope > header, :scope > h2");
    const key = `csv-${i}`;
    if (!head || document.getElementById(key) || panel.querySelector("table") !== table) return;
    const address = new URL(location.href);
    address.searchParams.set("tables", "csv");
    address.searchParams.set("table", String(i + 1));
    const name = table.getAttribute("aria-label") || head.textContent.trim().split("\n")[0].trim();
    const link = Object.assign(document.createElement("a"), { id: key, className: "csv", href: address, download: "", textContent: "CSV" });
    link.setAttribute("aria-label", `${name} as CSV`);
    head.append(link);
  });
}
downloads();
document.addEventListener("htmx:after:swap", downloads);
document.addEventListener("click", (event) => { // a filter changes the address under a link that was drawn before
  const link = event.target.closest?.("a[download]");
  if (!link || link.pathname !== location.pathname) return;
  const asked = new URLSearchParams(location.search);
  for (const [name, value] of new URLSearchParams(link.search)) {
    if (["export", "tables", "table"].includes(name)) asked.set(name, value);
  }
  link.search = asked;
}, true);

// --- What cannot be undone is held for a second and a half, or confirmed by a second Enter ---
const HOLD = 1500;
const AGAIN = 4000;
let holding = null;
function let_go() {
  if (!holding) return;
  clearTimeout(holding.timer);
  holding.button.classList.remove("holding");
  holding = null;
}
function hint(button, text) {
  let box = button.parentElement.querySelector(".hold-hint");
  if (!box) {
    box = Object.assign(document.createElement("p"), { className: "hold-hint" });
    box.setAttribute("role", "status");
    button.after(box);
  }
  box.textContent = text;
}
document.addEventListener("pointerdown", (event) => {
  const button = event.target.closest?.("button[data-hold]");
  if (!button || event.button !== 0) return;
  button.classList.add("holding");
  holding = { button, timer: setTimeout(() => { let_go(); if (button.form.reportValidity()) button.form.requestSubmit(button); }, HOLD) };
});
for (const name of ["pointerup", "pointercancel", "pointerout"]) {
  document.addEventListener(name, (event) => {
    if (!holding || (name === "pointerout" && holding.button.contains(event.relatedTarget))) return;
    hint(holding.button, "Hold for a second and a half.");
    let_go();
  });
}
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[data-hold]");
  if (!button) return;
  const keyed = event.detail === 0; // Enter or Space, here or in a field of its form
  if (keyed && Date.now() - Number(button.dataset.armed ?? 0) < AGAIN) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!keyed) return;
  button.dataset.armed = String(Date.now());
  hint(button, "Press Enter again to confirm.");
}, true);

// --- Rows: j and k move, Enter opens ---
function step(by) {
  const tbody = document.activeElement?.closest?.("tbody") ?? document.querySelector("tbody[data-rows], main table tbody");
  const rows = tbody ? [...tbody.rows].filter((tr) => !tr.hidden && tr.offsetParent) : [];
  if (!rows.length) return;
  const now = rows.indexOf(document.activeElement.closest?.("tr"));
  const next = rows[Math.max(0, Math.min(rows.length - 1, now < 0 ? 0 : now + by))];
  next.tabIndex = -1;
  next.focus();
}

// --- Single keys; none of them trades, and they can be switched off (WCAG 2.1.4) ---
let going = 0;
const typing = (element) => element.closest("input:not([type=radio], [type=checkbox]), select, textarea, [contenteditable]");
const SINGLE = {
  "?": () => help.showModal(),
  "/": () => document.querySelector("input.filter, .filters input[name=symbol]")?.focus(),
  t: () => prefer("theme", isDark() ? "light" : "dark"),
  d: () => prefer("density", root.dataset.density === "dense" ? "comfortable" : "dense"),
  f: () => $("freeze")?.click(),
  j: () => step(1),
  k: () => step(-1),
};
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && palette) {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open], details.help[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    if (typing(event.target)) event.target.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || root.dataset.shortcuts === "off") return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "Enter" && event.target.matches("tr")) {
    event.target.querySelector("a")?.click();
    return;
  }
  if (Date.now() - going < 1500) {
    going = 0;
    const link = document.querySelector(`.rail a[data-go="${CSS.escape(event.key)}"]`);
    if (link) {
      event.preventDefault();
      link.click();
    }
    return;
  }
  if (event.key === "g") going = Date.now();
  else if (SINGLE[event.key]) {
    event.preventDefault();
    SINGLE[event.key]();
  }
});

// Draws a snapshot into the page the server has drawn: values by path, rows by key, flashing what changed.

import { show } from "./format.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");

export const at = (body, path) => path.split(".").reduce((found, name) => (found == null ? found : found[name]), body);

export function flash(element) {
  if (still.matches) return;
  element.classList.remove("flash");
  void element.offsetWidth; // restarts the animation
  element.classList.add("flash");
}

function write(element, seen, base = "") {
  const tone = `${base} ${seen.tone}`.trim();
  const before = element.textContent;
  if (before !== seen.text) element.textContent = seen.text;
  if (element.dataset.tone !== tone) element.className = element.dataset.tone = tone;
  if (element.title !== seen.title) element.title = seen.title;
  return before !== seen.text;
}

export function values(root, body) {
  for (const element of root.querySelectorAll("[data-bind]")) {
    let inner = element.firstElementChild;
    if (!inner) {
      inner = document.createElement("span");
      element.replaceChildren(inner);
    }
    if (write(inner, show(at(body, element.dataset.bind), element.dataset.how))) flash(element);
  }
}

const specs = new WeakMap();
const spec = (tbody) => {
  if (!specs.has(tbody)) specs.set(tbody, JSON.parse(tbody.dataset.columns));
  return specs.get(tbody);
};
const field = (row, key) => (key.startsWith("features.") ? (row.features ?? {})[key.slice(9)] : row[key]);

function cell(td, row, column) {
  const seen = show(field(row, column.k), column.f);
  const base = `${column.n ? "n " : ""}${column.f === "objections" || column.f === "text" ? column.f : ""}`.trim();
  if (column.f !== "symbol") return write(td, seen, base);
  let link = td.firstElementChild;
  if (!link) {
    link = document.createElement("a");
    td.append(link);
  }
  if (link.textContent === seen.text) return false;
  link.textContent = link.dataset.symbol = seen.text;
  link.href = `/?symbol=${encodeURIComponent(seen.text)}`;
  return true;
}

function draw(tr, row, columns, quietly) {
  columns.forEach((column, i) => {
    const td = tr.cells[i] ?? tr.appendChild(document.createElement("td"));
    if (cell(td, row, column) && !quietly && column.n) flash(td);
  });
}

// Rows keep their place while somebody points at them or has the focus inside; the rest catches up when they leave.
export function rows(tbody, list) {
  const columns = spec(tbody);
  const names = tbody.dataset.key.split(" ");
  const keyOf = (row) => names.map((name) => row[name]).join("\u0001");
  const there = new Map();
  [...tbody.rows].forEach((tr) => tr.dataset.key && there.set(tr.dataset.key, tr));
  if (!there.size && tbody.rows.length === list.length) {
    list.forEach((row, i) => (tbody.rows[i].dataset.key = keyOf(row))); // as the server drew them
    [...tbody.rows].forEach((tr) => there.set(tr.dataset.key, tr));
  }
  const busy = tbody.matches(":hover, :focus-within");
  const wanted = list.map((row) => {
    const key = keyOf(row);
    let tr = there.get(key);
    if (!tr && busy) return null;
    const fresh = !tr;
    if (fresh) {
      tr = document.createElement("tr");
      tr.dataset.key = key;
    }
    draw(tr, row, columns, fresh);
    return tr;
  });
  if (!busy) {
    const same = wanted.length === tbody.rows.length && wanted.every((tr, i) => tbody.rows[i] === tr);
    if (!same) tbody.replaceChildren(...wanted);
    const none = tbody.parentElement.querySelector("tbody.none");
    if (none) none.hidden = list.length > 0;
  }
  return busy;
}

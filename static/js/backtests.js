// The backtest pages: symbol chips in the form, and the curves once a run is done.

import { equity } from "./charts.js";

const field = document.getElementById("id_symbols");
const words = () => field.value.toUpperCase().split(/[\s,]+/).filter(Boolean);
function press() {
  const chosen = new Set(words());
  for (const chip of document.querySelectorAll("[data-add]")) chip.setAttribute("aria-pressed", String(chosen.has(chip.dataset.add)));
}
document.addEventListener("click", (event) => {
  const chip = event.target.closest?.("[data-add]");
  if (!chip) return;
  const chosen = words();
  const name = chip.dataset.add;
  field.value = (chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name]).join(", ");
  press();
});
field?.addEventListener("input", press);
if (field) press();

function draw() {
  const box = document.getElementById("run-equity");
  if (!box || box.dataset.drawn) return;
  box.dataset.drawn = "yes";
  const points = JSON.parse(document.getElementById("equity-data").textContent);
  const falls = JSON.parse(document.getElementById("drawdown-data").textContent);
  if (points.length > 1) equity(box, document.getElementById("run-drawdown"), points, falls);
}
document.addEventListener("htmx:after:swap", draw);
draw();

// How old each figure is: counts on from what the server said, by this browser's own steady clock, and says "old" when a
// figure is older than it may be. Nothing here is a live region: whoever reads it hears it when they get there.

import { show } from "./format.js";

const told = new WeakMap(); // label → [age in seconds, when it was told]
const seconds = () => performance.now() / 1000;

export function tell(label, age, at, late) {
  told.set(label, [age, seconds()]);
  label.dataset.late = late ?? "";
  const time = label.querySelector("time");
  if (time.dateTime === at) return;
  time.dateTime = at;
  time.textContent = show(at, "time").text;
  label.title = `as of ${show(at, "stamp_full").text}`;
}

function one(label) {
  if (!told.has(label)) told.set(label, [label.dataset.age === "" ? NaN : Number(label.dataset.age), seconds()]);
  const [age, then] = told.get(label);
  if (Number.isNaN(age)) return;
  const now = age + seconds() - then;
  const late = label.dataset.late !== "" && now > Number(label.dataset.late);
  const said = show(now, "age").text;
  const box = label.querySelector(".age");
  if (box.textContent !== said) box.textContent = said;
  if (label.classList.toggle("late", late) !== (label.querySelector(".word").textContent !== "")) {
    label.querySelector(".word").textContent = late ? "⚠ old" : "";
  }
  label.closest("[data-of]")?.classList.toggle("is-old", late);
}

export function tick() {
  for (const label of document.querySelectorAll(".as-of")) one(label);
}

tick();
setInterval(tick, 1000);

// What the admin takes from the desk: a state strip that counts its age and notices a logout.

import "./ages.js";
import "./session.js";

// Django gives a moment's two fields, date and time, one label between them.
for (const box of document.querySelectorAll("input.vDateField, input.vTimeField")) {
  if (box.labels.length || box.ariaLabel) continue;
  const label = box.closest(".form-row, fieldset")?.querySelector("label, legend")?.textContent.trim().replace(/:$/, "") ?? "";
  box.ariaLabel = `${label} ${box.classList.contains("vDateField") ? "date" : "time"}`.trim();
}

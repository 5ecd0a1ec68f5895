"use strict";
// Filters are an extra: without a script the whole list is there.
(() => {
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  const rows = Array.from(document.querySelectorAll("tr.row"));
  const matches = (row, arm, status, text) =>
    (!arm || row.dataset.arm === arm) &&
    (!status || (status === "near" ? row.dataset.near === "yes" : row.dataset.status === status)) &&
    (!text || row.textContent.toLowerCase().includes(text));
  const filter = () => {
    const text = form.elements.text.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = !matches(row, form.elements.arm.value, form.elements.status.value, text);
      if (!row.hidden) count += 1;
    }
    shown.textContent = `${count} of ${rows.length} shown`;
  };
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
  // a closed section is not printed by every browser
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = Array.from(document.querySelectorAll("details:not([open])"));
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
})();

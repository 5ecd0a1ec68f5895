"use strict";
// Filters are an extra: without a script the whole list is there.
(() => {
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  const rows = Array.from(document.querySelectorAll("tr.row"));
  const patientOf = (row) => {
    const link = row.querySelector("a");
    return link && document.getElementById(link.hash.slice(1));
  };
  const matches = (row, arm, status, text) =>
    (!arm || row.dataset.arm === arm) &&
    (!status || (status === "near" ? row.dataset.near === "yes" : row.dataset.status === status)) &&
    (!text || row.textContent.toLowerCase().includes(text));
  const filter = () => {
    const [arm, status] = [form.elements.arm, form.elements.status];
    const text = form.elements.text.value.trim();
    let count = 0;
    for (const row of rows) {
      row.hidden = !matches(row, arm.value, status.value, text.toLowerCase());
      if (!row.hidden) count += 1;
      const patient = patientOf(row);
      if (patient) patient.hidden = row.hidden;
    }
    const asked = [arm, status].filter((one) => one.value).map((one) => one.selectedOptions[0].text);
    if (text) asked.push(`"${text}"`);
    shown.textContent = `${count} of ${rows.length} shown${asked.length ? `: ${asked.join(", ")}` : ""}`;
    // what is printed says that it is a part
    shown.classList.toggle("part", asked.length > 0);
  };
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  filter();
  // a closed section is not printed by every browser
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = Array.from(document.querySelectorAll("details:not([open])"));
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
})();

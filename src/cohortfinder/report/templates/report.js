"use strict";
// Filters are an extra: without a script the whole list is there.
(() => {
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  const bodies = Array.from(document.querySelectorAll(".list tbody"));
  // what may be asked of a row is read once: to read 5,000 of them again at each letter takes too long
  const rows = [];
  const read = () => {
    for (const body of bodies) {
      for (const element of body.querySelectorAll("tr[data-arm]")) {
        rows.push({
          body,
          element,
          arm: element.dataset.arm,
          status: element.className,
          near: "near" in element.dataset,
          text: element.textContent.toLowerCase(),
          patient: document.getElementById(`p${rows.length + 1}`),
        });
      }
    }
  };
  const matches = (row, arm, status, text) =>
    (!arm || row.arm === arm) &&
    (!status || (status === "near" ? row.near : row.status === status)) &&
    (!text || row.text.includes(text));
  const show = (element, yes) => { if (element && element.hidden === yes) element.hidden = !yes; };
  const filter = () => {
    const { arm, status, first } = form.elements;
    const text = form.elements.text.value.trim();
    const most = Number(first.value) || Infinity;
    const kept = new Map(bodies.map((body) => [body, 0]));
    let count = 0;
    for (const row of rows) {
      const yes = count < most && matches(row, arm.value, status.value, text.toLowerCase());
      show(row.element, yes);
      show(row.patient, yes);
      if (yes) { count += 1; kept.set(row.body, kept.get(row.body) + 1); }
    }
    // a stretch that is not drawn yet is as high as its rows
    for (const [body, number] of kept) { show(body, number > 0); body.style.setProperty("--rows", number); }
    const asked = [arm, status, first].filter((one) => one.value).map((one) => one.selectedOptions[0].text);
    if (text) asked.push(`"${text}"`);
    shown.textContent = `${count} of ${rows.length} shown${asked.length ? `: ${asked.join(", ")}` : ""}`;
    // what is printed says that it is a part
    shown.classList.toggle("part", asked.length > 0);
  };
  read();
  if (rows.length) {
    form.hidden = false;
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(filter));
    filter();
  }
  // a closed group is text until somebody looks into it, see patients.html.jinja
  const fill = (group) => {
    const kept = group.querySelector(":scope > noscript");
    if (kept) {
      kept.insertAdjacentHTML("afterend", kept.textContent);
      kept.remove();
    }
  };
  document.addEventListener("toggle", (event) => fill(event.target), true);
  // a closed section is not printed by every browser
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = Array.from(document.querySelectorAll("details:not([open])")).filter((one) => !one.closest("[hidden]"));
    for (const one of closed) { fill(one); one.open = true; }
  });
  addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
})();

"use strict";
// Keys are an extra: every page works without a script, and each key does what a link or a button does.
(() => {
  const SWITCH = "cohortfinder-keys";
  const ADVANCE = "cohortfinder-advance";
  const dialog = document.getElementById("keys");
  const kept = (store, name, value) => {
    // a browser may keep nothing; then keys are on
    try {
      if (value === undefined) return store.getItem(name);
      if (value === null) store.removeItem(name);
      else store.setItem(name, value);
    } catch { /* nothing is kept */ }
    return null;
  };
  const on = () => kept(localStorage, SWITCH) !== "off";

  const visible = (element) => element.checkVisibility ? element.checkVisibility() : element.offsetParent !== null;
  const items = () => Array.from(document.querySelectorAll("[data-criterion], [data-row]")).filter(visible);
  const isRow = (item) => item.hasAttribute("data-row");
  // the row or criterion in which the focus is
  const current = () => document.activeElement?.closest("[data-criterion], [data-row]") ?? null;
  const mark = (item) => {
    for (const one of document.querySelectorAll("[data-row].here")) one.classList.remove("here");
    if (isRow(item)) item.classList.add("here");
  };
  const goTo = (item) => {
    if (!item) return;
    mark(item);
    const target = isRow(item) ? item.querySelector("th a") : item;
    target.focus({ preventScroll: true });
    item.scrollIntoView({ block: isRow(item) ? "nearest" : "center" });
  };
  const step = (by) => {
    const all = items();
    const here = all.indexOf(current());
    goTo(here < 0 ? all[by > 0 ? 0 : all.length - 1] : all[Math.min(all.length - 1, Math.max(0, here + by))]);
  };
  const follow = (selector) => document.querySelector(selector)?.click();
  const focusOn = (selector) => {
    const field = document.querySelector(selector);
    if (!field) return;
    field.focus();
    field.scrollIntoView({ block: "center" });
  };
  const answer = (key) => {
    const item = current() ?? items()[0];
    const button = item?.querySelector(`button[data-key="${key}"]`);
    if (!button) return;
    // after the page is there again, the next criterion has its turn
    kept(sessionStorage, ADVANCE, item.id);
    button.click();
  };
  const noteOfAnswer = () => {
    const details = current()?.querySelector("details.with-note");
    if (!details) return;
    details.open = true;
    details.querySelector("textarea").focus();
  };
  const help = () => dialog?.showModal();

  const KEYS = {
    j: () => step(1),
    k: () => step(-1),
    y: () => answer("y"),
    n: () => answer("n"),
    u: () => answer("u"),
    m: noteOfAnswer,
    l: () => follow('[data-go="next"], .pages [rel="next"]'),
    h: () => follow('[data-go="prev"], .pages [rel="prev"]'),
    b: () => follow('[data-go="back"]'),
    d: () => focusOn("#state"),
    t: () => focusOn("#note"),
    "/": () => focusOn('input[type="search"]'),
    "?": help,
  };
  const typing = (element) =>
    element.closest("textarea, select, [contenteditable]") || element.matches('input:not([type="checkbox"])');

  document.addEventListener("keydown", (event) => {
    const target = event.target instanceof Element ? event.target : document.body;
    if (event.key === "Enter" && event.ctrlKey && target.form) {
      // what is written with an answer goes with the answer that is chosen
      const pressed = target.form.querySelector('button[aria-pressed="true"]');
      if (pressed) pressed.click();
      else if (!target.form.matches(".answer")) target.form.requestSubmit();
      return;
    }
    if (event.key === "Escape" && typing(target)) {
      (target.closest("[data-criterion]") ?? document.getElementById("main")).focus();
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || typing(target) || dialog?.open) return;
    const act = KEYS[event.key];
    if (!act || !(on() || event.key === "?")) return;
    event.preventDefault();
    act();
  });
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-row]");
    if (row) mark(row);
  });

  // help, and the switch that turns keys off
  const button = document.querySelector("[data-keys]");
  if (button && dialog) {
    button.hidden = false;
    button.addEventListener("click", help);
    const box = document.getElementById("keys-on");
    box.checked = on();
    box.addEventListener("change", () => kept(localStorage, SWITCH, box.checked ? null : "off"));
  }

  // what is sent is sent once
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
  });
  // a page that comes back from the memory of the browser may be sent again
  addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });

  // an answer was given by key: its criterion may stand in another group now, the next open one has its turn
  const opened = (id) => {
    const item = id ? document.getElementById(id) : null;
    const group = item?.closest("details.group");
    if (group) group.open = true;
    return item;
  };
  const given = kept(sessionStorage, ADVANCE);
  const item = opened(given || decodeURIComponent(location.hash.slice(1)));
  if (item?.hasAttribute("data-criterion")) {
    const all = items();
    const next = given ? all[all.indexOf(item) + 1] : item;
    kept(sessionStorage, ADVANCE, null);
    const target = next ?? item;
    // the browser itself goes where the address says, and does so later than this
    history.replaceState(null, "", `#${target.id}`);
    let touched = false;
    for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, () => { touched = true; }, { once: true });
    goTo(target);
    addEventListener("load", () => setTimeout(() => { if (!touched) goTo(target); }));
  }

  // a closed section is not printed by every browser
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = Array.from(document.querySelectorAll("details.group:not([open])"));
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
})();

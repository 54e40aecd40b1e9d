// Pages work without this file. With it, forms marked data-swap answer in place, the search box suggests words, sliders
// and number fields move together, a pasted row from a spreadsheet fills a form, and drafts survive a closed tab.
"use strict";

const busy = new WeakMap();

async function swap(form) {
  const target = document.querySelector(form.dataset.swap);
  if (!target) { form.submit(); return; }
  busy.get(form)?.abort();
  const abort = new AbortController();
  busy.set(form, abort);
  target.classList.add("working");
  target.setAttribute("aria-busy", "true");
  const data = new URLSearchParams(new FormData(form));
  const get = form.method.toLowerCase() === "get";
  const url = get ? form.action.split("?")[0] + "?" + data : form.action;
  try {
    const answer = await fetch(url, { method: get ? "GET" : "POST", body: get ? null : data, headers: { "X-Partial": "1" }, signal: abort.signal });
    target.innerHTML = await answer.text();
    follow(target);
    if (get) history.replaceState(null, "", url);
  } catch (wrong) {
    if (wrong.name !== "AbortError") { form.removeAttribute("data-swap"); form.submit(); return; }
    return;
  } finally {
    if (busy.get(form) === abort) { target.classList.remove("working"); target.removeAttribute("aria-busy"); }
  }
}

// A job that runs is asked for again until it has ended; without this file its page reloads itself.
function follow(target) {
  const open = target.querySelector("[data-poll]");
  if (!open) { return; }
  setTimeout(async () => {
    if (!target.contains(open)) { return; }
    try {
      const answer = await fetch(open.dataset.poll, { headers: { "X-Partial": "1" } });
      if (target.contains(open)) { target.innerHTML = await answer.text(); }
    } catch { /* the line was away for a moment */ }
    follow(target);
  }, 1500);
}
document.querySelectorAll("#answer").forEach(follow);

document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-swap]")) { event.preventDefault(); swap(event.target); }
});

// A link to a part that is folded away unfolds it; browsers that do so themselves lose nothing.
function unfold() {
  const aim = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const part = aim && aim.closest("details:not([open])");
  if (part) { part.open = true; aim.scrollIntoView(); }
}
addEventListener("hashchange", unfold);
unfold();

// A slider and its number field hold one value.
let waiting;
document.addEventListener("input", (event) => {
  const twin = event.target.dataset.twin && document.getElementById(event.target.dataset.twin);
  if (twin) { twin.value = event.target.value; }
  const form = event.target.closest("form[data-live]");
  if (form) { clearTimeout(waiting); waiting = setTimeout(() => swap(form), 150); }
});

// Words while somebody types into the search box: a combobox with a listbox under it. Nothing is asked while an input
// method composes, the box keeps the focus, and an answer that is not wanted any more is given up before the next is asked.
const QUIET_MS = 150, REST_S = 30, MOST_KEPT = 50;

class Suggestions {
  constructor(form) {
    this.form = form;
    this.box = form.querySelector("[name=q]");
    this.kept = new Map();
    this.at = -1;
    this.restsUntil = 0;
    this.list = document.createElement("ul");
    this.list.id = this.box.id + "-suggestions";
    this.list.className = "suggestions";
    this.list.hidden = true;
    this.said = document.createElement("span");
    this.said.className = "hidden-label";
    const roles = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": this.list.id };
    for (const [name, value] of Object.entries(roles)) { this.box.setAttribute(name, value); }
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", form.dataset.label);
    this.said.setAttribute("role", "status");
    form.append(this.list, this.said);
    this.listen();
  }

  listen() {
    const { box, list } = this;
    box.addEventListener("compositionstart", () => { this.composing = true; this.close(); });
    box.addEventListener("compositionend", () => { this.composing = false; this.soon(); });
    box.addEventListener("input", (event) => { if (!this.composing && !event.isComposing) { this.soon(); } });
    box.addEventListener("keydown", (event) => { if (!this.composing && !event.isComposing) { this.key(event); } });
    box.addEventListener("blur", () => this.close());
    this.form.addEventListener("submit", () => this.close());
    // Pressing an option must not take the focus, or the list would be gone before the finger is up.
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => this.choose(event.target.closest("[role=option]")));
  }

  key(event) {
    const open = !this.list.hidden, options = this.list.children;
    if (event.key === "Escape" && open) {
      this.close();
    } else if (event.key === "Enter" && this.at >= 0) {
      this.choose(options[this.at]);
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && open) {
      // One place more than options: past either end the choice is again what was typed.
      const places = options.length + 1, step = event.key === "ArrowDown" ? 1 : -1;
      this.point((this.at + 1 + step + places) % places - 1);
    } else if (event.key === "ArrowDown") {
      this.soon();
    } else {
      if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) { this.point(-1); }
      return;
    }
    event.preventDefault();
  }

  typed() { return this.box.value.trim(); }

  soon() {
    this.giveUp();
    this.point(-1);
    if (!this.typed()) { this.close(); return; }
    this.timer = setTimeout(() => this.ask(), this.kept.has(this.typed()) ? 0 : QUIET_MS);
  }

  giveUp() {
    clearTimeout(this.timer);
    this.asked?.abort();
    this.asked = null;
  }

  async ask() {
    this.giveUp();
    const text = this.typed();
    if (this.kept.has(text)) { this.show(text, this.kept.get(text)); return; }
    if (!text || Date.now() < this.restsUntil) { this.close(); return; }
    const abort = this.asked = new AbortController();
    let items = [];
    try {
      const answer = await fetch(this.form.dataset.suggest + "?" + new URLSearchParams({ q: text }), { signal: abort.signal });
      if (answer.ok) { items = (await answer.json()).items; this.keep(text, items); }
      if (answer.status === 429 || answer.status === 503) { this.rest(answer.headers.get("Retry-After")); }
    } catch { /* given up, or the line was away for a moment */ }
    if (this.asked === abort) { this.asked = null; this.show(text, items); }
  }

  rest(seconds) { this.restsUntil = Date.now() + 1000 * Math.max(REST_S, Number(seconds) || 0); }

  keep(text, items) {
    if (this.kept.size >= MOST_KEPT) { this.kept.delete(this.kept.keys().next().value); }
    this.kept.set(text, items);
  }

  show(text, items) {
    if (!items.length || document.activeElement !== this.box) { this.close(); return; }
    const chosen = this.list.children[this.at]?.dataset.text;
    this.list.replaceChildren(...items.map((item, place) => this.option(text, item, place)));
    this.point(items.findIndex((item) => item.text === chosen));
    this.list.hidden = false;
    this.box.setAttribute("aria-expanded", "true");
    this.said.textContent = this.form.dataset.said.replace("{n}", items.length);
  }

  option(text, item, place) {
    const option = document.createElement("li"), words = document.createElement("span"), kind = document.createElement("small");
    const same = item.text.toLowerCase().startsWith(text.toLowerCase()) ? text.length : 0;
    const typed = document.createElement("mark");
    typed.textContent = item.text.slice(0, same);
    words.append(...(same ? [typed] : []), item.text.slice(same));
    kind.textContent = this.form.dataset[item.type] || "";
    option.append(words, " ", kind);
    option.id = this.list.id + "-" + place;
    option.dataset.text = item.text;
    option.setAttribute("role", "option");
    return option;
  }

  point(place) {
    this.at = place;
    [...this.list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === place)));
    const option = this.list.children[place];
    if (!option) { this.box.removeAttribute("aria-activedescendant"); return; }
    this.box.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  choose(option) {
    if (!option) { return; }
    this.box.value = option.dataset.text;
    this.close();
    this.form.submit();
  }

  close() {
    this.giveUp();
    this.point(-1);
    this.list.hidden = true;
    this.box.setAttribute("aria-expanded", "false");
    this.said.textContent = "";
  }
}
document.querySelectorAll("form[data-suggest]").forEach((form) => new Suggestions(form));

// One row copied from a spreadsheet: values in the order of the fields, or two rows with the names first.
document.addEventListener("paste", (event) => {
  if (!event.target.matches("[data-paste-row]")) { return; }
  const text = (event.clipboardData || window.clipboardData).getData("text");
  const rows = text.trim().split(/\r?\n/).map((row) => row.split("\t"));
  const form = event.target.closest("form");
  const fields = [...form.querySelectorAll("[data-feature]")];
  if (!rows.length || rows[0].length < 2) { return; }
  event.preventDefault();
  const names = rows.length > 1 ? rows[0].map((name) => name.trim()) : null;
  const values = rows[rows.length - 1];
  let filled = 0;
  fields.forEach((field, place) => {
    const at = names ? names.findIndex((name) => name === field.dataset.feature || name === field.dataset.title) : place;
    if (at >= 0 && values[at] !== undefined && values[at].trim() !== "") { field.value = values[at].trim().replace(/,/g, ""); filled += 1; }
  });
  event.target.value = "";
  const said = form.querySelector("[data-paste-said]");
  if (said) { said.textContent = said.dataset.pasteSaid.replace("{n}", filled); }
});

// Drafts of forms with an id, kept in this browser only.
for (const form of document.querySelectorAll("form[data-draft]")) {
  const name = "draft:" + form.dataset.draft;
  try {
    const kept = JSON.parse(localStorage.getItem(name) || "{}");
    for (const field of form.elements) { if (field.name && field.name in kept && !field.value) { field.value = kept[field.name]; } }
    form.addEventListener("input", () => localStorage.setItem(name, JSON.stringify(Object.fromEntries(new FormData(form)))));
    form.addEventListener("submit", () => localStorage.removeItem(name));
  } catch { /* storage may be switched off: the form still works */ }
}

// Facets: open beside the results on a wide screen, one button on a phone.
const facets = document.querySelector("details.facets");
if (facets && matchMedia("(min-width: 960px)").matches) { facets.open = true; }

// Work on own data: its events move the bar, and the page is loaded anew once it has ended. Where no events come
// (another machine serves them, or the line is cut), the page asks every few seconds.
const work = document.querySelector("[data-job]");
if (work && (work.dataset.state === "queued" || work.dataset.state === "running")) {
  const open = new Set(["queued", "running"]);
  const speech = document.documentElement.lang.startsWith("en") ? 1 : 0;
  const show = (job) => {
    if (!open.has(job.state)) { location.reload(); return; }
    work.querySelector("strong").textContent = work.dataset[job.state];
    work.querySelector("progress").value = 100 * job.progress;
    work.querySelector(".number").textContent = Math.round(100 * job.progress) + " %";
    const sides = (job.message || "").split(" / ");
    work.querySelector("[data-said]").textContent = sides.length === 2 ? sides[speech] : job.message;
  };
  const ask = async () => {
    try {
      const answer = await fetch("/jobs/" + work.dataset.job, { headers: { "X-Partial": "1" } });
      const box = document.createElement("div");
      box.innerHTML = await answer.text();
      const now = box.querySelector("[data-job]");
      if (now && !open.has(now.dataset.state)) { location.reload(); return; }
      if (now) { work.replaceChildren(...now.children); }
    } catch { /* the line was away for a moment */ }
    setTimeout(ask, 3000);
  };
  const events = new EventSource("/jobs/" + work.dataset.job + "/events");
  events.addEventListener("job", (event) => show(JSON.parse(event.data)));
  events.onerror = () => { events.close(); setTimeout(ask, 1500); };
}

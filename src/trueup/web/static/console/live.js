// The list of events as it grows. The stream sends rows as the list has them; console.js looks every five seconds where
// there is no stream. Paused, rows are held back and counted.
const one = (selector, root = document) => root.querySelector(selector);
const body = document.body;
const KEPT = 50;
const RETRY = 30000;
let source = null;
let address = "";
let broken = 0;
let held = new Map();
let dropped = false;
let told = 0;
let rest = 0;

const paused = () => body.hasAttribute("data-paused");

function showHeld() {
  const label = one("[data-held]");
  const number = held.size;
  if (!label) return;
  const many = dropped ? `${KEPT}+` : number;
  label.textContent = number === 0 ? label.dataset.none : number === 1 ? label.dataset.one : label.dataset.many.replace("%s", many);
}

function reload() {
  const ticker = one("[data-live]");
  held.clear();
  dropped = false;
  showHeld();
  if (ticker && window.htmx) window.htmx.trigger(ticker, "tick");
}

function rowOf(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content.querySelector("tr");
}

function put({ key, html }, { fresh = true } = {}) {
  const table = one("#list tbody");
  // The first row of an empty list brings its table with it.
  if (!table) { reload(); return; }
  const row = rowOf(html);
  const known = document.getElementById(key);
  if (known) {
    const focused = known.contains(document.activeElement) ? document.activeElement.id : "";
    // What came a moment ago is still new when it has been folded.
    row.classList.toggle("is-new", known.classList.contains("is-new"));
    known.replaceWith(row);
    if (focused) document.getElementById(focused)?.focus();
  } else if (fresh) {
    row.classList.add("is-new");
    table.prepend(row);
    told += 1;
    while (table.rows.length > KEPT) table.rows[table.rows.length - 1].remove();
  }
  window.htmx?.process(row);
}

function take(message) {
  if (!paused()) { put(message); return; }
  if (document.getElementById(message.key)) { put(message, { fresh: false }); return; }
  held.set(message.key, message);
  if (held.size > KEPT) { held.delete(held.keys().next().value); dropped = true; }
  showHeld();
}

function figures({ html }) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const place = one("#figures");
  const fresh = holder.content.firstElementChild;
  if (place && fresh) { place.replaceWith(fresh); window.htmx?.process(fresh); }
}

function close() {
  source?.close();
  source = null;
  body.removeAttribute("data-streaming");
}

function open() {
  const place = one("[data-tail]");
  const wanted = place?.dataset.tail ?? "";
  if (source && wanted === address) return;
  close();
  held.clear();
  dropped = false;
  showHeld();
  address = wanted;
  if (!wanted || !window.EventSource || Date.now() < rest) return;
  source = new EventSource(wanted);
  const mine = source;
  const on = (name, then) => source.addEventListener(name, (event) => { if (mine === source) then(JSON.parse(event.data)); });
  source.addEventListener("open", () => {
    broken = 0;
    body.toggleAttribute("data-streaming", true);
    one(".live")?.removeAttribute("data-offline");
  });
  source.addEventListener("error", () => {
    if (mine !== source) return;
    body.removeAttribute("data-streaming");
    broken += 1;
    // The browser tries again by itself; refused for good it does not, and then the list is asked for every five seconds.
    if (source.readyState === EventSource.CLOSED || broken > 3) { close(); address = ""; rest = Date.now() + RETRY; setTimeout(open, RETRY + 1); }
  });
  on("row", take);
  on("gone", ({ key }) => { held.delete(key); document.getElementById(key)?.remove(); showHeld(); });
  on("figures", figures);
  on("reload", () => { if (paused()) dropped = true; else reload(); });
  on("over", () => { close(); location.reload(); });
}

// What resuming brings: the rows that were held back, or the whole list where there were too many.
new MutationObserver(() => {
  if (paused()) return;
  if (dropped) reload();
  else { for (const message of held.values()) put(message); held.clear(); showHeld(); }
}).observe(body, { attributes: true, attributeFilter: ["data-paused"] });

// Said at most every ten seconds, as a number: nobody wants rows read out as they come.
setInterval(() => {
  if (told) one("#say").textContent = one("#say").dataset.fresh.replace("%s", told);
  told = 0;
}, 10000);

document.addEventListener("htmx:afterSettle", (event) => { if (event.detail.target?.id === "list") open(); });
window.addEventListener("pagehide", close);
window.addEventListener("pageshow", (event) => { if (event.persisted) { address = ""; reload(); open(); } });
open();

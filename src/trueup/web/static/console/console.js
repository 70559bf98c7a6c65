// The console's behaviour beyond htmx. Runs under `script-src 'self'`: no inline handlers, no eval, no style attributes.
// Every page reads and navigates without this file; what needs it is marked `.js-only` in the templates.
const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const root = document.documentElement;
const YEAR = 31536000;

function remember(name, value) {
  const secure = location.protocol === "https:" ? ";secure" : "";
  document.cookie = `${name}=${encodeURIComponent(value)};path=/;max-age=${value ? YEAR : 0};samesite=lax${secure}`;
}

function say(text) { one("#say").textContent = text; }

// The server writes times in the reader's zone; it learns the zone from this cookie.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`tz=${encodeURIComponent(zone)}`)) remember("tz", zone);

// --- Preferences ----------------------------------------------------------------------------------------------------
const darkNow = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
const keysOn = () => root.dataset.keys !== "off";

function showPreferences() {
  for (const [name, on] of [["theme", darkNow()], ["density", root.dataset.density === "compact"], ["keys", keysOn()]]) {
    for (const button of all(`[data-act=${name}]`)) {
      button.setAttribute("aria-pressed", on);
      const state = one(".state", button);
      if (state) state.textContent = on ? button.dataset.on : button.dataset.off;
    }
  }
}

// --- Copying --------------------------------------------------------------------------------------------------------
async function copy(button) {
  const text = button.dataset.copy ?? one(button.dataset.copyFrom).textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Plain http beyond loopback has no clipboard API; the old command still works from a click.
    const area = Object.assign(document.createElement("textarea"), { value: text, className: "sr" });
    (button.closest("dialog") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.toggleAttribute("data-copied", true);
  say(one("#say").dataset.copied);
  setTimeout(() => button.removeAttribute("data-copied"), 1600);
}

// --- Actions: <button data-act="name"> --------------------------------------------------------------------------------
const acts = {
  theme() { root.dataset.theme = darkNow() ? "light" : "dark"; remember("theme", root.dataset.theme); showPreferences(); },
  density() {
    const compact = root.dataset.density !== "compact";
    if (compact) root.dataset.density = "compact"; else delete root.dataset.density;
    remember("density", compact ? "compact" : "");
    showPreferences();
  },
  keys() { root.dataset.keys = keysOn() ? "off" : "on"; remember("keys", keysOn() ? "" : "off"); showPreferences(); },
  menu() { setMenu(!document.body.hasAttribute("data-menu")); },
  palette() { openPalette(); },
  close(button) { button.closest("dialog").close(); },
  dismiss(button) { button.closest(".alert").replaceChildren(); },
  pause(button) {
    const paused = document.body.toggleAttribute("data-paused");
    button.setAttribute("aria-pressed", paused);
    if (!paused) tick();
  },
  copy,
};

function setMenu(open) {
  document.body.toggleAttribute("data-menu", open);
  const button = one("[data-act=menu]");
  button.setAttribute("aria-expanded", open);
  if (open) one(".side a").focus(); else button.focus();
}

function openPalette() {
  const dialog = one("#palette");
  if (!dialog || dialog.open || one("dialog[open]")) return;
  dialog.showModal();
  one("input", dialog).select();
}

document.addEventListener("click", (event) => {
  // A click with a modifier opens a new tab: htmx must not see it.
  if (event.target.closest("a[href]") && (event.ctrlKey || event.metaKey || event.shiftKey)) { event.stopPropagation(); return; }
  const button = event.target.closest("[data-act]");
  if (button) { event.preventDefault(); acts[button.dataset.act](button); return; }
  if (event.target.matches("dialog")) { event.target.close(); return; }
  if (document.body.hasAttribute("data-menu") && !event.target.closest(".side")) { setMenu(false); return; }
  // A click anywhere in a row follows the row's link, unless it hit something of its own or text was being selected.
  const row = event.target.closest("tr[data-href]");
  if (row && !event.target.closest("a, button, input, summary") && !getSelection().toString()) one("a[data-row]", row).click();
}, true);

// --- Choosing rows: with shift all between, with the box in the heading all of the page, with `x` the row in focus -------
let lastPick = null;

function showPicked() {
  const boxes = all("input[data-pick]");
  const number = boxes.filter((box) => box.checked).length;
  const told = one("[data-picked]");
  if (told) told.textContent = number === 1 ? told.dataset.one : told.dataset.many.replace("%s", number);
  const whole = one("[data-pick-all]");
  if (whole) { whole.checked = number > 0 && number === boxes.length; whole.indeterminate = number > 0 && number < boxes.length; }
}

function pick(box, range) {
  const boxes = all("input[data-pick]");
  const from = boxes.indexOf(lastPick);
  if (range && from >= 0) {
    const [a, b] = [from, boxes.indexOf(box)].sort((x, y) => x - y);
    for (const between of boxes.slice(a, b + 1)) between.checked = box.checked;
  }
  lastPick = box;
  showPicked();
}

document.addEventListener("click", (event) => {
  if (event.target.matches("[data-pick]")) pick(event.target, event.shiftKey);
  else if (event.target.matches("[data-pick-all]")) { for (const box of all("input[data-pick]")) box.checked = event.target.checked; showPicked(); }
  for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
acts.unpick = () => { for (const box of all("input[data-pick]")) box.checked = false; showPicked(); };
document.addEventListener("htmx:afterSwap", showPicked);

// --- Keyboard ---------------------------------------------------------------------------------------------------------
let leader = 0;

function step(by) {
  const rows = all("[data-row]");
  if (!rows.length) return;
  const here = rows.indexOf(document.activeElement);
  const next = rows[Math.min(rows.length - 1, Math.max(0, here + by))];
  next.focus();
  next.closest("tr, li")?.scrollIntoView({ block: "nearest" });
}

// Which key does what is said by the server, in the table that the page of help shows as well.
const shortcuts = JSON.parse(one("meta[name=shortcuts]")?.content ?? "{}");
const moves = {
  palette(event) { event.preventDefault(); openPalette(); },
  search(event) {
    const field = one("[data-focus=search]");
    event.preventDefault();
    if (field) { field.focus(); field.select(); } else openPalette();
  },
  next() { step(1); },
  previous() { step(-1); },
  pick(event) {
    const box = one("input[data-pick]", document.activeElement.closest("tr") ?? document.createElement("tr"));
    if (box) { box.checked = !box.checked; pick(box, event.shiftKey); }
  },
  go() { leader = Date.now(); },
  help(event) { event.preventDefault(); one("a[data-help]").click(); },
};

document.addEventListener("keydown", (event) => {
  if ((event.metaKey || event.ctrlKey) && shortcuts[`Control+${event.key.toLowerCase()}`]) {
    moves[shortcuts[`Control+${event.key.toLowerCase()}`]](event);
    return;
  }
  if (event.key === "Escape") {
    const menu = event.target.closest("details.menu[open]");
    if (menu) { menu.open = false; one("summary", menu).focus(); return; }
    if (document.body.hasAttribute("data-menu")) setMenu(false);
    else if (event.target.matches("[data-focus=search]")) event.target.blur();
    return;
  }
  const palette = event.target.closest("#palette");
  if (palette) {
    const stops = [one("input", palette), ...all("a.hit", palette)];
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) { event.preventDefault(); stops[(stops.indexOf(document.activeElement) + by + stops.length) % stops.length].focus(); }
    if (event.key === "Enter" && event.target.matches("input") && stops[1]) { event.preventDefault(); stops[1].click(); }
    return;
  }
  if (!keysOn() || event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
  if (event.target.closest("input:not([data-pick]), textarea, select, [contenteditable]")) return;
  if (Date.now() - leader < 1200) {
    leader = 0;
    const link = one(`.side a[data-key="${CSS.escape(event.key)}"]`);
    if (link) { event.preventDefault(); link.click(); return; }
  }
  moves[shortcuts[event.key]]?.(event);
});

// --- Drawers and failures ---------------------------------------------------------------------------------------------
document.addEventListener("htmx:afterSwap", (event) => {
  const drawer = event.detail.target.closest("dialog.drawer");
  if (drawer && !drawer.open) { drawer.showModal(); drawer.scrollTop = 0; }
});

function alertWith(text) {
  const place = one("#alert");
  const words = Object.assign(document.createElement("p"), { textContent: text });
  const box = Object.assign(document.createElement("div"), { className: "callout bad" });
  box.append(words);
  place.replaceChildren(box);
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, isError } = event.detail;
  if (!isError) return;
  // Our own error fragment is shown in place of the alert; a proxy's page is not ours to show.
  if (xhr.getResponseHeader("X-Fragment") === "error") {
    event.detail.shouldSwap = true;
    event.detail.target = one("#alert");
    event.detail.swapOverride = "innerHTML";
    event.detail.isError = false;
  } else if (xhr.status !== 401) {
    alertWith(one("#alert").dataset.failed);
  }
});
document.addEventListener("htmx:sendError", () => { one(".live")?.toggleAttribute("data-offline", true); alertWith(one("#alert").dataset.offline); });
document.addEventListener("htmx:afterOnLoad", (event) => {
  if (!event.detail.xhr || event.detail.xhr.status >= 400) return;
  one(".live")?.removeAttribute("data-offline");
  one("#alert").replaceChildren();
});

// --- Live lists: the element with data-live gets a `tick` event every five seconds while someone can see it ---------------
let known = new Set();

const idle = () => document.hidden || document.body.hasAttribute("data-paused") || document.body.hasAttribute("data-streaming") || one("dialog[open], #truth details[open], #list .ask[open]") || getSelection().toString();

function tick() {
  const ticker = one("[data-live]");
  if (!ticker || idle()) return;
  known = new Set(all("#list tr[id], #list li[id]").map((row) => row.id));
  htmx.trigger(ticker, "tick");
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (!event.detail.requestConfig || event.detail.requestConfig.triggeringEvent?.type !== "tick") return;
  const fresh = all("#list tr[id], #list li[id]").filter((row) => !known.has(row.id));
  for (const row of fresh) row.classList.add("is-new");
  if (fresh.length) say(one("#say").dataset.fresh.replace("%s", fresh.length));
});

setInterval(tick, 5000);
showPreferences();

// Where not all tabs are seen at once, there is a hint of the rest, and the one that is open is seen.
for (const row of document.querySelectorAll(".tabs")) {
  row.classList.toggle("is-cut", row.scrollWidth > row.clientWidth + 1);
  const at = one("[aria-current]", row)?.getBoundingClientRect(), seen = row.getBoundingClientRect();
  if (at && at.right > seen.right - 28) row.scrollLeft += at.left - seen.left - (seen.width - at.width) / 2;
}

// Charts: pointing at a column, or the arrow keys, read out what stands there. The words come from the chart's own table.
const said = document.querySelector("#say");

function showPlace(chart, at) {
  const rows = chart.querySelectorAll("tbody tr");
  const hits = chart.querySelectorAll("[data-at]");
  const tip = chart.querySelector(".tip");
  hits.forEach((hit, place) => hit.toggleAttribute("data-on", place === at));
  chart.dataset.place = at;
  if (at < 0 || !rows[at]) { tip.hidden = true; return ""; }
  const heads = [...chart.querySelectorAll("thead th")].slice(1).map((head) => head.textContent);
  const [name, ...values] = [...rows[at].children].map((cell) => cell.textContent);
  const text = `${name}: ${values.map((value, place) => (heads.length > 1 ? `${heads[place]} ${value}` : value)).join(" · ")}`;
  tip.textContent = text;
  tip.hidden = false;
  const area = tip.parentElement.getBoundingClientRect();
  const hit = hits[at].getBoundingClientRect();
  const middle = hit.left + hit.width / 2 - area.left - tip.offsetWidth / 2;
  tip.style.left = `${Math.max(0, Math.min(middle, area.width - tip.offsetWidth))}px`;
  return text;
}

document.addEventListener("pointermove", (event) => {
  const hit = event.target.closest?.("[data-at]");
  const chart = event.target.closest?.("[data-chart]");
  for (const other of document.querySelectorAll("[data-chart]")) if (other !== chart && !other.contains(document.activeElement)) showPlace(other, -1);
  if (hit) showPlace(chart, [...chart.querySelectorAll("[data-at]")].indexOf(hit));
});

document.addEventListener("keydown", (event) => {
  const plot = event.target.closest?.("[data-chart] .plot");
  if (!plot || event.ctrlKey || event.metaKey || event.altKey) return;
  const chart = plot.closest("[data-chart]");
  const last = chart.querySelectorAll("[data-at]").length - 1;
  const now = Number(chart.dataset.place ?? -1);
  const to = { ArrowRight: Math.min(now + 1, last), ArrowLeft: Math.max(now - 1, 0), Home: 0, End: last }[event.key];
  if (event.key === "Escape") showPlace(chart, -1);
  if (to === undefined) return;
  event.preventDefault();
  said.textContent = showPlace(chart, to);
});

document.addEventListener("focusout", (event) => {
  const chart = event.target.closest?.("[data-chart]");
  if (chart) showPlace(chart, -1);
});

// The end of a session: says so two minutes before, offers to stay, and leads to the sign-in and back when it is over.
const place = document.querySelector("#session");
// What this asks by itself keeps nobody signed in; a POST is a person's.
const TICK = { "X-Tick": "1", "X-Requested-With": "fetch" };
let timer = 0;

function later(seconds) {
  clearTimeout(timer);
  timer = setTimeout(look, Math.max(1, Math.min(seconds, 3600)) * 1000);
}

async function look() {
  let left = 0;
  try {
    // Another window may have used the session meanwhile.
    const answer = await fetch(place.dataset.url, { headers: TICK, redirect: "manual" });
    if (answer.ok) left = (await answer.json()).left;
    else if (answer.type !== "opaqueredirect" && answer.status !== 401) return later(30);
  } catch { return later(30); }
  const warning = Number(place.dataset.warning);
  if (left <= 0) return location.reload();
  place.hidden = left > warning;
  later(left > warning ? left - warning : left + 1);
}

if (place) {
  later(Number(place.dataset.left) - Number(place.dataset.warning));
  place.querySelector("button").addEventListener("click", async () => {
    const token = place.querySelector("[name=csrfmiddlewaretoken]").value;
    await fetch(place.dataset.url, { method: "POST", headers: { "X-CSRFToken": token } });
    place.hidden = true;
    look();
  });
}

// @ts-check
/** What is live now is fetched anew every few seconds, while somebody looks: the element of the same id on the page it names. */
const SECONDS = 10;

/** @param {HTMLElement} place */
async function refresh(place) {
  if (document.hidden) return;
  const answer = await fetch(place.dataset.refreshes ?? "", { credentials: "same-origin", headers: { Accept: "text/html" } });
  if (answer.redirected) location.assign(answer.url); // the class is over: its evidence, or the sign-in
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(place.id);
  if (fresh) place.replaceChildren(...fresh.childNodes);
}

for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-refreshes]"))) {
  setInterval(() => refresh(place).catch(() => {}), Number(place.dataset.seconds ?? SECONDS) * 1000);
}

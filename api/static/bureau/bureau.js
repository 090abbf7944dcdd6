// @ts-check
/** What is live now is fetched anew every few seconds, while somebody looks. */
const SECONDS = 10;

/** @param {Element} place */
async function refresh(place) {
  if (document.hidden) return;
  const answer = await fetch(place.getAttribute("data-refreshes") ?? "", { credentials: "same-origin", headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  place.replaceChildren(...page.body.children);
}

for (const place of document.querySelectorAll("[data-refreshes]")) {
  setInterval(() => refresh(place).catch(() => {}), SECONDS * 1000);
}

/** The waiting screen: the time, the countdown to the next lesson, and into the running class without a hand. */
import { Refused, call, clockWords, part, tell, view, word } from "./page.js";

const ASK_EVERY = 5000;
let offset = Date.parse(view.now) - Date.now();

function tick() {
  const now = new Date(Date.now() + offset);
  tell(part("now"), new Intl.DateTimeFormat(view.locale, { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: view.zone }).format(now));
  if (!view.next) return;
  const left = (Date.parse(view.next.starts_at) - now.getTime()) / 1000;
  part("countdown").toggleAttribute("data-due", left <= 0);
  tell(part("countdown"), left > 0 ? clockWords(left) : word("classroom.due"));
}

/** Asks which lesson runs or comes; a running one is entered at once, a changed list is loaded anew. */
async function ask() {
  try {
    const now = await call("GET", "/api/classroom/now");
    offset = Date.parse(now.now) - Date.now();
    part("line-lost").hidden = true;
    if (now.running && now.running !== view.left) location.assign(`/classroom/${now.running}`);
    else if (now.mark !== view.mark) location.reload();
  } catch (error) {
    if (error instanceof Refused && error.problem.status === 401) location.reload(); // signed out: the sign-in page says how on
    part("line-lost").hidden = false;
  }
}

setInterval(tick, 500);
setInterval(ask, ASK_EVERY);
window.addEventListener("online", ask);
tick();
ask();

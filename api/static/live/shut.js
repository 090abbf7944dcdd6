/** A lesson that cannot be entered now: loads anew when its doors open, or goes back to the waiting screen. */
import { call, comeBackAtDoors, view } from "./page.js";

const over = ["ended", "judged", "cancelled"].includes(view.state);

async function look() {
  const answer = await call("GET", "/api/classroom/now").catch(() => null);
  if (answer?.running === view.occurrence) location.reload();
}

if (over) setTimeout(() => location.assign(view.after), 30_000);
else {
  if (view.attends === "receiver") setInterval(look, 10_000);
  comeBackAtDoors();
}

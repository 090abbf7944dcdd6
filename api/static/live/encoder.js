/** The recording room's encoder in the teacher's place: choosing it, how it does, and its picture on the stage. */
import { Refused, call, part, tell, word } from "./page.js";
import { Follower } from "./source.js";

/** @typedef {{id: number, name: string, kind: string}} Choice */
/** @typedef {{id: number, name: string, state: "connecting"|"live"|"waiting"|"failed", reason: string|null, found?: {picture: string, profile: string, width: number, height: number, sound: string, sample_rate: number}}} EncoderState */

/** Fires `change` when the encoder takes the page's place or gives it back, and `live` when it begins to send. */
export class RoomEncoder extends EventTarget {
  /** The id of the encoder that sends instead of this page. @type {number|null} */ used = null;
  /** @type {EncoderState|null} */ state = null;
  /** @type {Follower} */ #follower;
  #door;

  /** @param {string} door @param {HTMLVideoElement} video the stage */
  constructor(door, video) {
    super();
    this.#door = `${door}/encoder`;
    this.#follower = new Follower(video);
    part("encoder-use").addEventListener("click", () => this.#ask("POST", { encoder: Number(part("encoder-choice").value) }));
    part("encoder-stop").addEventListener("click", () => this.#ask("DELETE"));
  }

  /** Finds out which encoders there are, and whether one sends already. */
  async open() {
    await this.#ask("GET");
  }

  /** How the encoder does, as the room tells it. @param {EncoderState|null} state */
  told(state) {
    if (this.used === null || (state && state.id !== this.used)) return;
    const began = state?.state === "live" && this.state?.state !== "live";
    this.state = state;
    this.#show();
    if (began) this.dispatchEvent(new Event("live"));
  }

  /** The class is over. */
  close() {
    this.#follower.follow("", true);
  }

  /** @param {"GET"|"POST"|"DELETE"} method @param {object} [body] */
  async #ask(method, body) {
    const [use, stop] = [part("encoder-use"), part("encoder-stop")];
    use.disabled = stop.disabled = true;
    tell(part("encoder-error"), "");
    try {
      this.#take(await call(method, this.#door, body));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (method !== "GET") tell(part("encoder-error"), error.message); // asked unasked: the page works without one
    } finally {
      use.disabled = stop.disabled = false;
    }
  }

  /** @param {{choices: Choice[], used: number|null, state: EncoderState|null}} now */
  #take(now) {
    const changed = now.used !== this.used;
    this.used = now.used;
    this.state = now.used === null ? null : now.state;
    part("encoder").hidden = now.choices.length === 0 && now.used === null;
    part("encoder-choice").replaceChildren(...now.choices.map((each) => new Option(each.name, String(each.id))));
    part("encoder-choice").closest(".field").hidden = now.choices.length < 2 || now.used !== null;
    this.#show();
    if (changed) this.dispatchEvent(new Event("change"));
    if (this.state?.state === "live") this.dispatchEvent(new Event("live"));
  }

  #show() {
    const { used, state } = this;
    part("stage").toggleAttribute("data-encoder", used !== null);
    part("encoder-use").hidden = part("encoder-hint").hidden = used !== null;
    for (const id of ["mute-sound", "mute-picture"]) part(id).hidden = used !== null; // they mute this computer
    part("encoder-stop").hidden = part("encoder-state").hidden = used === null;
    part("encoder-state").dataset.state = state?.state ?? "connecting";
    tell(part("encoder-words"), word(`encoder.state_${state?.state ?? "connecting"}`));
    tell(part("encoder-found"), state?.found ? foundWords(state.found) : state?.reason ? word(`encoder.reason_${state.reason}`) : "");
    tell(part("encoder-help"), state?.reason ? word(`encoder.hint_${state.reason}`) : "");
    this.#follower.follow(state?.state === "live" ? "lead" : "");
  }
}

/** @param {NonNullable<EncoderState["found"]>} found */
function foundWords(found) {
  const picture = word("encoder.picture", { ...found, codec: found.picture.toUpperCase() });
  if (!found.sound) return `${picture} ${word("encoder.no_sound")}`;
  return picture + word("encoder.sound", { codec: found.sound.toUpperCase(), rate: Math.round(found.sample_rate / 1000) });
}

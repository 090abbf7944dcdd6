/**
 * One media session with the relay that keeps itself alive: the common half of WHIP and WHEP.
 *
 * A single loop owns the connection. It negotiates (one POST with the offer; the relay is ICE-lite, so nothing has to trickle),
 * watches it, tries an ICE restart when the line falters, and makes a new session when that does not help.
 */
import { Refused, backoff, pause } from "./page.js";

/** @typedef {"idle"|"connecting"|"connected"|"waiting"|"reconnecting"|"refused"|"closed"} LinkState */
/** @typedef {{url: string, token: string, iceServers?: RTCIceServer[]}} Grant where to knock, and the join token */
/** @typedef {{resource: string, token: string}} Held the session's resource at the relay */

const OFFER_WITHIN = 5000; // ms a door may take to answer: a machine that lost its power does not even refuse
const CONNECT_WITHIN = 8000; // ms from the answer to the first connected state
const RESTART_WITHIN = 3500; // ms an ICE restart may take before a new session is made
const FALTER_FOR = 400; // ms of `disconnected` before we act: Chromium itself waits about 2.5 s before saying so
const WATCH_EVERY = 1000;
const FLOWS_WITHIN = 1200; // ms after an ICE restart until packets are back, where it was our line
const GIVE_UP_AFTER = 20; // watches without a packet on a line that answers: ask for a new session, 409 says that nobody sends
const MOVE_WITHIN = 15_000; // ms in which a new worker must have the room, or the link begins anew
const MOVE_SPREAD = 500; // ms over which the pages of a moved room ask for their tickets
export const MOVED = "relay-moved"; // event of the window: the room's relay changes

/** Thrown inside the loop when the relay's answer says how to go on. */
class Turned extends Error {
  /** @param {number} status @param {number} retryAfter seconds */
  constructor(status, retryAfter) {
    super(`relay answered ${status}`);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export class MediaLink extends EventTarget {
  /** @type {LinkState} */ state = "idle";
  /** @type {RTCPeerConnection|null} */ pc = null;
  /** Sessions made so far; grows with each full reconnection. */
  sessions = 0;
  /** ICE restarts that succeeded. */
  restarts = 0;
  /** @type {Held|null} */ #held = null;
  /** @type {AbortController|null} */ #stopper = null;
  /** @type {Promise<void>|null} */ #running = null;
  #packets = -1;
  #silent = 0;
  #moving = false;
  /** Begun anew while it was still leaving. */
  #again = false;

  /**
   * @param {object} options
   * @param {() => Promise<Grant>} options.grant fetches a fresh join token; called before every session
   * @param {(pc: RTCPeerConnection) => void} options.ready adds the transceivers of a new connection
   * @param {(pc: RTCPeerConnection) => Promise<number>} options.heard packets received so far
   * @param {number} options.patience watches (seconds) without a packet before the line is doubted; infinite where silence is usual
   */
  constructor({ grant, ready, heard, patience }) {
    super();
    this.grant = grant;
    this.ready = ready;
    this.heard = heard;
    this.patience = patience;
    this.leave = () => this.#farewell(this.#held);
    this.move = () => {
      this.#moving = this.state === "connected" || this.state === "waiting";
      this.wake();
    };
  }

  /** Begins, and keeps going until `stop`. */
  start() {
    if (this.#running) {
      this.#again = this.#stopper?.signal.aborted ?? false;
      return;
    }
    this.#stopper = new AbortController();
    window.addEventListener("pagehide", this.leave);
    window.addEventListener(MOVED, this.move);
    this.#running = this.#run(this.#stopper.signal);
  }

  /**
   * Leaves: the relay is told (DELETE) and nothing runs on.
   * @param {boolean} [over] the class has ended: the relay closed the room itself and need not be told
   */
  async stop(over = false) {
    const running = this.#running;
    if (over) this.#held = null;
    this.#again = false;
    this.#stopper?.abort();
    await running;
    if (this.#running !== running) return; // another call has ended it meanwhile
    this.#running = null;
    window.removeEventListener("pagehide", this.leave);
    window.removeEventListener(MOVED, this.move);
    this.leave();
    this.#become("closed");
    if (this.#again) this.start();
  }

  /** Ends a wait: the room knows that the teacher is back, or that the line is. */
  wake() {
    this.dispatchEvent(new Event("wake"));
  }

  /** @param {LinkState} state */
  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  /** @param {AbortSignal} signal */
  async #run(signal) {
    let attempt = 0;
    this.#become("connecting");
    while (!signal.aborted) {
      let wait = 0;
      this.#moving = false;
      try {
        await this.#negotiate(signal);
        attempt = 0;
        await this.#watch(signal);
        if (!signal.aborted) this.#become("reconnecting");
      } catch (error) {
        if (signal.aborted) break;
        wait = this.#consider(error, attempt);
        attempt += 1;
      }
      this.#drop();
      if (!signal.aborted && wait) await pause(wait, signal, this);
    }
    this.#drop();
  }

  /**
   * What an unsuccessful try means: the state to show and how long to wait.
   * @param {unknown} error
   * @param {number} attempt
   * @returns {number} milliseconds
   */
  #consider(error, attempt) {
    const status = error instanceof Turned ? error.status : error instanceof Refused ? error.problem.status : 0;
    if (status === 409) {
      this.#become("waiting"); // no publisher yet: an ordinary state, not a fault
      return 1000 * Math.min(3, /** @type {any} */ (error).retryAfter || 1);
    }
    if (status === 403 || status === 404 || status === 410) {
      this.#become("refused"); // the class is over, or this place is not ours; the room says which
      return 5000;
    }
    this.#become(this.sessions ? "reconnecting" : "connecting");
    const asked = 1000 * (/** @type {any} */ (error)?.retryAfter || 0);
    return Math.max(asked, backoff(attempt));
  }

  /** @param {AbortSignal} signal */
  async #negotiate(signal) {
    const grant = await this.grant();
    const pc = new RTCPeerConnection({ iceServers: grant.iceServers ?? [], bundlePolicy: "max-bundle" });
    this.pc = pc;
    this.ready(pc);
    await offer(pc);
    const response = await fetch(grant.url, {
      method: "POST",
      headers: { "Content-Type": "application/sdp", Authorization: `Bearer ${grant.token}` },
      body: pc.localDescription?.sdp,
      signal: AbortSignal.any([signal, AbortSignal.timeout(OFFER_WITHIN)]),
    });
    const answer = await response.text();
    if (response.status !== 201) throw new Turned(response.status, Number(response.headers.get("Retry-After") || 0));
    const resource = new URL(response.headers.get("Location") || "", response.url).href;
    this.#held = { resource, token: grant.token };
    await pc.setRemoteDescription({ type: "answer", sdp: answer });
    if (!(await reached(pc, CONNECT_WITHIN, signal))) throw new Error("no connection within the time");
    this.sessions += 1;
    this.#become("connected");
    this.dispatchEvent(new Event("session")); // also where the state did not change: a room that moved
  }

  /**
   * Returns when the connection is lost for good. Silence and `disconnected` both lead to an ICE restart. Where that succeeds and
   * it stays silent, our line is proven and the other end's is not: the session waits.
   * @param {AbortSignal} signal
   */
  async #watch(signal) {
    let pc = /** @type {RTCPeerConnection} */ (this.pc);
    this.#packets = -1;
    this.#silent = 0;
    while (!signal.aborted) {
      await changed(pc, WATCH_EVERY, signal);
      if (this.#moving) {
        if (!(await this.#move(pc, signal))) return;
        pc = /** @type {RTCPeerConnection} */ (this.pc);
      }
      await this.#listen(pc);
      if (pc.connectionState === "failed" || pc.connectionState === "closed") return;
      if (this.#silent === this.patience || pc.connectionState === "disconnected") {
        this.#become("reconnecting");
        if (pc.connectionState === "disconnected" && (await reached(pc, FALTER_FOR, signal))) continue;
        if (!(await this.#restart(pc, signal))) return;
        await changed(pc, FLOWS_WITHIN, signal);
        await this.#listen(pc);
      }
      if (this.#silent === 0) this.#become("connected");
      else if (this.#silent > this.patience) this.#become("waiting");
      if (this.#silent > GIVE_UP_AFTER && this.patience < Infinity) return;
    }
  }

  /**
   * Goes to the worker that has the room now. The old session carries on until the new one is connected, so that an upgrade
   * is not seen; where its worker is dead, the state says so.
   * @param {RTCPeerConnection} old
   * @param {AbortSignal} signal
   * @returns {Promise<boolean>} whether there is a new session
   */
  async #move(old, signal) {
    const held = this.#held;
    const end = performance.now() + MOVE_WITHIN;
    this.#moving = false;
    await pause(Math.random() * MOVE_SPREAD, signal);
    for (let attempt = 0; !signal.aborted && performance.now() < end; attempt++) {
      this.#held = null;
      try {
        await this.#negotiate(signal);
        this.#farewell(held);
        old.close();
        this.#packets = -1;
        this.#silent = 0;
        return true;
      } catch (error) {
        if (this.pc !== old) this.#drop(); // without a ticket there is no new connection yet
        this.#held = held;
        this.pc = old;
        await this.#listen(old);
        const wait = this.#silent ? this.#consider(error, attempt) : WATCH_EVERY;
        await pause(Math.min(wait, WATCH_EVERY), signal, this);
      }
    }
    return false;
  }

  /**
   * Counts the watches without a new packet.
   * @param {RTCPeerConnection} pc
   */
  async #listen(pc) {
    const packets = await this.heard(pc);
    this.#silent = packets === this.#packets ? this.#silent + 1 : 0;
    this.#packets = packets;
  }

  /**
   * An ICE restart (RFC 9725, section 4.3.3): new credentials in a PATCH, the DTLS session lives on.
   * @param {RTCPeerConnection} pc
   * @param {AbortSignal} signal
   * @returns {Promise<boolean>} whether the connection is back
   */
  async #restart(pc, signal) {
    const held = this.#held;
    if (!held) return false;
    const before = new Set((await answered(pc)).keys());
    try {
      pc.restartIce();
      await offer(pc);
      const response = await fetch(held.resource, {
        method: "PATCH",
        headers: {
          "Content-Type": "application/trickle-ice-sdpfrag",
          "If-Match": "*",
          Authorization: `Bearer ${held.token}`,
        },
        body: fragmentOf(pc.localDescription?.sdp ?? ""),
        signal: AbortSignal.any([signal, AbortSignal.timeout(RESTART_WITHIN)]),
      });
      if (response.status !== 200) return false;
      const answer = answerWith(pc.currentRemoteDescription?.sdp ?? "", await response.text());
      await pc.setRemoteDescription({ type: "answer", sdp: answer });
    } catch {
      return false;
    }
    if (!(await renewed(pc, before, RESTART_WITHIN, signal))) return false;
    this.restarts += 1;
    return true;
  }

  /** Closes the connection and tells the relay, without waiting. */
  #drop() {
    this.#farewell(this.#held);
    this.#held = null;
    this.pc?.close();
    this.pc = null;
  }

  /**
   * DELETE of a session; `keepalive` lets it leave even while the page goes.
   * @param {Held|null} held
   */
  #farewell(held) {
    if (!held) return;
    fetch(held.resource, {
      method: "DELETE",
      keepalive: true,
      headers: { Authorization: `Bearer ${held.token}` },
    }).catch(() => undefined); // offline: the relay notices by itself when consent expires
  }
}

/**
 * Makes our offer the local description. Browsers answer and send NACKs for sound where that is agreed, but do not offer it.
 * @param {RTCPeerConnection} pc
 */
async function offer(pc) {
  const made = await pc.createOffer();
  const repairing = (/** @type {string} */ line, /** @type {string} */ type) => `${line}a=rtcp-fb:${type} nack\r\n`;
  const sdp = made.sdp?.replace(/^a=rtpmap:(\d+) opus\/48000\/2\r\n(?!a=rtcp-fb:\1 nack\r)/m, repairing);
  try {
    await pc.setLocalDescription({ type: "offer", sdp });
  } catch {
    await pc.setLocalDescription(); // a browser that takes its offer only as it made it
  }
}

/**
 * Resolves at the next change of the connection's state, or after `ms`.
 * @param {RTCPeerConnection} pc
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function changed(pc, ms, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      pc.removeEventListener("connectionstatechange", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    pc.addEventListener("connectionstatechange", done);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}

/**
 * Whether the connection is `connected` within `ms`.
 * @param {RTCPeerConnection} pc
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>}
 */
async function reached(pc, ms, signal) {
  const end = performance.now() + ms;
  while (pc.connectionState !== "connected") {
    const left = end - performance.now();
    if (left <= 0 || signal.aborted || pc.connectionState === "failed" || pc.connectionState === "closed") return false;
    await changed(pc, left, signal);
  }
  return true;
}

/**
 * Whether an ICE restart was answered within `ms`: Chromium keeps saying `connected` of the old credentials, so what
 * counts is an answer on a pair that was not there before; the old pairs, and their counts, go at any moment.
 * @param {RTCPeerConnection} pc
 * @param {Set<string>} before the pairs until then
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>}
 */
async function renewed(pc, before, ms, signal) {
  const end = performance.now() + ms;
  while (performance.now() < end && !signal.aborted) {
    await pause(100, signal);
    if (pc.connectionState === "failed" || pc.connectionState === "closed") return false;
    if (pc.connectionState !== "connected") continue;
    for (const [pair, responses] of await answered(pc)) if (responses > 0 && !before.has(pair)) return true;
  }
  return false;
}

/** @param {RTCPeerConnection} pc @returns {Promise<Map<string, number>>} answers to our connectivity checks, by candidate pair */
async function answered(pc) {
  const found = new Map();
  for (const report of (await pc.getStats()).values()) {
    if (report.type === "candidate-pair") found.set(report.id, report.responsesReceived ?? 0);
  }
  return found;
}

/**
 * The trickle fragment (RFC 8840) that asks for an ICE restart: media line, mid and new credentials.
 * @param {string} sdp our new offer
 * @returns {string}
 */
export function fragmentOf(sdp) {
  const lines = sdp.split(/\r?\n/);
  const first = (/** @type {string} */ start) => lines.filter((line) => line.startsWith(start)).slice(0, 1);
  return [
    ...first("a=ice-options:"),
    ...first("a=group:BUNDLE"),
    ...first("m="),
    ...first("a=mid:"),
    ...first("a=ice-ufrag:"),
    ...first("a=ice-pwd:"),
    "",
  ].join("\r\n");
}

/**
 * The answer in force with the credentials and candidates of the relay's fragment put in.
 * @param {string} answer
 * @param {string} fragment
 * @returns {string}
 */
export function answerWith(answer, fragment) {
  const value = (/** @type {string} */ name) => fragment.match(new RegExp(`^a=${name}:(.*)$`, "m"))?.[1].trim();
  const [ufrag, pwd] = [value("ice-ufrag"), value("ice-pwd")];
  if (!ufrag || !pwd) throw new Error("the fragment has no credentials");
  const candidates = fragment.match(/^a=candidate:.*$/gm)?.map((line) => line.trim()) ?? [];
  const replaced = answer
    .split(/\r?\n/)
    .filter((line) => !candidates.length || !line.startsWith("a=candidate:"))
    .map((line) => line.replace(/^a=ice-ufrag:.*/, `a=ice-ufrag:${ufrag}`).replace(/^a=ice-pwd:.*/, `a=ice-pwd:${pwd}`));
  const at = replaced.findIndex((line) => line.startsWith("a=end-of-candidates"));
  if (candidates.length) {
    if (at >= 0) replaced.splice(at, 0, ...candidates);
    else replaced.splice(replaced.findIndex((line) => line.startsWith("a=ice-pwd:")) + 1, 0, ...candidates);
  }
  return replaced.join("\r\n");
}

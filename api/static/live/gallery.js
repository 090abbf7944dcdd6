/** The small pictures of the receiving classes: those that can be seen are received, at most a page of them, and who speaks is heard. */
import { tell, word } from "./page.js";
import { Follower } from "./source.js";

/** @typedef {import("./room.js").Side} Side */

const AT_ONCE = 3; // sessions that may be in the making: the relay lets one page have four
const PAGE = 12; // pictures at once: as much as a school's computer decodes beside its own camera

export class Gallery {
  /** @type {Map<string, Follower>} */ followers = new Map();
  /** @type {Set<Element>} tiles that can be seen */ #visible = new Set();
  /** @type {Side[]} */ #sides = [];
  /** @type {string|null} */ #floor = null;
  #live = false;
  #page = 0;

  /** @param {HTMLElement} list of the tiles @param {HTMLElement} pager with `data-page` buttons and a `data-f=where` */
  constructor(list, pager) {
    this.list = list;
    this.pager = pager;
    this.observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.#visible[isIntersecting ? "add" : "delete"](target);
      this.#receive();
    }, { rootMargin: "200px" });
    pager.addEventListener("click", (event) => {
      const step = /** @type {HTMLElement} */ (event.target).closest("[data-page]")?.getAttribute("data-page");
      if (step) this.#turn(Number(step));
    });
  }

  /**
   * @param {Side[]} sides in the order of the tiles
   * @param {boolean} live
   * @param {string|null} floor
   */
  show(sides, live, floor) {
    this.#sides = sides;
    this.#live = live;
    this.#floor = floor;
    this.#turn(0);
  }

  /** @param {number} step */
  #turn(step) {
    const pages = Math.ceil(this.#sides.length / PAGE);
    this.#page = Math.min(Math.max(0, this.#page + step), Math.max(0, pages - 1));
    const first = this.#page * PAGE;
    this.pager.hidden = pages < 2;
    tell(this.pager.querySelector("[data-f=where]"), word("teacher.page_of", { page: this.#page + 1, pages }));
    for (const [index, side] of this.#sides.entries()) {
      const tile = this.#tile(side.id);
      if (!tile) continue;
      this.observer.observe(tile);
      tile.hidden = (index < first || index >= first + PAGE) && side.id !== this.#floor;
    }
    this.#receive();
  }

  /** @param {string} side @returns {HTMLElement|null} */
  #tile(side) {
    return this.list.querySelector(`[data-side="${side}"]`);
  }

  #receive() {
    let opening = [...this.followers.values()].filter((each) => each.opening).length;
    const first = (/** @type {Side} */ side) => Number(side.id !== this.#floor); // who speaks comes before all others
    for (const side of [...this.#sides].sort((one, other) => first(one) - first(other))) {
      const tile = this.#tile(side.id);
      if (!tile) continue;
      const speaks = side.id === this.#floor;
      const wanted = this.#live && side.sends && !tile.hidden && (speaks || this.#visible.has(tile));
      const follower = this.#follower(side.id, tile);
      if (wanted && !follower.source && (opening += 1) > AT_ONCE) continue; // the next one that is done makes room
      follower.follow(wanted ? `class:${side.id}` : "", !this.#live);
      if (follower.video.muted === speaks) follower.video.muted = !speaks;
    }
  }

  /** @param {string} side @param {HTMLElement} tile */
  #follower(side, tile) {
    let follower = this.followers.get(side);
    if (!follower) {
      follower = new Follower(/** @type {HTMLVideoElement} */ (tile.querySelector("video")));
      const { video } = follower;
      follower.addEventListener("media", () => video.play().catch(() => undefined));
      follower.addEventListener("state", () => this.#receive());
      this.followers.set(side, follower);
    }
    return follower;
  }
}

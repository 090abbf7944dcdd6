/**
 * The self-test of a classroom before the lesson: picture, sound and line. A person confirms what only people can:
 * that the pattern is seen and the tone is heard in the last row.
 */

/** @typedef {{picture: boolean, sound: boolean, round_trip_ms: number|null, lost: number, asked: number}} Result */

const ASKED = 8;

/**
 * Draws a test pattern: colour bars, a grey wedge and a moving mark that shows a frozen screen.
 * @param {HTMLCanvasElement} canvas
 * @returns {() => void} ends it
 */
export function drawPattern(canvas) {
  const pen = canvas.getContext("2d");
  if (!pen) return () => undefined;
  const { width, height } = canvas;
  const bars = ["#c9c9c9", "#c9c900", "#00c9c9", "#00c900", "#c900c9", "#c90000", "#0000c9"];
  let frame = 0;
  let beat = 0;
  const draw = () => {
    bars.forEach((colour, index) => {
      pen.fillStyle = colour;
      pen.fillRect((index * width) / 7, 0, width / 7 + 1, height * 0.68);
    });
    for (let step = 0; step < 12; step += 1) {
      const grey = Math.round((step * 255) / 11);
      pen.fillStyle = `rgb(${grey} ${grey} ${grey})`;
      pen.fillRect((step * width) / 12, height * 0.68, width / 12 + 1, height * 0.32);
    }
    pen.fillStyle = "#c23b26";
    pen.beginPath();
    pen.arc(width * (0.5 + 0.42 * Math.sin(beat / 40)), height * 0.84, height * 0.07, 0, 7);
    pen.fill();
    beat += 1;
    frame = requestAnimationFrame(draw);
  };
  draw();
  return () => cancelAnimationFrame(frame);
}

/**
 * Three soft notes, left then right then both.
 * @returns {Promise<boolean>} whether the browser could play at all
 */
export async function playNotes() {
  const context = new AudioContext();
  await context.resume();
  const running = context.state === "running";
  [[-0.9, 523.25], [0.9, 659.25], [0, 783.99]].forEach(([side, pitch], index) => {
    const tone = new OscillatorNode(context, { frequency: pitch, type: "triangle" });
    const loudness = new GainNode(context, { gain: 0 });
    const at = context.currentTime + 0.1 + index * 0.5;
    loudness.gain.setTargetAtTime(0.35, at, 0.03);
    loudness.gain.setTargetAtTime(0, at + 0.3, 0.08);
    tone.connect(loudness).connect(new StereoPannerNode(context, { pan: side })).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.8);
  });
  setTimeout(() => context.close().catch(() => undefined), 2500);
  return running;
}

/**
 * Asks the server a few times and takes the median answer time.
 * @param {string} url a small page of the server
 * @returns {Promise<{round_trip_ms: number|null, lost: number, asked: number}>}
 */
export async function measureLine(url) {
  /** @type {number[]} */ const times = [];
  for (let index = 0; index < ASKED; index += 1) {
    const begun = performance.now();
    try {
      const response = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(2000) });
      await response.arrayBuffer();
      times.push(performance.now() - begun);
    } catch {
      // a lost one is counted below
    }
  }
  times.sort((a, b) => a - b);
  const median = times.length ? Math.round(times[Math.floor(times.length / 2)]) : null;
  return { round_trip_ms: median, lost: ASKED - times.length, asked: ASKED };
}

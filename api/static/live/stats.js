/**
 * What this page saw and heard, as corroboration: the server counts what it sent and what was acknowledged,
 * and believes a page only up to that.
 */

/**
 * @typedef {object} Seen
 * @property {number} framesDecoded
 * @property {number} framesDropped
 * @property {number} freezes
 * @property {number} freezeSeconds
 * @property {number} packetsLost
 * @property {number} audioEnergy RTCInboundRtpStreamStats.totalAudioEnergy
 * @property {number} height pixels, 0 while no picture was decoded
 * @property {number} jitterMs
 * @property {number|null} roundTripMs
 */

/**
 * Cumulative counters of one connection; they begin at 0 with every session.
 * @param {RTCPeerConnection|null} pc
 * @returns {Promise<Seen|null>} null while there is no connection
 */
export async function readReceived(pc) {
  if (!pc) return null;
  /** @type {Seen} */
  const seen = {
    framesDecoded: 0, framesDropped: 0, freezes: 0, freezeSeconds: 0, packetsLost: 0, audioEnergy: 0, height: 0, jitterMs: 0,
    roundTripMs: null,
  };
  for (const report of (await pc.getStats()).values()) {
    if (report.type === "inbound-rtp") {
      seen.packetsLost += report.packetsLost ?? 0;
      seen.jitterMs = Math.max(seen.jitterMs, 1000 * (report.jitter ?? 0));
    }
    if (report.type === "inbound-rtp" && report.kind === "video") {
      seen.framesDecoded = report.framesDecoded ?? 0;
      seen.framesDropped = report.framesDropped ?? 0;
      seen.freezes = report.freezeCount ?? 0;
      seen.freezeSeconds = report.totalFreezesDuration ?? 0;
      seen.height = report.frameHeight ?? 0;
    }
    if (report.type === "inbound-rtp" && report.kind === "audio") seen.audioEnergy = report.totalAudioEnergy ?? 0;
    if (report.type === "candidate-pair" && report.nominated && report.currentRoundTripTime !== undefined) {
      seen.roundTripMs = 1000 * report.currentRoundTripTime;
    }
  }
  return seen;
}

/**
 * What leaves the teacher's machine.
 * @param {RTCPeerConnection|null} pc
 * @returns {Promise<{framesEncoded: number, bytesSent: number, height: number, limitedBy: string, roundTripMs: number|null}|null>}
 */
export async function readSent(pc) {
  if (!pc) return null;
  const sent = { framesEncoded: 0, bytesSent: 0, height: 0, limitedBy: "none", roundTripMs: /** @type {number|null} */ (null) };
  for (const report of (await pc.getStats()).values()) {
    if (report.type === "outbound-rtp") sent.bytesSent += report.bytesSent ?? 0;
    if (report.type === "outbound-rtp" && report.kind === "video" && (report.frameHeight ?? 0) >= sent.height) {
      sent.framesEncoded = report.framesEncoded ?? 0; // of the largest size that is being sent
      sent.height = report.frameHeight ?? 0;
      sent.limitedBy = report.qualityLimitationReason ?? "none";
    }
    if (report.type === "remote-inbound-rtp" && report.roundTripTime !== undefined) sent.roundTripMs = 1000 * report.roundTripTime;
  }
  return sent;
}

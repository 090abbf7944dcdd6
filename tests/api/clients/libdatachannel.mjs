// A libdatachannel client (npm node-datachannel): `send` publishes made-up RTP, `receive` counts what it is sent.
// The second argument is the folder of modules.
// It prints its offer as a JSON line, reads the answer as one, and then prints what it has seen twice a second.
import { createRequire } from "node:module";
import readline from "node:readline";

const library = createRequire(`${process.argv[3]}/`)("node-datachannel");

const sends = process.argv[2] === "send";
const direction = sends ? "SendOnly" : "RecvOnly";
const pc = new library.PeerConnection("class", { iceServers: [] });
const say = (value) => console.log(JSON.stringify(value));
const seen = { state: "new", audio: 0, video: 0, feedback: 0 };

const audio = new library.Audio("0", direction);
audio.addOpusCodec(111);
const video = new library.Video("1", direction);
video.addH264Codec(102);
if (sends) {
  audio.addSSRC(778, "class");
  video.addSSRC(777, "class");
}
const tracks = { audio: pc.addTrack(audio), video: pc.addTrack(video) };
for (const [kind, track] of Object.entries(tracks)) {
  if (!sends) track.setMediaHandler(new library.RtcpReceivingSession());
  track.onMessage((packet) => {
    if (packet[1] >= 192 && packet[1] <= 223) seen.feedback += 1;
    else seen[kind] += 1;
  });
}
pc.onStateChange((state) => (seen.state = state));
pc.onGatheringStateChange((state) => {
  if (state === "complete") say({ offer: pc.localDescription().sdp });
});
pc.setLocalDescription("offer");

function packet(type, sequence, timestamp, ssrc, marker, payload) {
  const header = Buffer.alloc(12);
  header[0] = 0x80;
  header[1] = (marker ? 0x80 : 0) | type;
  header.writeUInt16BE(sequence & 0xffff, 2);
  header.writeUInt32BE(timestamp >>> 0, 4);
  header.writeUInt32BE(ssrc, 8);
  return Buffer.concat([header, payload]);
}

let number = 0;
function step() {
  number += 1;
  if (!sends || !tracks.audio.isOpen() || !tracks.video.isOpen()) return;
  tracks.audio.sendMessageBinary(packet(111, number, number * 960, 778, false, Buffer.alloc(60, 1)));
  if (number % 2) return;
  const key = number % 20 === 0; // a made-up slice: 0x65 begins a key picture, 0x41 another
  tracks.video.sendMessageBinary(packet(102, number / 2, number * 1800, 777, true, Buffer.alloc(400, key ? 0x65 : 0x41)));
}

const timers = [setInterval(step, 20), setInterval(() => say(seen), 500)];
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  pc.setRemoteDescription(JSON.parse(line).answer, "answer");
}).on("close", () => {
  timers.forEach(clearInterval);
  pc.close();
  library.cleanup();
});

// Real subscribers: libdatachannel decrypts every packet. Lines of JSON: an offer goes out for each answer that comes in;
// then "count" is answered with how many packets each has received.
const { PeerConnection, Video, Audio } = require("node-datachannel");
const readline = require("node:readline");

const wanted = Number(process.argv[2]);
const peers = [];
const say = value => process.stdout.write(JSON.stringify(value) + "\n");

async function offer() {
  const connection = new PeerConnection(`s${peers.length}`, { iceServers: [] });
  const peer = { connection, packets: 0, tracks: [] };
  peers.push(peer);
  const video = new Video("video", "RecvOnly");
  video.addH264Codec(102);
  const audio = new Audio("audio", "RecvOnly");
  audio.addOpusCodec(111);
  for (const description of [audio, video]) {
    const track = connection.addTrack(description);
    track.onMessage(() => { peer.packets += 1; });
    peer.tracks.push(track);
  }
  await new Promise(resolve => {
    connection.onGatheringStateChange(state => { if (state === "complete") resolve(); });
    connection.setLocalDescription();
  });
  say({ offer: connection.localDescription().sdp });
}

function answered(sdp) {
  const { connection } = peers[peers.length - 1];
  connection.onStateChange(state => {
    if (state === "failed" || state === "closed") process.exit(1);
    if (state !== "connected") return;
    if (peers.length < wanted) offer();
    else say({ connected: peers.length });
  });
  connection.setRemoteDescription(sdp, "answer");
}

readline.createInterface({ input: process.stdin })
  .on("line", line => {
    const message = JSON.parse(line);
    if (message.answer) answered(message.answer);
    else say({ packets: peers.map(peer => peer.packets) });
  })
  .on("close", () => process.exit(0));
offer();

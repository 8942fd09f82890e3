// The live socket: reconnects with back-off, and calls back with whole snapshots and heartbeats.

const FINAL = { 4401: "You are logged out. Load the page again to log in.", 4429: "Too many pages are open; close one and load this one again." };
const LONGEST = 15000;

export function connect(topic, { snapshot, heartbeat, state }) {
  let tries = 0;
  let socket = null;
  let timer = 0;

  function open() {
    clearTimeout(timer);
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/live/`);
    socket.onopen = () => say("subscribe");
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (tries || socket.fresh === undefined) {
        tries = 0;
        socket.fresh = false;
        state("open", 0);
      }
      if (message.topic === topic) snapshot(message);
      else if (message.topic === "heartbeat") heartbeat(message);
    };
    socket.onclose = (event) => {
      if (FINAL[event.code]) return state("closed", 0, FINAL[event.code]);
      tries += 1;
      state("waiting", tries);
      // up to a third more at random, so that many pages do not return at the same moment
      timer = setTimeout(open, Math.min(LONGEST, 500 * 2 ** (tries - 1)) * (1 + Math.random() / 3));
    };
  }

  function say(word) {
    if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ do: word, topic }));
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    if (socket && socket.readyState === WebSocket.OPEN) say("resync");
    else if (tries) open();
  });
  addEventListener("pagehide", () => socket && socket.readyState === WebSocket.OPEN && socket.close());
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
  return { resync: () => say("resync") };
}

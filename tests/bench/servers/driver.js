// Many clients of one or two servers, told by lines of JSON on its input, answering each with one.
//   {"do": "connect", "kind": "ours"|"ws"|"sio", "ports": [..], "count": N, "tls": bool, "secret": S}
//   {"do": "relay", "pairs": P, "frames": N, "window": W}     pairs: client i sends to client i + P
//   {"do": "stall", "frames": N, "bytes": B}  client 0 sends to client 1, which reads no more; clients
//                                             2 and 3 meanwhile exchange: their slowest round trip
//   {"do": "close"}
"use strict";
const crypto = require("crypto");
const readline = require("readline");
const WebSocket = require("ws");
const { io } = require("socket.io-client");
const jwt = require("jsonwebtoken");

const TAG = Buffer.from("bench's only tag");
let clients = [];

function bin(data) {
  return Buffer.concat([Buffer.from([0xc4, data.length]), data]);
}

function text(words) {
  const data = Buffer.from(words);
  return Buffer.concat([data.length < 32 ? Buffer.from([0xa0 | data.length]) : Buffer.from([0xd9, data.length]), data]);
}

// What a message of `hello` holds: version, server, nonce (SIGNALING.md).
function readHello(data) {
  return { server: data.subarray(6, 38), nonce: data.subarray(40, 72) };
}

function login(key, name, origin, hello) {
  const signed = Buffer.concat([
    Buffer.from("folkmoot/signal/login/1\0"),
    Buffer.from([0x93]), bin(hello.server), text(origin), bin(hello.nonce),
  ]);
  const signature = crypto.sign(null, signed, key);
  return Buffer.concat([
    Buffer.from([0, 0x96, 33, 1]), bin(name), text(origin), bin(signature), bin(Buffer.alloc(0)),
  ]);
}

class Ours {
  constructor(order, number) {
    this.received = () => {};
    const { publicKey, privateKey } = crypto.generateKeyPairSync("ed25519");
    this.name = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
    const port = order.ports[number % order.ports.length];
    const origin = `${order.tls ? "wss" : "ws"}://127.0.0.1:${port}`;
    this.ready = new Promise((resolve, reject) => {
      this.socket = new WebSocket(`${origin}/signal`, { perMessageDeflate: false, rejectUnauthorized: false });
      this.socket.on("error", reject);
      this.socket.on("close", (code) => reject(new Error(`closed ${code}`)));
      this.socket.on("message", (data) => {
        if (data[0] === 1) return this.received(data);
        if (data[2] === 1) this.socket.send(login(privateKey, this.name, origin, readHello(data)));
        if (data[2] === 2) {
          if (order.tag) this.socket.send(Buffer.concat([Buffer.from([0, 0x92, 34, 0x91]), bin(tagOf(order, number))]));
          else resolve();
        }
        if (data[2] === 3) resolve();
        if (data[2] === 8) console.error("refused:", data.subarray(4).toString());
      });
    });
  }
  send(to, payload) {
    this.socket.send(Buffer.concat([Buffer.from([1]), to.name, Buffer.from([0]), payload]));
  }
  pause() { this.socket._socket.pause(); }
  close() { this.socket.terminate(); }
}

// Clients i and i + P meet under a tag of their own.
function tagOf(order, number) {
  return crypto.createHash("sha256").update(`${TAG}${number % (order.pairs || order.count)}`).digest().subarray(0, 16);
}

class Bare {
  constructor(order, number) {
    this.received = () => {};
    this.name = crypto.randomBytes(32);
    const port = order.ports[number % order.ports.length];
    this.socket = new WebSocket(`${order.tls ? "wss" : "ws"}://127.0.0.1:${port}/${this.name.toString("hex")}`, {
      perMessageDeflate: false, rejectUnauthorized: false,
    });
    this.ready = new Promise((resolve, reject) => {
      this.socket.on("open", resolve);
      this.socket.on("error", reject);
    });
    this.socket.on("message", (data) => this.received(data));
  }
  send(to, payload) {
    this.socket.send(Buffer.concat([Buffer.from([1]), to.name, Buffer.from([0]), payload]));
  }
  pause() { this.socket._socket.pause(); }
  close() { this.socket.terminate(); }
}

class Sio {
  constructor(order, number) {
    this.received = () => {};
    this.id = crypto.randomBytes(32).toString("hex");
    const port = order.ports[number % order.ports.length];
    const token = jwt.sign({ sub: this.id }, order.secret, { algorithm: "HS256", expiresIn: 900 });
    this.socket = io(`${order.tls ? "https" : "http"}://127.0.0.1:${port}`, {
      transports: ["websocket"], auth: { token }, forceNew: true, reconnection: false, rejectUnauthorized: false,
    });
    this.ready = new Promise((resolve, reject) => {
      this.socket.on("connect", resolve);
      this.socket.on("connect_error", reject);
    });
    this.socket.on("relay", (_from, data) => this.received(data));
  }
  send(to, payload) { this.socket.emit("relay", to.id, payload); }
  pause() { this.socket.io.engine.transport.ws._socket.pause(); }
  close() { this.socket.disconnect(); }
}

const KINDS = { ours: Ours, ws: Bare, sio: Sio };

async function connect(order) {
  const began = Date.now();
  for (let start = clients.length; start < order.count; start += 50) {
    const batch = [];
    for (let n = start; n < Math.min(start + 50, order.count); n++) batch.push(new KINDS[order.kind](order, n));
    await Promise.all(batch.map((client) => client.ready));
    clients.push(...batch);
  }
  return { connected: clients.length, ms: Date.now() - began };
}

function relay(order) {
  const payload = crypto.randomBytes(300);
  const each = Math.ceil(order.frames / order.pairs);
  const began = Date.now();
  const runs = [];
  for (let n = 0; n < order.pairs; n++) {
    const from = clients[n];
    const to = clients[n + order.pairs];
    runs.push(new Promise((resolve) => {
      let sent = 0;
      let got = 0;
      to.received = () => {
        got++;
        if (got === each) return resolve();
        if (sent < each) { sent++; from.send(to, payload); }
      };
      while (sent < Math.min(order.window, each)) { sent++; from.send(to, payload); }
    }));
  }
  return Promise.all(runs).then(() => ({ relayed: each * order.pairs, ms: Date.now() - began }));
}

async function stall(order) {
  const payload = crypto.randomBytes(order.bytes);
  const [from, deaf, left, right] = clients;
  deaf.pause();
  let slowest = 0;
  let trips = 0;
  for (let n = 0; n < order.frames; n++) {
    from.send(deaf, payload);
    if (n % 16) continue;
    const began = process.hrtime.bigint();
    await new Promise((resolve) => {
      right.received = () => right.send(left, Buffer.alloc(300));
      left.received = resolve;
      left.send(right, Buffer.alloc(300));
    });
    slowest = Math.max(slowest, Number(process.hrtime.bigint() - began) / 1e6);
    trips++;
  }
  return { slowest_ms: slowest, trips };
}

const ACTS = {
  connect, relay, stall,
  close: async () => { clients.forEach((client) => client.close()); clients = []; return {}; },
};
readline.createInterface({ input: process.stdin }).on("line", async (line) => {
  const order = JSON.parse(line);
  try {
    console.log(JSON.stringify(await ACTS[order.do](order)));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
});

// A relay as a user of socket.io writes it: a JWT at the door, a room for each device, and with
// several nodes its Redis adapter. `sio_server.js SECRET [--redis URL] [--tls CERT KEY]`.
"use strict";
const fs = require("fs");
const http = require("http");
const https = require("https");
const jwt = require("jsonwebtoken");
const { Server } = require("socket.io");

const words = process.argv.slice(2);
const secret = words.shift();
const at = (name) => (words.includes(name) ? words.indexOf(name) + 1 : 0);
const tls = at("--tls");
const redis = at("--redis");
const server = tls
  ? https.createServer({ cert: fs.readFileSync(words[tls]), key: fs.readFileSync(words[tls + 1]) })
  : http.createServer();

async function main() {
  const io = new Server(server, { perMessageDeflate: false, transports: ["websocket"] });
  if (redis) {
    const { createClient } = require("redis");
    const { createAdapter } = require("@socket.io/redis-adapter");
    const publish = createClient({ url: words[redis] });
    const subscribe = publish.duplicate();
    await Promise.all([publish.connect(), subscribe.connect()]);
    io.adapter(createAdapter(publish, subscribe));
  }
  io.use((socket, next) => {
    try {
      socket.data.name = jwt.verify(socket.handshake.auth.token, secret, { algorithms: ["HS256"] }).sub;
      next();
    } catch (error) {
      next(error);
    }
  });
  io.on("connection", (socket) => {
    socket.join(socket.data.name);
    socket.on("relay", (to, payload) => io.to(to).emit("relay", socket.data.name, payload));
  });
  server.listen(0, "127.0.0.1", 4096, () => console.log(JSON.stringify({ port: server.address().port })));
}
main();

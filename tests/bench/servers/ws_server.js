// A relay as a user of `ws` writes it: a map of names, a frame handed on with its source. No login,
// no limits: `ws_server.js [CERT KEY]` prints its port.
"use strict";
const fs = require("fs");
const http = require("http");
const https = require("https");
const { WebSocketServer } = require("ws");

const [cert, key] = process.argv.slice(2);
const server = cert
  ? https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) })
  : http.createServer();
const sockets = new Map();
new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket, request) => {
  const name = Buffer.from(request.url.slice(-64), "hex");
  const id = name.toString("latin1");
  sockets.set(id, socket);
  socket.on("message", (data) => {
    const to = sockets.get(data.toString("latin1", 1, 33));
    if (to === undefined) return;
    name.copy(data, 1);
    to.send(data);
  });
  socket.on("close", () => sockets.get(id) === socket && sockets.delete(id));
  socket.on("error", () => socket.terminate());
});
server.listen(0, "127.0.0.1", 4096, () => console.log(JSON.stringify({ port: server.address().port })));

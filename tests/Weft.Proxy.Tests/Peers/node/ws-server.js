// SPDX-License-Identifier: Apache-2.0
// A WebSocket server that says everything back; prints its port.
'use strict';
const { WebSocketServer } = require('ws');
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 64 << 20 });
server.on('listening', () => process.stdout.write(`port ${server.address().port}\n`));
server.on('connection', (socket, request) => {
  socket.send(`hello ${request.url}`);
  socket.on('message', (data, binary) => socket.send(data, { binary }));
});

// SPDX-License-Identifier: Apache-2.0
// Talks to the WebSocket server behind 127.0.0.1:PORT, as Node's ws does over HTTP/1.1, or over HTTP/2 (RFC 8441) with "h2".
'use strict';
const http2 = require('http2');
const WebSocket = require('ws');
const assert = require('assert');
const [port, kind] = process.argv.slice(2);

const throughHttp2 = () => new Promise((resolve, reject) => {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on('error', reject);
  session.on('remoteSettings', settings => {
    if (!settings.enableConnectProtocol) { reject(new Error('the proxy does not offer extended CONNECT')); return; }
    const stream = session.request({
      ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat?x=1', ':scheme': 'http', ':authority': `127.0.0.1:${port}`,
      'sec-websocket-version': '13',
    });
    stream.on('error', reject);
    stream.on('response', headers => {
      if (headers[':status'] !== 200) { reject(new Error(`answered ${headers[':status']}`)); return; }
      const socket = new WebSocket(null, undefined, { autoPong: true });
      socket._isServer = false;
      stream.setNoDelay = () => {};
      stream.setTimeout = () => {};
      socket.setSocket(stream, Buffer.alloc(0), { allowSynchronousEvents: false, maxPayload: 64 << 20, skipUTF8Validation: false });
      resolve([socket, () => session.close()]);
    });
  });
});
const throughHttp1 = async () => [new WebSocket(`ws://127.0.0.1:${port}/chat?x=1`, { maxPayload: 64 << 20 }), () => {}];

(async () => {
  const [socket, close] = await (kind === 'h2' ? throughHttp2() : throughHttp1());
  const got = [];
  let waiting = null;
  socket.on('message', (data, binary) => { got.push({ data, binary }); if (waiting) { waiting(); } });
  socket.on('error', error => { process.stdout.write(`FAILED ${error.message}\n`); process.exit(1); });
  const next = async () => {
    while (got.length === 0) { await new Promise(done => { waiting = done; }); }
    return got.shift();
  };
  assert.equal((await next()).data.toString(), 'hello /chat?x=1');
  socket.send('text ä');
  assert.equal((await next()).data.toString(), 'text ä');
  const big = Buffer.alloc(3 << 20, 9);
  socket.send(big);
  assert.ok((await next()).data.equals(big));
  for (let i = 0; i < 500; i++) { socket.send(`n${i}`); }
  for (let i = 0; i < 500; i++) { assert.equal((await next()).data.toString(), `n${i}`); }
  const code = await new Promise(done => { socket.on('close', done); socket.close(4001, 'enough'); });
  assert.equal(code, 4001);
  close();
  process.stdout.write('ok\n');
})().catch(error => { process.stdout.write(`FAILED ${error.message}\n`); process.exit(1); });

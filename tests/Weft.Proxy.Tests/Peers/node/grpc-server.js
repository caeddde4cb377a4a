// SPDX-License-Identifier: Apache-2.0
// A gRPC server at ADDRESS (a free port of 127.0.0.1 where none is given) that calls itself NAME; prints its port.
'use strict';
const grpc = require('@grpc/grpc-js');
const { service } = require('./grpc-echo.js');

const [address = '127.0.0.1:0', name = 'server'] = process.argv.slice(2);
const flakyCalls = new Map();
const server = new grpc.Server({ 'grpc.max_receive_message_length': 64 << 20 });
server.addService(service, {
  unary(call, done) {
    const initial = new grpc.Metadata();
    initial.set('x-seen', call.metadata.get('x-sent').join(',') || 'none');
    initial.set('x-server', name);
    initial.set('x-seen-bin', Buffer.from([0, 255, 10, 13]));
    call.sendMetadata(initial);
    const trailing = new grpc.Metadata();
    trailing.set('x-trailing', 'after');
    done(null, call.request, trailing);
  },
  collect(call, done) {
    let bytes = 0, count = 0;
    call.on('data', message => { bytes += message.length; count++; });
    call.on('end', () => done(null, Buffer.from(`${count}:${bytes}`)));
  },
  spread(call) {
    const [count, size] = call.request.toString().split('x').map(Number);
    let sent = 0;
    const more = () => {
      while (sent < count) {
        sent++;
        if (!call.write(Buffer.alloc(size, sent & 255))) { call.once('drain', more); return; }
      }
      call.end();
    };
    more();
  },
  chat(call) {
    call.on('data', message => call.write(message));
    call.on('end', () => call.end());
    call.on('error', () => {});
  },
  fail(call, done) {
    const [code, key, times] = call.request.toString().split(' ');
    const calls = (flakyCalls.get(key) || 0) + 1;
    flakyCalls.set(key, calls);
    if (calls > Number(times)) { done(null, Buffer.from(`after ${calls}`)); return; }
    done({ code: Number(code), details: `as asked: ä % ${calls}` });
  },
  slow(call, done) {
    const timer = setTimeout(() => done(null, Buffer.from('late')), 30000);
    call.on('cancelled', () => { clearTimeout(timer); process.stdout.write('cancelled\n'); });
  },
});
server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) { throw error; }
  process.stdout.write(`port ${port}\n`);
});

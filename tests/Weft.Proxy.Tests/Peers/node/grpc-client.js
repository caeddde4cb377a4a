// SPDX-License-Identifier: Apache-2.0
// Calls every kind of method at ADDRESS and prints a line a case: "ok NAME" or "FAILED NAME: reason". With "retries N" it also wants
// UNAVAILABLE to be tried again on its way, N times for each server; with "spread N" it makes N calls on one connection and prints who answered how many.
'use strict';
const grpc = require('@grpc/grpc-js');
const assert = require('assert');
const { service } = require('./grpc-echo.js');

const Client = grpc.makeGenericClientConstructor(service, 'Echo');
const [address, mode, count] = process.argv.slice(2);
const client = new Client(address, grpc.credentials.createInsecure(), {
  'grpc.max_receive_message_length': 64 << 20,
  'grpc.enable_retries': 0,
});
const deadline = ms => ({ deadline: Date.now() + ms });
const call = (name, request, options = deadline(10000), metadata = new grpc.Metadata()) => new Promise((resolve, reject) => {
  const seen = {};
  const stream = client[name](request, metadata, options, (error, answer) => {
    if (error) { reject(error); } else { seen.answer = answer; }
  });
  stream.on('metadata', m => { seen.initial = m; });
  stream.on('status', status => { seen.status = status; if (status.code === 0) { setImmediate(() => resolve(seen)); } });
});
const refused = async promise => {
  try { await promise; } catch (error) { return error; }
  throw new Error('the call did not fail');
};

const cases = {
  async 'unary with metadata both ways'() {
    const metadata = new grpc.Metadata();
    metadata.add('x-sent', 'one');
    metadata.add('x-sent', 'two');
    const seen = await call('unary', Buffer.from('hello'), deadline(10000), metadata);
    assert.equal(seen.answer.toString(), 'hello');
    assert.match(seen.initial.get('x-seen')[0], /one, ?two/);
    assert.deepEqual(seen.initial.get('x-seen-bin')[0], Buffer.from([0, 255, 10, 13]));
    assert.equal(seen.status.metadata.get('x-trailing')[0], 'after');
  },
  async 'unary without a byte'() {
    assert.equal((await call('unary', Buffer.alloc(0))).answer.length, 0);
  },
  async 'unary of 8 MiB'() {
    const big = Buffer.alloc(8 << 20, 7);
    assert.ok((await call('unary', big, deadline(20000))).answer.equals(big));
  },
  async 'fifty calls at once'() {
    const answers = await Promise.all([...Array(50).keys()].map(i => call('unary', Buffer.from(`n${i}`))));
    answers.forEach((seen, i) => assert.equal(seen.answer.toString(), `n${i}`));
  },
  async 'client stream'() {
    const answer = await new Promise((resolve, reject) => {
      const stream = client.collect(new grpc.Metadata(), deadline(10000), (error, value) => error ? reject(error) : resolve(value));
      for (let i = 0; i < 300; i++) { stream.write(Buffer.alloc(1000)); }
      stream.end();
    });
    assert.equal(answer.toString(), '300:300000');
  },
  async 'server stream with a slow reader'() {
    const total = await new Promise((resolve, reject) => {
      let bytes = 0, count = 0;
      const stream = client.spread(Buffer.from('400x20000'), new grpc.Metadata(), deadline(20000));
      stream.on('data', message => {
        bytes += message.length;
        if (++count % 100 === 0) { stream.pause(); setTimeout(() => stream.resume(), 20); }
      });
      stream.on('error', reject);
      stream.on('end', () => resolve(`${count}:${bytes}`));
    });
    assert.equal(total, '400:8000000');
  },
  async 'both ways, in turn'() {
    const answers = await new Promise((resolve, reject) => {
      const got = [];
      const stream = client.chat(new grpc.Metadata(), deadline(10000));
      stream.on('data', message => {
        got.push(message.toString());
        if (got.length < 20) { stream.write(Buffer.from(`turn ${got.length}`)); } else { stream.end(); }
      });
      stream.on('error', reject);
      stream.on('end', () => resolve(got));
      stream.write(Buffer.from('turn 0'));
    });
    assert.deepEqual(answers, [...Array(20).keys()].map(i => `turn ${i}`));
  },
  async 'an error with its text'() {
    const error = await refused(call('fail', Buffer.from('9 text 99')));
    assert.equal(error.code, grpc.status.FAILED_PRECONDITION);
    assert.equal(error.details, 'as asked: ä % 1');
  },
  async 'a method that is not there'() {
    const Other = grpc.makeGenericClientConstructor({ none: { ...service.unary, path: '/weft.test.Echo/None' } }, 'Other');
    const other = new Other(address, grpc.credentials.createInsecure());
    const error = await refused(new Promise((resolve, reject) => other.none(Buffer.from(''), deadline(10000), (e, v) => e ? reject(e) : resolve(v))));
    other.close();
    assert.equal(error.code, grpc.status.UNIMPLEMENTED);
  },
  async 'a deadline that passes'() {
    const error = await refused(call('slow', Buffer.from('x'), deadline(300)));
    assert.equal(error.code, grpc.status.DEADLINE_EXCEEDED);
  },
  async 'a call given up'() {
    const error = await refused(new Promise((resolve, reject) => {
      const running = client.slow(Buffer.from('x'), new grpc.Metadata(), deadline(10000), (e, v) => e ? reject(e) : resolve(v));
      setTimeout(() => running.cancel(), 100);
    }));
    assert.equal(error.code, grpc.status.CANCELLED);
  },
};
if (mode === 'retries') {
  cases['UNAVAILABLE is tried again'] = async () => {
    const seen = await call('fail', Buffer.from(`14 again ${count}`));
    assert.equal(seen.answer.toString(), `after ${Number(count) + 1}`);
  };
}

const spread = async () => {
  const servers = {};
  for (let i = 0; i < Number(count); i++) {
    const name = (await call('unary', Buffer.from('x'))).initial.get('x-server')[0];
    servers[name] = (servers[name] || 0) + 1;
  }
  process.stdout.write(JSON.stringify(servers) + '\n');
};

(async () => {
  if (mode === 'spread') { await spread(); client.close(); return; }
  let failed = 0;
  for (const [name, run] of Object.entries(cases)) {
    try { await run(); process.stdout.write(`ok ${name}\n`); } catch (error) { failed++; process.stdout.write(`FAILED ${name}: ${error.message}\n`); }
  }
  client.close();
  process.exitCode = failed ? 1 : 0;
})();

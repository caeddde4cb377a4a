// SPDX-License-Identifier: Apache-2.0
// The service that grpc-server.js serves and grpc-client.js calls: messages are raw bytes, so no schema is needed.
'use strict';
const raw = { requestSerialize: b => b, requestDeserialize: b => b, responseSerialize: b => b, responseDeserialize: b => b };
const method = (name, requestStream, responseStream) => ({ path: `/weft.test.Echo/${name}`, requestStream, responseStream, ...raw });
exports.service = {
  unary: method('Unary', false, false),
  collect: method('Collect', true, false),
  spread: method('Spread', false, true),
  chat: method('Chat', true, true),
  fail: method('Fail', false, false),
  slow: method('Slow', false, false),
};

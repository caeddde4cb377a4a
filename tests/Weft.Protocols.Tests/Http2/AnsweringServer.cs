// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http2;
using Weft.Testing.Http2;

namespace Weft.Protocols.Tests.Http2;

/// <summary>A server in memory that answers each request, when it has ended, with 200 and ten bytes.</summary>
internal sealed class AnsweringServer : IByteTransport
{
    private readonly int _pieces;
    private readonly Party _server;
    private readonly Dictionary<Http2Stream, int> _sent = [];

    internal AnsweringServer(int pieces, Http2Limits? limits = null)
    {
        _pieces = pieces;
        _server = new Party(Http2Role.Server, limits);
        _server.Requested = AnswerIfEnded;
        _server.Ended = stream => AnswerIfEnded(stream, true);
        _server.Writable = SendMore;
    }

    /// <summary>What a caller of the connection would have heard.</summary>
    internal Party Server => _server;

    public void Send(byte[] bytes)
    {
        foreach (var piece in bytes.Chunk(Math.Min(_pieces, bytes.Length)))
        {
            _server.Connection.Receive(piece, 0);
        }
    }

    public byte[]? Receive()
    {
        var bytes = _server.Connection.Output.ToArray();
        _server.Connection.Sent(bytes.Length);
        return bytes.Length > 0 ? bytes : _server.Connection.IsOver ? [] : null;
    }

    private void AnswerIfEnded(Http2Stream stream, bool ended)
    {
        if (ended)
        {
            _server.Head(stream, false, (":status", "200"));
            _sent[stream] = 0;
            SendMore(stream);
        }
    }

    private void SendMore(Http2Stream stream) =>
        _sent[stream] += _server.Connection.SendData(stream, "0123456789"u8[_sent[stream]..], endStream: true);
}

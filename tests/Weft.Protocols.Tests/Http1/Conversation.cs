// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Http1;

namespace Weft.Protocols.Tests.Http1;

/// <summary>
/// Reads a connection's bytes as a proxy does, request after request, in pieces of any sizes. The result is one word per message:
/// <c>METHOD path[body]</c>, the error's name, or <c>wait</c> for a message that is not complete.
/// </summary>
internal sealed class Conversation(Http1Rules rules)
{
    private readonly RequestHead _head = new();
    private readonly List<byte> _pending = [];
    private readonly List<byte> _body = [];
    private readonly List<string> _words = [];
    private ChunkedReader _chunks;
    private State _state = State.Head;
    private string _line = "";
    private long _left;

    private enum State
    {
        Head,
        Length,
        Chunks,
        Ended,
    }

    internal static string Read(ReadOnlySpan<byte> bytes, Http1Rules rules, Func<int>? pieces = null)
    {
        var conversation = new Conversation(rules);
        while (!bytes.IsEmpty)
        {
            var size = Math.Min(bytes.Length, pieces?.Invoke() ?? bytes.Length);
            conversation.Feed(bytes[..size]);
            bytes = bytes[size..];
        }

        return conversation.Result();
    }

    private string Result()
    {
        if (_state != State.Ended && (_pending.Count > 0 || _state != State.Head))
        {
            _words.Add("wait");
        }

        return string.Join(" | ", _words);
    }

    private void Feed(ReadOnlySpan<byte> bytes)
    {
        _pending.AddRange(bytes);
        while (_state != State.Ended && _pending.Count > 0 && Step())
        {
        }
    }

    /// <summary>False if more bytes are needed.</summary>
    private bool Step()
    {
        var pending = _pending.ToArray().AsSpan();
        switch (_state)
        {
            case State.Head:
                return StepHead(pending);
            case State.Length:
                var count = (int)Math.Min(_left, pending.Length);
                _body.AddRange(pending[..count]);
                _left -= count;
                _pending.RemoveRange(0, count);
                if (_left == 0)
                {
                    EndMessage();
                }

                return true;
            default:
                return StepChunks(pending);
        }
    }

    private bool StepHead(ReadOnlySpan<byte> pending)
    {
        var status = Http1Parser.TryParseRequest(pending, _head, rules);
        if (status == ParseStatus.NeedMore)
        {
            return false;
        }

        if (status == ParseStatus.Invalid)
        {
            return End(_head.Error);
        }

        _line = $"{Encoding.Latin1.GetString(_head.MethodText.Of(pending))} {Encoding.Latin1.GetString(_head.PathOf(pending))}";
        _state = _head.Framing == BodyFraming.Chunked ? State.Chunks : State.Length;
        _left = _head.Framing == BodyFraming.Length ? _head.ContentLength : 0;
        _chunks = default;
        _pending.RemoveRange(0, _head.Length);
        if (_state == State.Length && _left == 0)
        {
            EndMessage();
        }

        return true;
    }

    private bool StepChunks(ReadOnlySpan<byte> pending)
    {
        var status = _chunks.Read(pending, rules, out var consumed, out var piece);
        if (status == ChunkStatus.Payload)
        {
            _body.AddRange(piece);
        }

        _pending.RemoveRange(0, consumed);
        if (status == ChunkStatus.Done)
        {
            EndMessage();
        }

        return status != ChunkStatus.NeedMore && (status != ChunkStatus.Invalid || End(_chunks.Error));
    }

    private void EndMessage()
    {
        _words.Add($"{_line}[{Encoding.Latin1.GetString([.. _body])}]");
        _body.Clear();
        _head.Reset();
        _state = State.Head;
    }

    private bool End(Http1Error error)
    {
        _words.Add(error.ToString());
        _state = State.Ended;
        return false;
    }
}

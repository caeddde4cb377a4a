// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;
using Weft.Protocols.Http2;
using Weft.Proxy.Io;

namespace Weft.Proxy.Stacks;

/// <summary>One stream of a client's HTTP/2 connection. Rented from its loop.</summary>
internal sealed class Http2DownstreamStream : DownstreamStream
{
    private const int NotImplemented = 501;

    private readonly Http2Flow _flow = new();
    private Http2Downstream _connection = null!;
    private Http2Stream _stream = null!;
    private Exchange? _exchange;
    private NativeBuffer _early;
    private uint _generation;

    internal override ClientFacts Client => _connection.Client;

    internal override bool IsHttp2 => true;

    internal override bool CanSplice => false;

    internal override int Unsent => _flow.Unsent;

    /// <summary>A request has arrived: it becomes text, which goes through the same strict parser as every other request's.</summary>
    internal void Begin(Http2Downstream connection, Http2Stream stream, in Http2Fields fields, bool endStream)
    {
        var exchange = Open(connection, stream);
        ref var text = ref connection.Loop.HeadText;
        Write(ref text, fields);
        if (!TryRead(exchange, text.Bytes, connection.Service.FieldRules))
        {
            return;
        }

        if (!fields.Protocol.IsEmpty && !exchange.Request.IsUpgrade)
        {
            exchange.Refuse(new Failure(FailureKind.BadRequest, "an extended CONNECT for another protocol than websocket", NotImplemented));
            return;
        }

        exchange.Begin(text.Bytes, endStream || exchange.AsksForTunnel ? BodyKind.None
            : fields.ContentLength >= 0 ? BodyKind.Sized : BodyKind.Open);
    }

    /// <summary>The request that upgraded the connection, which has no body, came as text.</summary>
    internal void BeginUpgraded(Http2Downstream connection, Http2Stream stream, ReadOnlySpan<byte> head)
    {
        var exchange = Open(connection, stream);
        if (TryRead(exchange, head, connection.Service.Rules))
        {
            exchange.Begin(head, BodyKind.None);
        }
    }

    internal void OnData(ReadOnlySpan<byte> data, bool endStream)
    {
        var generation = _generation;
        if (_exchange is { WantsBody: true } exchange)
        {
            exchange.OnRequestBody(data);
            if (endStream && generation == _generation && _exchange is { WantsBody: true })
            {
                exchange.OnRequestEnd([]);
            }
            else if (generation == _generation)
            {
                _exchange?.FlushRequest();
            }
        }
        else if (_exchange is { AwaitsTunnel: true })
        {
            // Charged to the client's window until the tunnel is there.
            _early.Append(data);
            return;
        }

        if (generation == _generation)
        {
            _flow.Received(data.Length);
        }
    }

    internal void OnTrailers(ReadOnlySpan<byte> lines)
    {
        if (_exchange is { WantsBody: true } exchange)
        {
            exchange.OnRequestEnd(lines);
        }
    }

    internal void OnWritable()
    {
        if (_flow.Continue())
        {
            _exchange?.OnClientDrained();
            EndIfAnswered();
        }

        _connection.FlushLater();
    }

    internal void OnClosed()
    {
        _generation++;
        _flow.Close();
        _early.Free();
        if (_exchange is null)
        {
            _connection.Loop.Return(this);
        }
        else if (_stream.IsReset)
        {
            _exchange.OnClientGone();
        }

        // Else the exchange itself has just written the end, and says so when it is done.
    }

    internal override void SendInterim()
    {
        ref var output = ref _connection.Loop.Out;
        if (_flow.IsOpen)
        {
            _ = Http2Head.WriteResponse(_connection.Codec, _stream, output.Bytes, end: false);
        }

        output.Reset(ProxyLoop.KeptOutputSize);
        _connection.FlushLater();
    }

    internal override void WriteHead(BodyKind body, bool last)
    {
        ref var output = ref _connection.Loop.Out;
        if (_flow.IsOpen)
        {
            var end = body == BodyKind.None;
            var length = Http2Head.WriteResponse(_connection.Codec, _stream, output.Bytes, end);
            if (end)
            {
                _flow.EndWithHead();
            }
            else
            {
                _flow.Expect(body == BodyKind.Sized ? length : -1);
            }
        }

        output.Reset(ProxyLoop.KeptOutputSize);
        _connection.FlushLater();
    }

    internal override void WriteBody(ReadOnlySpan<byte> payload)
    {
        _flow.Write(payload);
        _connection.FlushLater();
    }

    internal override void WriteEnd(ReadOnlySpan<byte> trailers)
    {
        _flow.End(trailers);
        _connection.FlushLater();
    }

    internal override void Flush()
    {
        // The connection does, at the end of the tick.
    }

    internal override void PauseBody() => _flow.Pause();

    internal override void ResumeBody()
    {
        _flow.Resume();
        _connection.FlushLater();
    }

    internal override void Break()
    {
        if (_flow.IsOpen)
        {
            _connection.Codec.Reset(_stream, _exchange is { IsTunnel: true } ? Http2ErrorCode.ConnectError : Http2ErrorCode.InternalError);
            _connection.FlushLater();
        }
    }

    internal override void BecomeTunnel(ByteChannel far) =>
        throw new NotSupportedException("a stream is no channel; the exchange copies its bytes");

    internal override void BeginTunnel()
    {
        var early = _early;
        _early = default;
        var generation = _generation;
        if (!early.IsEmpty)
        {
            _exchange!.OnRequestBody(early.Bytes);
            _exchange.FlushRequest();
            if (generation == _generation)
            {
                _flow.Received(early.Length);
            }
        }

        early.Free();
        if (generation == _generation && _stream.HasReceivedEnd && _exchange is { WantsBody: true } exchange)
        {
            exchange.OnRequestEnd([]);
        }
    }

    internal override void OnExchangeDone(bool keep)
    {
        _exchange = null;
        if (!_flow.IsOpen)
        {
            _connection.Loop.Return(this);
            return;
        }

        // Nobody reads the rest of the request any more.
        _flow.Resume();
        if (_flow.IsOpen && !_flow.HasEnd)
        {
            _connection.Codec.Reset(_stream, Http2ErrorCode.Cancel);
        }
        else if (_flow.IsOpen)
        {
            EndIfAnswered();
        }

        _connection.FlushLater();
    }

    /// <summary>An answer that came before the end of the request asks the client to stop sending (RFC 9113 section 8.1).</summary>
    private void EndIfAnswered()
    {
        if (_exchange is null && _flow is { IsOpen: true, HasEnd: true, Unsent: 0 } && !_stream.HasReceivedEnd)
        {
            _connection.Codec.Reset(_stream, Http2ErrorCode.NoError);
        }
    }

    private Exchange Open(Http2Downstream connection, Http2Stream stream)
    {
        _connection = connection;
        _stream = stream;
        _generation++;
        _flow.Open(connection.Codec, stream);
        _exchange = connection.Loop.RentExchange();
        _exchange.Open(this, connection.Service);
        return _exchange;
    }

    /// <summary>False after it has refused the request.</summary>
    private static bool TryRead(Exchange exchange, ReadOnlySpan<byte> head, Http1Rules rules)
    {
        if (Http1Parser.TryParseRequest(head, exchange.Request, rules) == ParseStatus.Done)
        {
            return true;
        }

        var error = exchange.Request.Error;
        exchange.Refuse(new Failure(Http1Downstream.KindOf(error), error.Describe(), error.Status()));
        return false;
    }

    private static void Write(ref NativeBuffer text, in Http2Fields fields)
    {
        text.Clear();
        var extended = !fields.Protocol.IsEmpty;
        text.Append(extended ? "GET"u8 : fields.Method);
        text.Append(" "u8);
        text.Append(fields.Path.IsEmpty ? fields.Authority : fields.Path);
        text.Append(" HTTP/1.1\r\n"u8);
        HeadWriter.AppendLine(ref text, "host"u8, fields.Authority);
        if (extended)
        {
            // What HTTP/1.1 calls an upgrade (RFC 8441 section 5).
            text.Append("connection: upgrade\r\n"u8);
            HeadWriter.AppendLine(ref text, "upgrade"u8, fields.Protocol);
        }

        text.Append(fields.Lines);
        text.Append("\r\n"u8);
    }
}

// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Upstreams;

/// <summary>An HTTP/1.1 connection to an endpoint: serves one exchange at a time, and rests in its pool between them.</summary>
internal sealed partial class Http1Upstream(Http1EndpointPool pool) : SoleUpstream, IByteHandler
{
    private bool _writesChunks;

    /// <summary>Exchanges begun so far.</summary>
    internal int Requests { get; private set; }

    internal long IdleSince { get; set; }

    internal long OpenedAt { get; private set; }

    internal bool IsOpen => Channel is { IsOpen: true };

    private protected override EndpointPool Pool => pool;

    internal override bool IsReused => Requests > 1;

    internal override bool IsFirst => Requests == 1;

    internal override bool HasInput => !_input.IsEmpty;

    internal bool Connect(Connector connector, Exchange exchange, out string? problem)
    {
        Attach(exchange);
        OpenedAt = pool.Loop.Now;
        return Open(connector, this, out problem);
    }

    internal void Attach(Exchange exchange)
    {
        Exchange = exchange;
        Requests++;
        BeginResponse();
    }

    internal override void WriteHead(BodyKind body)
    {
        ref var output = ref Exchange!.Loop.Out;
        _writesChunks = body == BodyKind.Open;
        if (_writesChunks)
        {
            output.Append("transfer-encoding: chunked\r\n"u8);
        }

        if (Exchange.Request.IsUpgrade)
        {
            output.Append("connection: upgrade\r\n"u8);
            WebSocketKey.AppendKey(ref output, Exchange);
        }

        output.Append("\r\n"u8);
    }

    internal override void WriteBody(ReadOnlySpan<byte> payload)
    {
        ref var output = ref Exchange!.Loop.Out;
        if (_writesChunks)
        {
            Http1Framing.AppendChunk(ref output, payload);
        }
        else if (output.IsEmpty)
        {
            Channel!.Write(payload);
        }
        else
        {
            // Head and body leave in one send.
            output.Append(payload);
        }
    }

    internal override void WriteEnd(ReadOnlySpan<byte> trailers)
    {
        if (_writesChunks)
        {
            Http1Framing.AppendLastChunk(ref Exchange!.Loop.Out, trailers);
        }

        Flush();
        if (Exchange is { IsTunnel: true })
        {
            Channel!.ShutdownWrite();
        }
    }

    internal override void Flush()
    {
        ref var output = ref Exchange!.Loop.Out;
        if (!output.IsEmpty)
        {
            Channel!.Write(output.Bytes);
            output.Reset(ProxyLoop.KeptOutputSize);
        }
    }

    internal override void Release(bool requestComplete)
    {
        Exchange = null;
        if (!requestComplete || !_clean)
        {
            Drop(abort: false);
            return;
        }

        Channel!.ResumeReading();
        pool.Return(this);
    }

    /// <summary>Closes a connection that serves nobody.</summary>
    internal void CloseIdle() => Drop(abort: false);

    public void OnConnected() => Begin();

    private protected override void FreeInput() => _input.Free();

    private protected override void LeavePool() => pool.Forget(this);
}

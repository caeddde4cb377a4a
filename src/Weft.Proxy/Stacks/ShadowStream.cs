// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;

namespace Weft.Proxy.Stacks;

/// <summary>The client's side of a copy of a request: there is none, so what it would be told goes nowhere.</summary>
internal sealed class ShadowStream(ProxyLoop loop) : DownstreamStream
{
    /// <summary>Copies under way on a loop; above it requests go without.</summary>
    internal const int Limit = 1024;

    private ClientFacts? _client;
    private bool _isHttp2;
    private Exchange? _exchange;

    internal override ClientFacts Client => _client!;

    internal override bool IsHttp2 => _isHttp2;

    internal override bool CanSplice => false;

    internal override int Unsent => 0;

    /// <param name="client">Of the original.</param>
    /// <param name="isHttp2">What the original came in.</param>
    internal void Open(ClientFacts client, bool isHttp2)
    {
        _client = client;
        _isHttp2 = isHttp2;
    }

    internal void Attach(Exchange exchange) => _exchange = exchange;

    internal override void SendInterim() => loop.Out.Clear();

    internal override void WriteHead(BodyKind body, bool last) => loop.Out.Clear();

    internal override void WriteBody(ReadOnlySpan<byte> payload)
    {
        // Nobody reads it.
    }

    internal override void WriteEnd(ReadOnlySpan<byte> trailers)
    {
        // Nobody reads it.
    }

    internal override void Flush()
    {
        // Nothing was written.
    }

    /// <summary>The copy's server does not keep up; the original must not wait for it.</summary>
    internal override void PauseBody() => _exchange!.GiveUpAside();

    internal override void ResumeBody()
    {
        // It was never paused.
    }

    internal override void Break()
    {
        // Nobody was told anything.
    }

    internal override void BecomeTunnel(ByteChannel far) => throw new InvalidOperationException("a copy becomes no tunnel");

    internal override void BeginTunnel() => throw new InvalidOperationException("a copy becomes no tunnel");

    internal override void OnExchangeDone(bool keep)
    {
        _client = null;
        _exchange = null;
        loop.Return(this);
    }
}

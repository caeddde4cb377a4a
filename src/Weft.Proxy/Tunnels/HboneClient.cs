// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Http2;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;
using Weft.Proxy.Tls;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Tunnels;

/// <summary>The client's end of HBONE: one mutual TLS connection to a workload's port 15008, with a stream for each opaque connection.</summary>
internal sealed class HboneClient : StreamCarrier
{
    private readonly HboneClients _clients;
    private readonly List<(StreamChannel Channel, IpEndpoint Target)> _waiting = [];
    private bool _isConnected;

    internal HboneClient(ProxyLoop loop, HboneClients clients)
        : base(loop, Http2Role.Client)
    {
        _clients = clients;
    }

    internal UpstreamTarget Target { get; private set; } = null!;

    /// <summary>One more tunnel may use it.</summary>
    internal bool CanTake => !IsOver && !Codec.IsDraining && _waiting.Count + Codec.OpenStreams <
        Math.Min(Limits.MaxConcurrentStreams, Codec.HasPeerSettings ? Codec.PeerMaxStreams : Limits.MaxConcurrentStreams);

    private protected override int IdleMs => HboneClients.IdleMs;

    private protected override bool MaySend => _isConnected;

    internal bool Connect(Connector connector, UpstreamTarget target, out string? problem)
    {
        Target = target;
        Channel = connector.Open(target, this, out problem);
        if (Channel is null)
        {
            return false;
        }

        StartTicking();
        return true;
    }

    /// <summary>A tunnel; its handler hears when it is open.</summary>
    internal StreamChannel Open(IpEndpoint target, IByteHandler handler)
    {
        var channel = new StreamChannel(this) { Handler = handler };
        if (!_isConnected)
        {
            _waiting.Add((channel, target));
        }
        else
        {
            Begin(channel, target);
        }

        channel.ResumeReading();
        return channel;
    }

    public override void OnConnected()
    {
        if (Channel is not TlsChannel { Alpn: "h2" })
        {
            Break("the peer does not speak HTTP/2 on its HBONE port", isReset: true);
            return;
        }

        _isConnected = true;
        foreach (var (channel, target) in _waiting)
        {
            Begin(channel, target);
        }

        _waiting.Clear();
        FlushLater();
    }

    public override void OnResponse(Http2Stream stream, in Http2Fields fields, bool endStream)
    {
        if (stream.Owner is not StreamChannel channel || fields.Status < 200)
        {
            return;
        }

        if (fields.Status >= 300 || endStream)
        {
            channel.OnBroken(new ChannelError(0, $"the peer's HBONE port answered {fields.Status}"));
            Codec.Reset(stream, Http2ErrorCode.Cancel);
            return;
        }

        channel.Accept();
        channel.Handler?.OnConnected();
    }

    internal override void GiveUp(StreamChannel channel) => _waiting.RemoveAll(one => one.Channel == channel);

    private protected override void OnOver(string reason)
    {
        _clients.Remove(this);
        while (_waiting.Count > 0)
        {
            var channel = _waiting[^1].Channel;
            _waiting.RemoveAt(_waiting.Count - 1);
            channel.OnBroken(new ChannelError(0, reason));
        }
    }

    private void Begin(StreamChannel channel, IpEndpoint target)
    {
        if (Codec.Open(channel) is not { } stream)
        {
            // The peer takes fewer streams than it seemed.
            channel.OnBroken(new ChannelError(0, "the peer's HBONE connection takes no more streams"));
            return;
        }

        channel.Attach(stream);
        if (Codec.BeginHeaders(stream))
        {
            Codec.Header(":method"u8, "CONNECT"u8);
            Codec.Header(":authority"u8, Encoding.ASCII.GetBytes(target.ToString()));
            Codec.EndHeaders(endStream: false);
        }

        FlushLater();
    }
}

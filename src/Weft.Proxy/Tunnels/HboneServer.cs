// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Globalization;
using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Protocols.Http2;
using Weft.Proxy.Io;
using Weft.Proxy.Listeners;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Tunnels;

/// <summary>
/// The server's end of HBONE: each CONNECT of an authenticated peer becomes an opaque connection to the workload itself, never to anywhere
/// else. Answers as ztunnel does: 200 when the workload is connected, 400 for a target that is not this one's, 503 if it cannot be reached.
/// </summary>
internal sealed class HboneServer : StreamCarrier, IDrainable
{
    private static readonly SearchValues<char> _addressCharacters = SearchValues.Create("0123456789abcdefABCDEF.:[]");

    private readonly AcceptedConnection _accepted;
    private readonly HboneChainPlan _plan;
    private readonly IpEndpoint[] _own;

    private HboneServer(ProxyLoop loop, ByteChannel channel, AcceptedConnection accepted, HboneChainPlan plan)
        : base(loop, Http2Role.Server)
    {
        _accepted = accepted;
        _plan = plan;
        _own = [.. plan.Addresses.Select(text => IpEndpoint.TryParse(text, 0, out var address) ? address : default)];
        Channel = channel;
        channel.Handler = this;
    }

    public Served Served => _accepted.Served;

    public bool IsBusy => Codec.OpenStreams > 0;

    public bool IsLeaving { get; set; }

    private protected override int IdleMs => 600_000;

    private protected override bool MaySend => true;

    /// <summary>Takes a connection over; without a peer's identity there is none.</summary>
    internal static void Start(ProxyLoop loop, ByteChannel channel, AcceptedConnection accepted, HboneChainPlan plan, Span<byte> first)
    {
        if (channel.Peer is null)
        {
            Observe.Refused(loop, accepted, new Failure(FailureKind.BadPreface, "HBONE needs mutual TLS"));
            channel.Abort();
            return;
        }

        var server = new HboneServer(loop, channel, accepted, plan);
        loop.Connections.Add(server);
        server.StartTicking();
        server.FlushLater();
        channel.ResumeReading();
        server.OnData(first);
    }

    public override void OnConnected()
    {
    }

    public override void OnRequest(Http2Stream stream, in Http2Fields fields, bool endStream)
    {
        var channel = new StreamChannel(this);
        channel.Attach(stream);
        if (fields.KnownMethod != KnownMethod.Connect || !fields.Protocol.IsEmpty || endStream)
        {
            Answer(stream, "405"u8, end: true);
        }
        else if (!TryReadTarget(fields.Authority, out var target) || !IsOwn(target))
        {
            Observe.Refused(
                Loop, _accepted, new Failure(FailureKind.NoRoute, $"CONNECT to {Encoding.ASCII.GetString(fields.Authority)}, which is not this workload"));
            Answer(stream, "400"u8, end: true);
        }
        else if (_accepted.Inside(target) is var inside && Loop.Plan.Access.Judge(inside, Peer?.Name) is { } refusal)
        {
            // As ztunnel answers.
            Observe.Refused(Loop, inside, new Failure(FailureKind.Denied, refusal));
            Answer(stream, "401"u8, end: true);
        }
        else
        {
            new HboneRequest(this, channel, inside, _plan).Begin();
        }
    }

    public void Drain()
    {
        if (!IsOver)
        {
            Codec.BeginDrain();
            FlushLater();
        }
    }

    public void Shut() => Break("the proxy stops", isReset: false);

    internal void Answer(Http2Stream stream, ReadOnlySpan<byte> status, bool end)
    {
        if (Codec.BeginHeaders(stream))
        {
            Codec.Header(":status"u8, status);
            Codec.EndHeaders(end);
        }

        FlushLater();
    }

    private protected override void OnOver(string reason) => Loop.Connections.Remove(this);

    /// <summary>Reads the authority of a CONNECT: an address and port in digits, version 6 in brackets.</summary>
    internal static bool TryReadTarget(ReadOnlySpan<byte> authority, out IpEndpoint target)
    {
        target = default;
        var text = Encoding.ASCII.GetString(authority);
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
        {
            return false;
        }

        var host = text[..colon];
        var isBracketed = host is ['[', .., ']'];
        return host.Contains(':', StringComparison.Ordinal) == isBracketed && host.AsSpan().IndexOfAnyExcept(_addressCharacters) < 0 &&
            IpEndpoint.TryParse(isBracketed ? host[1..^1] : host, port, out target);
    }

    /// <summary>The workload's own address, and no port of the proxy itself, where it would come back.</summary>
    private bool IsOwn(IpEndpoint target) =>
        Array.Exists(_own, own => !own.IsNone && own.SameAddress(target)) && !Loop.Plan.Listeners.TakesPort(target.Port);
}

/// <summary>One CONNECT until the workload is connected; then a tunnel has it.</summary>
internal sealed class HboneRequest(HboneServer server, StreamChannel channel, AcceptedConnection accepted, HboneChainPlan plan) : IDialOwner, IByteHandler
{
    private readonly TcpChainPlan _chain = new(plan.StatPrefix, [WeightedClusterPlan.Only(plan.Cluster)], plan.IdleTimeoutMs);
    private Dial? _dial;

    internal void Begin()
    {
        channel.Handler = this;
        _dial = new Dial(server.Loop, accepted, server.Loop.Plan.FindCluster(plan.Cluster), _chain, this);
        _dial.Begin();
    }

    public void OnDialed()
    {
        if (channel.Stream is { } stream)
        {
            server.Answer(stream, "200"u8, end: false);
            channel.Accept();
            TunnelStack.Start(server.Loop, channel, accepted, _chain, _dial, []);
        }
    }

    public void OnServerSpoke()
    {
    }

    public void OnDialFailed(Failure failure)
    {
        Observe.Refused(server.Loop, accepted, failure);
        if (channel.Stream is { } stream)
        {
            channel.Handler = null;
            server.Answer(stream, "503"u8, end: true);
            channel.Close();
        }
    }

    public void OnConnected()
    {
    }

    public void OnData(Span<byte> data)
    {
    }

    public void OnEndOfStream()
    {
    }

    public void OnDrained()
    {
    }

    public void OnFailed(ChannelError error) => _dial?.End();
}

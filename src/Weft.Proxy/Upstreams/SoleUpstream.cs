// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Upstreams;

/// <summary>A connection to an endpoint that serves one exchange at a time: how it comes to stand, fails, and goes.</summary>
internal abstract class SoleUpstream : UpstreamStream, ITimerOwner
{
    private readonly LoopTimer _connectTimer;
    private IpEndpoint _localAddress;
    private string _peerPrincipal = "";
    private bool _connected;

    private protected SoleUpstream() => _connectTimer = new LoopTimer(this);

    internal override bool IsReady => _connected;

    internal override IpEndpoint LocalAddress => _localAddress;

    internal override string PeerPrincipal => _peerPrincipal;

    internal override int Unsent => Channel?.Unsent ?? 0;

    private protected abstract EndpointPool Pool { get; }

    /// <summary>Null before the connection is asked for and after it is gone.</summary>
    private protected ByteChannel? Channel { get; private set; }

    /// <summary>Null while it serves nobody.</summary>
    private protected Exchange? Exchange { get; set; }

    internal override void PauseResponse() => Channel?.PauseReading();

    internal override void ResumeResponse() => Channel?.ResumeReading();

    internal override void Discard() => Drop(abort: true);

    internal override ByteChannel? Detach()
    {
        var channel = Channel;
        Exchange = null;
        Channel = null;
        FreeInput();
        LeavePool();
        return channel;
    }

    public void OnDrained() => Exchange?.OnUpstreamDrained();

    public void OnFailed(ChannelError error)
    {
        var reason = error.Tls ?? IoException.Describe(error.Number);
        Fail(new Failure(_connected ? FailureKind.ConnectionClosed : error.IsTls ? FailureKind.TlsFailed : FailureKind.ConnectFailed, reason));
    }

    public void OnTimer(LoopTimer timer) => Fail(new Failure(FailureKind.ConnectTimeout));

    /// <summary>Memory of what came and was not read yet.</summary>
    private protected virtual void FreeInput()
    {
    }

    /// <summary>The pool counts it no more.</summary>
    private protected abstract void LeavePool();

    private protected bool Open(Connector connector, IByteHandler handler, out string? problem)
    {
        Channel = connector.Open(Pool.Target, handler, out problem);
        if (Channel is null)
        {
            Exchange = null;
            return false;
        }

        Pool.Loop.Timers.Start(_connectTimer, Pool.Loop.Now + Pool.Limits.ConnectTimeoutMs);
        return true;
    }

    /// <summary>The connection stands; its exchange begins.</summary>
    private protected void Begin()
    {
        Pool.Loop.Timers.Stop(_connectTimer);
        _connected = true;
        _localAddress = Channel!.LocalAddress;
        _peerPrincipal = Channel is { Peer: { } peer } && Exchange is { } exchange ? exchange.Loop.PeerNames.Intern(peer.Uri) : "";
        Exchange?.OnUpstreamReady(this);
    }

    /// <summary>The exchange drops the connection in its turn.</summary>
    private protected void Fail(Failure failure)
    {
        if (Exchange is { } exchange)
        {
            exchange.FailTry(this, failure);
        }
        else
        {
            Drop(abort: false);
        }
    }

    private protected void Drop(bool abort)
    {
        Exchange = null;
        Pool.Loop.Timers.Stop(_connectTimer);
        FreeInput();
        if (Channel is not { } channel)
        {
            return;
        }

        Channel = null;
        LeavePool();
        if (abort)
        {
            channel.Abort();
        }
        else
        {
            channel.Close();
        }
    }
}

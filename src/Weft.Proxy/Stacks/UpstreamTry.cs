// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Balancing;
using Weft.Proxy.Io;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Stacks;

/// <summary>
/// One try of an exchange: where it goes, its stream, and what it counts as in its cluster. Every way in which a try can end comes through
/// <see cref="End"/>, so that nothing stays counted.
/// </summary>
internal sealed class UpstreamTry(Exchange exchange)
{
    private LoopCluster? _cluster;
    private EndpointPool? _line;
    private UsageKind _usage;

    private enum UsageKind
    {
        None,
        Pending,
        Active,
    }

    internal Exchange Exchange => exchange;

    /// <summary>Null between tries, and while it stands in its pool's line.</summary>
    internal UpstreamStream? Stream { get; private set; }

    /// <summary>Null for original destinations.</summary>
    internal EndpointState? Endpoint { get; private set; }

    internal IpEndpoint Address { get; private set; }

    /// <summary>When the request left, in the clock's timestamps.</summary>
    internal long SentAt { get; private set; }

    internal bool IsSent { get; private set; }

    /// <summary>The connection was used before: its server may have closed it while the request was on its way.</summary>
    internal bool IsReused { get; private set; }

    /// <summary>It has begun and has not ended.</summary>
    internal bool IsOpen { get; private set; }

    internal bool StandsInLine => _line is not null;

    /// <summary>Neighbours in the line of those that wait for a connection.</summary>
    internal UpstreamTry? NextInLine { get; set; }

    internal UpstreamTry? PreviousInLine { get; set; }

    /// <summary>Begins; nothing has been chosen yet.</summary>
    internal void Clear()
    {
        Stream = null;
        Endpoint = null;
        Address = default;
        SentAt = 0;
        IsSent = IsReused = IsOpen = false;
    }

    /// <summary>An endpoint was chosen.</summary>
    internal void Open(LoopCluster cluster, EndpointState? endpoint, IpEndpoint address)
    {
        Clear();
        IsOpen = true;
        _cluster = cluster;
        Endpoint = endpoint;
        Address = address;
        endpoint?.Begin();
    }

    /// <summary>Stands in the line of a pool that may open no more connections.</summary>
    internal void StandIn(EndpointPool line)
    {
        _line = line;
        Count(UsageKind.Pending);
    }

    /// <summary>The pool has let it out of its line.</summary>
    internal void LeaveLine() => _line = null;

    internal void Attach(UpstreamStream stream)
    {
        Stream = stream;
        IsReused = stream.IsReused;
    }

    /// <summary>Waits for its stream to be ready. False, and counted, if too many do.</summary>
    internal bool TryWait()
    {
        if (_usage == UsageKind.Pending)
        {
            return true;
        }

        if (!_cluster!.Shared.Breaker.MayWait)
        {
            _cluster.Usage.Add(ClusterFigure.PendingOverflow);
            return false;
        }

        Count(UsageKind.Pending);
        return true;
    }

    /// <summary>The request is about to be sent. False, and counted, if the cluster has too many already.</summary>
    internal bool TrySend(long timestamp)
    {
        if (!_cluster!.Shared.Breaker.MayRequest)
        {
            _cluster.Usage.Add(ClusterFigure.PendingOverflow);
            return false;
        }

        Count(UsageKind.Active);
        SentAt = timestamp;
        return IsSent = true;
    }

    /// <summary>The endpoint answered.</summary>
    internal void NoteAnswer(int status)
    {
        if (Endpoint is { } endpoint && IsOpen)
        {
            _cluster!.Answered(endpoint, status, SentAt);
        }
    }

    /// <summary>The endpoint is judged by what fails there.</summary>
    internal void NoteFailure(in Failure failure)
    {
        if (!IsOpen || failure.Side != Side.Upstream)
        {
            return;
        }

        switch (failure.Kind)
        {
            case FailureKind.ConnectFailed or FailureKind.TlsFailed:
                _cluster!.Usage.Add(ClusterFigure.ConnectFailed);
                Endpoint?.Tally.AddConnectFailure();
                break;
            case FailureKind.ConnectTimeout:
                _cluster!.Usage.Add(ClusterFigure.ConnectFailed);
                _cluster.Usage.Add(ClusterFigure.ConnectTimeouts);
                Endpoint?.Tally.AddConnectFailure();
                break;
            case FailureKind.RequestTimeout or FailureKind.PerTryTimeout or FailureKind.PerTryIdle:
                _cluster!.Usage.Add(failure.Kind switch
                {
                    FailureKind.RequestTimeout => ClusterFigure.RequestTimeouts,
                    FailureKind.PerTryTimeout => ClusterFigure.PerTryTimeouts,
                    _ => ClusterFigure.PerTryIdleTimeouts,
                });
                Endpoint?.Tally.AddTimeout();
                break;
        }

        if (Endpoint is { } endpoint)
        {
            _cluster!.FailedLocally(endpoint);
        }
    }

    /// <summary>Gives the try up; the server is told by a reset.</summary>
    internal void Drop()
    {
        var stream = Stream;
        End();
        stream?.Discard();
    }

    /// <summary>The response is complete.</summary>
    internal void Release(bool requestComplete)
    {
        var stream = Stream;
        End();
        stream?.Release(requestComplete);
    }

    /// <summary>Takes the connection for a tunnel; null where it is shared. The try stays open, and counted, until the tunnel ends.</summary>
    internal ByteChannel? Detach()
    {
        var channel = Stream!.Detach();
        if (channel is not null)
        {
            Stream = null;
        }

        return channel;
    }

    /// <summary>The try is over; what was known of it stays, for the log.</summary>
    internal void End()
    {
        if (!IsOpen)
        {
            return;
        }

        IsOpen = false;
        Stream = null;
        Endpoint?.End();
        _line?.Leave(this);
        _line = null;
        Count(UsageKind.None);
    }

    private void Count(UsageKind usage)
    {
        if (usage == _usage)
        {
            return;
        }

        var counters = _cluster!.Usage;
        if (_usage != UsageKind.None)
        {
            counters.Add(_usage == UsageKind.Pending ? ClusterFigure.Pending : ClusterFigure.Requests, -1);
        }

        _usage = usage;
        if (usage == UsageKind.Pending)
        {
            counters.Add(ClusterFigure.Pending);
            counters.Add(ClusterFigure.PendingBegun);
        }
        else if (usage == UsageKind.Active)
        {
            counters.Add(ClusterFigure.Requests);
            counters.Add(ClusterFigure.RequestsBegun);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Threading.Channels;
using Envoy.Service.Discovery.V3;
using Microsoft.Extensions.Logging;
using Weft.Wire;
using Weft.Wire.Ads;

namespace Weft.Control.Serving;

/// <summary>
/// One proxy's delta stream. One task reads, one drives the state machine and writes; a plan that arrives while an older one is
/// being sent takes its place, so a slow proxy costs one plan and no queue.
/// </summary>
internal sealed partial class ProxyStream
{
    private readonly GrpcCall _call;
    private readonly TimeProvider _time;
    private readonly Counters _counters;
    private readonly ILogger _log;
    private readonly DeltaServerSession _session = new();
    private readonly Channel<DeltaDiscoveryRequest> _requests;
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Dictionary<string, TypeStatus> _types;
    private readonly Dictionary<string, (string Nonce, long Snapshot)> _outstanding = new(StringComparer.Ordinal);
    private ProxyPush? _newest;
    private ProxyPush? _current;
    private bool _converging;
    private ProxyStatus _status;

    public ProxyStream(GrpcCall call, ProxyPeer peer, ServingLimits limits, TimeProvider time, Counters counters, ILogger log)
    {
        (_call, Peer, _time, _counters, _log) = (call, peer, time, counters, log);
        var message = peer.Message;
        _requests = Channel.CreateBounded<DeltaDiscoveryRequest>(limits.MaxQueuedRequests);
        _types = TypeUrls.InOrder.ToDictionary(type => type, type => TypeStatus.None(TypeUrls.ShortName(type)), StringComparer.Ordinal);
        _status = new ProxyStatus(
            peer.Node.ProxyName,
            message.Id,
            peer.Cluster,
            message.UserAgentVersion.Length > 0 ? message.UserAgentVersion : NodeId.Claim(message, "proxyVersion", "ISTIO_VERSION") ?? "",
            time.GetUtcNow(),
            [.. _types.Values]);
    }

    /// <summary>Who is at the other end.</summary>
    public ProxyPeer Peer { get; }

    public ProxyStatus Status => Volatile.Read(ref _status);

    /// <summary>The plan last given to the proxy.</summary>
    public ProxyPush? Plan => Volatile.Read(ref _newest);

    /// <summary>Gives the stream a new plan to bring to its proxy. Never waits.</summary>
    public void Offer(ProxyPush plan)
    {
        Volatile.Write(ref _newest, plan);
        _wake.Writer.TryWrite(true);
    }

    /// <summary>Serves until the proxy leaves or the token is cancelled; throws a refusal that ends the call with its status.</summary>
    public async Task RunAsync(DeltaDiscoveryRequest first, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Take(first);
        var reading = ReadAsync(stop.Token);
        try
        {
            await DriveAsync(stop.Token);
        }
        finally
        {
            await stop.CancelAsync();
            await reading.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private async Task ReadAsync(CancellationToken cancellation)
    {
        Exception? failure = null;
        try
        {
            while (await _call.ReadAsync(DeltaDiscoveryRequest.Parser, cancellation) is { } request)
            {
                await _requests.Writer.WriteAsync(request, cancellation);
                _wake.Writer.TryWrite(true);
            }
        }
        catch (Exception error)
        {
            // Rethrown by the driving task when it has taken what came before.
            failure = error;
        }

        _requests.Writer.TryComplete(failure);
        _wake.Writer.TryWrite(true);
    }

    private async Task DriveAsync(CancellationToken cancellation)
    {
        while (!_requests.Reader.Completion.IsCompleted)
        {
            while (_requests.Reader.TryRead(out var request))
            {
                Take(request);
            }

            var plan = Plan;
            if (plan is not null && !ReferenceEquals(plan, _current))
            {
                _current = plan;
                _converging = plan.ChangedAt is not null;
                _session.Update(plan.Resources);
            }

            if (_session.Next() is { } response)
            {
                Note(response);
                await _call.WriteAsync(response, cancellation);
                continue;
            }

            Publish();
            await _wake.Reader.ReadAsync(cancellation);
        }

        await _requests.Reader.Completion;
    }

    private void Take(DeltaDiscoveryRequest request)
    {
        if (_outstanding.Remove(request.TypeUrl, out var sent) && sent.Nonce == request.ResponseNonce)
        {
            Answered(request, sent.Snapshot);
        }
        else if (sent.Nonce is not null)
        {
            _outstanding[request.TypeUrl] = sent;
        }

        if (_session.Receive(request) is { } refusal)
        {
            throw new GrpcRefusalException(GrpcStatusCode.InvalidArgument, refusal);
        }
    }

    private void Answered(DeltaDiscoveryRequest request, long snapshot)
    {
        var status = _types[request.TypeUrl];
        if (request.ErrorDetail is not { } error)
        {
            _types[request.TypeUrl] = status with { Acknowledged = snapshot, AcknowledgedAt = _time.GetUtcNow(), Reason = "" };
            return;
        }

        _types[request.TypeUrl] = status with { Reason = error.Message };
        _counters.Rejected(status.Type.ToLowerInvariant());
        LogRejected(Peer.Node.ProxyName, status.Type, snapshot, error.Message);
    }

    private void Note(DeltaDiscoveryResponse response)
    {
        var snapshot = _current!.Snapshot;
        var status = _types[response.TypeUrl];
        _types[response.TypeUrl] = status with { Sent = snapshot, SentAt = _time.GetUtcNow() };
        _outstanding[response.TypeUrl] = (response.Nonce, snapshot);
        _counters.Pushed(status.Type.ToLowerInvariant());
        LogSent(Peer.Node.ProxyName, status.Type, response.Resources.Count, response.RemovedResources.Count, snapshot);
    }

    private void Publish()
    {
        if (_converging && _session.IsIdle && TypeUrls.InOrder.All(type => _session.LastError(type).Length == 0))
        {
            _converging = false;
            _counters.Converged(_time.GetUtcNow() - _current!.ChangedAt!.Value);
        }

        var types = ImmutableArray.CreateBuilder<TypeStatus>(_types.Count);
        foreach (var url in TypeUrls.InOrder)
        {
            types.Add(_types[url] = _types[url] with { State = StateOf(url) });
        }

        Volatile.Write(ref _status, _status with { Types = types.MoveToImmutable() });
    }

    private string StateOf(string typeUrl) => _session.LastError(typeUrl).Length > 0
        ? TypeStatus.Rejected
        : _session.StateOf(typeUrl) switch
        {
            SyncState.Synced => TypeStatus.Synced,
            SyncState.Stale => TypeStatus.Stale,
            _ => TypeStatus.NotSent,
        };

    [LoggerMessage(3001, LogLevel.Warning, "Proxy '{Proxy}' refused {Type} of snapshot {Snapshot}: {Reason} It keeps what it had.")]
    private partial void LogRejected(string proxy, string type, long snapshot, string reason);

    [LoggerMessage(3002, LogLevel.Debug, "Sent {Type} to '{Proxy}': {Changed} changed, {Removed} removed, snapshot {Snapshot}.")]
    private partial void LogSent(string proxy, string type, int changed, int removed, long snapshot);
}

// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using Weft.Kubernetes;
using Weft.Local.Controllers;
using Weft.Local.Controllers.Nodes;
using Weft.Local.Network;

namespace Weft.Local.Agent;

/// <summary>
/// Keeps the Node objects of this machine alive, and says of one that was stopped what a cluster says of a silent machine: after a time
/// without a heartbeat it is not ready (and then neither are its pods, see <see cref="NodeLifecycle"/>).
/// </summary>
internal sealed partial class NodeHeartbeats(KubernetesClient client, NodeAgent agent, Informer pods, LocalNodeOptions options)
{
    /// <summary>A cluster waits 40 s; here nobody else can have been the reason for the silence.</summary>
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan _look = TimeSpan.FromSeconds(1);

    /// <summary>Shorter than the time after which pods of a node that somebody deleted are collected.</summary>
    private static readonly TimeSpan _beat = TimeSpan.FromSeconds(30);

    private readonly NodeLease _lease = new(client, options.Time, options.Joined is not null);
    private readonly Dictionary<string, long> _since = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _renewed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _stoppedAt = new(StringComparer.Ordinal);
    private readonly Dictionary<string, State> _told = new(StringComparer.Ordinal);

    private enum State
    {
        Alive,
        Silent,
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        await pods.WhenSyncedAsync(ct);
        if (options.Joined is null)
        {
            await ForgetAsync(ct);
        }

        while (true)
        {
            foreach (var node in options.Nodes)
            {
                try
                {
                    await LookAfterAsync(node.Name, new NodeRegistration(client, options.Time, node), ct);
                }
                catch (Exception e) when (e is KubernetesException or HttpRequestException or TimeoutException or IOException)
                {
                    LogFailed(options.Log, node.Name, e.Message);
                }
            }

            await Task.Delay(_look, options.Time, ct);
        }
    }

    /// <summary>An earlier mesh had more nodes: they are no more, and what was bound to them is made anew elsewhere.</summary>
    private async Task ForgetAsync(CancellationToken ct)
    {
        var here = options.Nodes.Select(n => n.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var node in (await client.ListAsync(Kinds.Node, null, null, ct)).Objects("items").Where(n => IsOurs(n.Name()) && !here.Contains(n.Name())))
        {
            foreach (var pod in pods.Items.Where(p => p.Text("spec", "nodeName") == node.Name()))
            {
                await client.DeleteNowAsync(Kinds.Pod, pod.Namespace(), pod.Name(), pod.Uid(), ct);
            }

            await client.DeleteAsync(Kinds.Node, null, node.Name(), ct);
        }
    }

    private static bool IsOurs(string node) => node.StartsWith(NodePlace.FirstName + "-", StringComparison.Ordinal);

    private async Task LookAfterAsync(string node, NodeRegistration registration, CancellationToken ct)
    {
        var state = agent.IsStopped(node) ? State.Silent : State.Alive;
        if (!_told.TryGetValue(node, out var told) || told != state)
        {
            if (state == State.Silent)
            {
                // The last heartbeat was a moment ago.
                _stoppedAt.TryAdd(node, options.Time.GetTimestamp());
                if (options.Time.GetElapsedTime(_stoppedAt[node]) < _grace)
                {
                    return;
                }

                await registration.TellSilentAsync(ct);
            }

            _stoppedAt.Remove(node);
            _told[node] = state;
            _since.Remove(node);
        }

        if (state == State.Alive && (!_renewed.TryGetValue(node, out var renewed) || options.Time.GetElapsedTime(renewed) >= _lease.Period))
        {
            await _lease.RenewAsync(node, ct);
            _renewed[node] = options.Time.GetTimestamp();
        }

        if (state == State.Alive && (!_since.TryGetValue(node, out var last) || options.Time.GetElapsedTime(last) >= (options.Joined is null ? _beat : NodeLease.JoinedPeriod)))
        {
            await registration.TellReadyAsync(ct);
            _since[node] = options.Time.GetTimestamp();
        }
    }

    [LoggerMessage(5440, LogLevel.Warning, "The node {Node} could not be told of: {Reason}")]
    private static partial void LogFailed(ILogger log, string node, string reason);
}

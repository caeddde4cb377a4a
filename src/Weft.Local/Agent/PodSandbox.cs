// SPDX-License-Identifier: Apache-2.0

using System.Net;
using Weft.Local.Capture;
using Weft.Local.Network;

namespace Weft.Local.Agent;

/// <summary>A pod's surroundings: its address, its network with capture in force, the processes it shares, and what its sidecar finds on disk.</summary>
internal sealed class PodSandbox(PodScene scene, ProxyFiles proxyFiles) : IAsyncDisposable
{
    private IPAddress? _address;
    private SharedProcesses? _shared;

    /// <summary>Null before it is made, and at the end.</summary>
    public PodNetwork? Network { get; private set; }

    /// <summary>A process whose namespace every container enters; 0 when each has one of its own.</summary>
    public int ProcessesOf { get; private set; }

    /// <summary>Makes what is missing; after a failure it may be called again.</summary>
    /// <param name="life">The sidecar's token is renewed until this is cancelled.</param>
    public async Task OpenAsync(PodSpec pod, CancellationToken life, CancellationToken ct)
    {
        var capture = pod is { IsMeshed: true, IsGateway: false } ? CaptureSettings.Parse(pod.Source) : null;
        _address ??= scene.Addresses.Rent();
        Network ??= await PodNetwork.OpenAsync(_address, scene.Node, ct);
        if (capture is not null)
        {
            await scene.Capture.ApplyAsync(Network, capture, ct);
        }

        if (pod.SharesNodeProcesses)
        {
            ProcessesOf = Environment.ProcessId;
        }
        else if (pod.SharesProcesses)
        {
            _shared ??= await SharedProcesses.StartAsync(ct);
            ProcessesOf = _shared.FirstId;
        }

        if (pod.IsMeshed)
        {
            var expires = await proxyFiles.WriteAsync(_address.ToString(), ct);
            _ = KeepTokenAsync(expires, life);
        }
    }

    /// <summary>May be called more than once.</summary>
    public async ValueTask DisposeAsync()
    {
        _shared?.Dispose();
        _shared = null;
        if (Network is { } network)
        {
            Network = null;
            await network.DisposeAsync();
        }

        if (_address is { } address)
        {
            _address = null;
            scene.Addresses.Return(address);
        }
    }

    private async Task KeepTokenAsync(DateTimeOffset expires, CancellationToken life)
    {
        try
        {
            await proxyFiles.RenewAsync(expires, life);
        }
        catch (OperationCanceledException)
        {
            // The pod ends; nobody needs its token.
        }
    }
}

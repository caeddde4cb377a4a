// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Control.Registry;
using Weft.Kubernetes;

namespace Weft.Control.Serving;

/// <summary>
/// Machines that are no pods and register themselves: while the proxy of one is connected that names a WorkloadGroup, there is a WorkloadEntry
/// for it. It outlives the connection for a moment, so that a proxy that comes back loses no traffic.
/// </summary>
internal sealed partial class MachineRegistrations(
    KubernetesClient client, Informer entries, ServingLimits limits, TimeProvider time, ILogger<MachineRegistrations> log)
{
    /// <summary>How many streams hold an entry: of a proxy that reconnects the old one may still be dying.</summary>
    private readonly Dictionary<(string Namespace, string Name), int> _held = [];

    /// <summary>Makes the entry, if the proxy asks for one; answers its name, to be given to <see cref="CloseAsync"/>.</summary>
    /// <exception cref="GrpcRefusalException">The proxy may not be of the group.</exception>
    public async Task<string?> OpenAsync(ProxyPeer peer, CancellationToken cancellation)
    {
        if (NodeId.Claim(peer.Message, "autoRegisterGroup", "AUTO_REGISTER_GROUP") is not { } name)
        {
            return null;
        }

        var ns = peer.Node.Namespace;
        var group = await FindAsync(Kinds.WorkloadGroup, ns, name, cancellation)
            ?? throw new GrpcRefusalException(GrpcStatusCode.PermissionDenied, $"There is no WorkloadGroup '{ns}/{name}' that the proxy could register with.");
        if (MachineEntry.AccountOf(group) != peer.Caller.Id.ServiceAccount)
        {
            throw new GrpcRefusalException(
                GrpcStatusCode.PermissionDenied,
                $"WorkloadGroup '{ns}/{name}' is for service account '{MachineEntry.AccountOf(group)}', but the token belongs to '{peer.Caller.Id}'.");
        }

        if (!IPAddress.TryParse(peer.Node.Address, out _))
        {
            throw new GrpcRefusalException(GrpcStatusCode.InvalidArgument, $"The proxy says no address of its own: '{peer.Node.Address}' is none.");
        }

        var labels = NodeId.Labels(peer.Message).Select(l => KeyValuePair.Create(l.Key, l.Value));
        var entry = MachineEntry.Make(group, peer.Node.Address, labels, time.GetUtcNow());
        Hold((ns, entry.Name()), 1);
        try
        {
            await WriteAsync(entry, name, cancellation);
        }
        catch (Exception error) when (error is KubernetesException or HttpRequestException or TimeoutException or IOException)
        {
            Hold((ns, entry.Name()), -1);
            throw new GrpcRefusalException(GrpcStatusCode.Unavailable, $"The machine's WorkloadEntry cannot be written: {error.Message}");
        }
        catch
        {
            Hold((ns, entry.Name()), -1);
            throw;
        }

        LogRegistered(ns, entry.Name());
        return entry.Name();
    }

    /// <summary>Takes the entry away if nobody else holds it and nobody comes back in time.</summary>
    public async Task CloseAsync(string ns, string name, CancellationToken cancellation)
    {
        Hold((ns, name), -1);
        try
        {
            await Task.Delay(limits.RegistrationGrace, time, cancellation);
            await RemoveAsync(ns, name, cancellation);
        }
        catch (OperationCanceledException)
        {
            // The control plane is stopping: its successor takes away what does not come back.
        }
    }

    /// <summary>Takes away entries of machines that did not come back after the control plane was started again.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        await entries.WhenSyncedAsync(cancellation);
        var before = entries.Items.Where(MachineEntry.IsOurs).Select(e => (Namespace: e.Namespace(), Name: e.Name())).ToList();
        await Task.Delay(limits.ReturnTime, time, cancellation);
        foreach (var (ns, name) in before)
        {
            await RemoveAsync(ns, name, cancellation);
        }

        await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellation);
    }

    private async Task WriteAsync(JsonObject entry, string group, CancellationToken cancellation)
    {
        try
        {
            await client.CreateAsync(Kinds.WorkloadEntry, entry.Namespace(), entry, cancellation);
        }
        catch (KubernetesException known) when (known.IsAlreadyExists)
        {
            var present = await FindAsync(Kinds.WorkloadEntry, entry.Namespace(), entry.Name(), cancellation);
            if (present is not null && !MachineEntry.IsOf(present, group))
            {
                throw new GrpcRefusalException(
                    GrpcStatusCode.PermissionDenied, $"WorkloadEntry '{entry.Namespace()}/{entry.Name()}' was written by somebody else; the machine cannot take its place.");
            }

            entry["metadata"]!.AsObject().Remove("ownerReferences");
            await client.PatchAsync(Kinds.WorkloadEntry, entry.Namespace(), entry.Name(), entry, cancellation);
        }
    }

    private async Task RemoveAsync(string ns, string name, CancellationToken cancellation)
    {
        lock (_held)
        {
            if (_held.ContainsKey((ns, name)))
            {
                return;
            }
        }

        try
        {
            if (await FindAsync(Kinds.WorkloadEntry, ns, name, cancellation) is { } entry && MachineEntry.IsOurs(entry))
            {
                await client.DeleteAsync(Kinds.WorkloadEntry, ns, name, cancellation);
                LogGone(ns, name);
            }
        }
        catch (Exception error) when (error is KubernetesException or HttpRequestException or TimeoutException or IOException)
        {
            LogLeft(ns, name, error.Message);
        }
    }

    private async Task<JsonObject?> FindAsync(ResourceKind kind, string ns, string name, CancellationToken cancellation)
    {
        try
        {
            return await client.GetAsync(kind, ns, name, cancellation);
        }
        catch (KubernetesException missing) when (missing.IsNotFound)
        {
            return null;
        }
        catch (Exception error) when (error is KubernetesException or HttpRequestException or TimeoutException or IOException)
        {
            throw new GrpcRefusalException(GrpcStatusCode.Unavailable, $"The API cannot be asked for {kind.Kind} '{ns}/{name}': {error.Message}");
        }
    }

    private void Hold((string, string) key, int change)
    {
        lock (_held)
        {
            var count = _held.GetValueOrDefault(key) + change;
            if (count > 0)
            {
                _held[key] = count;
            }
            else
            {
                _held.Remove(key);
            }
        }
    }

    [LoggerMessage(3401, LogLevel.Information, "A machine has registered as WorkloadEntry {Namespace}/{Name}.")]
    private partial void LogRegistered(string @namespace, string name);

    [LoggerMessage(3402, LogLevel.Information, "WorkloadEntry {Namespace}/{Name} is taken away: its machine is gone.")]
    private partial void LogGone(string @namespace, string name);

    [LoggerMessage(3403, LogLevel.Warning, "WorkloadEntry {Namespace}/{Name} of a machine that is gone cannot be taken away: {Reason}")]
    private partial void LogLeft(string @namespace, string name, string reason);
}

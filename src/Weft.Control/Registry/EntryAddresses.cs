// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;

namespace Weft.Control.Registry;

/// <summary>Gives addresses to ServiceEntries and writes them into their status, where every reader finds them.</summary>
internal sealed partial class EntryAddresses
{
    private static readonly TimeSpan _retry = TimeSpan.FromSeconds(5);

    private readonly KubernetesClient _client;
    private readonly Informer _entries;
    private readonly TimeProvider _time;
    private readonly ILogger<EntryAddresses> _log;
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public EntryAddresses(KubernetesClient client, Informer entries, TimeProvider time, ILogger<EntryAddresses> log)
    {
        (_client, _entries, _time, _log) = (client, entries, time, log);
        entries.Changed += _ => _wake.Writer.TryWrite(true);
    }

    public async Task RunAsync(CancellationToken cancellation)
    {
        await _entries.WhenSyncedAsync(cancellation);
        while (true)
        {
            if (!await GiveAsync(cancellation))
            {
                await Task.Delay(_retry, _time, cancellation);
                _wake.Writer.TryWrite(true);
            }

            await _wake.Reader.ReadAsync(cancellation);
        }
    }

    /// <summary>False if something is to be tried again.</summary>
    private async Task<bool> GiveAsync(CancellationToken cancellation)
    {
        var (changes, left) = AddressPlan.Make(_entries.Items);
        if (left > 0)
        {
            LogFull(AddressPlan.Size, left);
        }

        var done = true;
        foreach (var (entry, addresses) in changes)
        {
            try
            {
                var status = new JsonObject { ["status"] = new JsonObject { ["addresses"] = addresses } };
                await _client.PatchStatusAsync(_entries.Kind, entry.Namespace(), entry.Name(), status, cancellation);
            }
            catch (KubernetesException gone) when (gone.IsNotFound)
            {
                // Deleted in the meantime; its address is free with the next round.
            }
            catch (Exception away) when (away is KubernetesException or HttpRequestException or TimeoutException or IOException)
            {
                LogFailed(entry.Namespace(), entry.Name(), away.Message);
                done = false;
            }
        }

        return done;
    }

    [LoggerMessage(3301, LogLevel.Warning, "ServiceEntry {Namespace}/{Name} gets no address: {Reason} It is tried again.")]
    private partial void LogFailed(string @namespace, string name, string reason);

    [LoggerMessage(3302, LogLevel.Warning, "All {Size} addresses for ServiceEntries are given; {Left} hosts have none.")]
    private partial void LogFull(int size, int left);
}

// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Weft.ApiServer.Storage.Etcd;

/// <summary>Lets etcd forget, every five minutes, what no watch can go back to any more.</summary>
internal sealed partial class EtcdCompactor(EtcdClient client, TimeProvider clock, ILogger log) : IDisposable
{
    private const int OutOfRange = 11;
    private static readonly TimeSpan _interval = TimeSpan.FromMinutes(5);
    private ITimer? _timer;

    public void Start(ObjectStore store) => _timer = clock.CreateTimer(_ => Compact(client, store.Version - ApiLimits.HistoryLength, log), null, _interval, _interval);

    /// <summary>Forgets what was before <paramref name="revision"/>.</summary>
    public static void Compact(EtcdClient client, long revision, ILogger log)
    {
        if (revision <= 0)
        {
            return;
        }

        try
        {
            client.Call("/v3/kv/compaction", new JsonObject { ["revision"] = $"{revision}" }, changes: true);
        }
        catch (EtcdException done) when (done.Code == OutOfRange)
        {
            // Another server was faster.
        }
        catch (EtcdException problem)
        {
            LogFailed(log, problem.Message);
        }
    }

    public void Dispose() => _timer?.Dispose();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Etcd could not be compacted: {Why}")]
    private static partial void LogFailed(ILogger log, string why);
}

// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Collecting;

/// <summary>Forgets events that nobody has repeated for an hour.</summary>
internal sealed class EventExpiry(ObjectStore store, TimeProvider clock)
{
    private const string Resource = "events";

    private static readonly TimeSpan _pause = TimeSpan.FromMinutes(1);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(_pause, clock, cancellationToken);
            Sweep();
        }
    }

    private void Sweep()
    {
        var oldest = clock.GetUtcNow() - TimeSpan.FromSeconds(ApiLimits.EventSeconds);
        foreach (var item in store.Snapshot(Resource).Objects.Values.Where(item => LastSeen(item.Parse()) < oldest))
        {
            // Whoever repeated it meanwhile keeps it.
            store.TryRemove(item);
        }
    }

    private static DateTimeOffset LastSeen(JsonObject tree)
    {
        JsonNode?[] moments =
        [
            tree.At("metadata", "creationTimestamp"), tree["firstTimestamp"], tree["lastTimestamp"], tree["eventTime"], tree.At("series", "lastObservedTime"),
            .. tree.At("metadata", "managedFields").Items().Select(entry => entry["time"]),
        ];
        return moments.Max(moment => DateTimeOffset.TryParse(
            moment.Text(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var found) ? found : DateTimeOffset.MinValue);
    }
}

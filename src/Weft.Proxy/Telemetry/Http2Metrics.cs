// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http2;

namespace Weft.Proxy.Telemetry;

/// <summary>What the HTTP/2 connections of all loops have seen, both sides together, as one metric family.</summary>
internal static class Http2Metrics
{
    private static readonly (string Event, Func<Http2Pool, long> Count)[] _events =
    [
        ("streams", pool => pool.Counters.Streams),
        ("refused_streams", pool => pool.Counters.RefusedStreams),
        ("peer_resets", pool => pool.Counters.PeerResets),
        ("forced_resets", pool => pool.Counters.ForcedResets),
        ("malformed_messages", pool => pool.Counters.MalformedMessages),
        ("oversized_header_lists", pool => pool.Counters.OversizedHeaderLists),
        ("stalled_streams", pool => pool.Counters.StalledStreams),
        ("floods", pool => pool.Counters.Floods),
        ("connection_errors", pool => pool.Counters.ConnectionErrors),
        ("continuation_frames", pool => pool.Counters.ContinuationFrames),
        ("settings_frames", pool => pool.Counters.SettingsFrames),
        ("pings", pool => pool.Counters.Pings),
        ("priority_frames", pool => pool.Counters.PriorityFrames),
        ("window_updates", pool => pool.Counters.WindowUpdates),
        ("empty_frames", pool => pool.Counters.EmptyFrames),
        ("unknown_frames", pool => pool.Counters.UnknownFrames),
        ("goaways_received", pool => pool.Counters.GoAwaysReceived),
    ];

    internal static void Add(MetricsText text, IReadOnlyCollection<Http2Pool> pools) => text.AddFamily(
        "weft_http2_events_total",
        "counter",
        _events.Select(row => ($"event=\"{row.Event}\"", (double)pools.Sum(row.Count))));
}

// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <summary>What the connections of one pool have seen since it was made; each field is one metric.</summary>
public struct Http2Counters
{
    /// <summary>Streams opened by either side.</summary>
    public long Streams { get; internal set; }

    /// <summary>Streams refused because the peer had <see cref="Http2Limits.MaxConcurrentStreams"/> open.</summary>
    public long RefusedStreams { get; internal set; }

    /// <summary>RST_STREAM frames from peers.</summary>
    public long PeerResets { get; internal set; }

    /// <summary>Streams that peers made us reset.</summary>
    public long ForcedResets { get; internal set; }

    /// <summary>Messages that break a rule of RFC 9113 section 8.</summary>
    public long MalformedMessages { get; internal set; }

    /// <summary>Header lists over <see cref="Http2Limits.MaxHeaderListBytes"/> or <see cref="Http2Limits.MaxHeaderFields"/>.</summary>
    public long OversizedHeaderLists { get; internal set; }

    /// <summary>Streams reset because the peer did not let us send.</summary>
    public long StalledStreams { get; internal set; }

    /// <summary>Connections ended with ENHANCE_YOUR_CALM: one of the limits of floods was passed.</summary>
    public long Floods { get; internal set; }

    /// <summary>Connections ended by any other error that the peer made.</summary>
    public long ConnectionErrors { get; internal set; }

    public long DataFramesReceived { get; internal set; }

    public long DataFramesSent { get; internal set; }

    public long ContinuationFrames { get; internal set; }

    public long SettingsFrames { get; internal set; }

    public long Pings { get; internal set; }

    public long PriorityFrames { get; internal set; }

    public long WindowUpdates { get; internal set; }

    public long EmptyFrames { get; internal set; }

    public long UnknownFrames { get; internal set; }

    public long GoAwaysReceived { get; internal set; }
}

// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <summary>What the connections of one pool have seen since it was made; each field is one metric.</summary>
public struct Http2Counters
{
    /// <summary>Streams opened by either side.</summary>
    public long Streams;

    /// <summary>Streams refused because the peer had <see cref="Http2Limits.MaxConcurrentStreams"/> open.</summary>
    public long RefusedStreams;

    /// <summary>RST_STREAM frames from peers.</summary>
    public long PeerResets;

    /// <summary>Streams that peers made us reset.</summary>
    public long ForcedResets;

    /// <summary>Messages that break a rule of RFC 9113 section 8.</summary>
    public long MalformedMessages;

    /// <summary>Header lists over <see cref="Http2Limits.MaxHeaderListBytes"/> or <see cref="Http2Limits.MaxHeaderFields"/>.</summary>
    public long OversizedHeaderLists;

    /// <summary>Streams reset because the peer did not let us send.</summary>
    public long StalledStreams;

    /// <summary>Connections ended with ENHANCE_YOUR_CALM: one of the limits of floods was passed.</summary>
    public long Floods;

    /// <summary>Connections ended by any other error that the peer made.</summary>
    public long ConnectionErrors;

    public long DataFramesReceived;

    public long DataFramesSent;

    public long ContinuationFrames;

    public long SettingsFrames;

    public long Pings;

    public long PriorityFrames;

    public long WindowUpdates;

    public long EmptyFrames;

    public long UnknownFrames;

    public long GoAwaysReceived;
}

// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <summary>What came within the present window of time, and what it is weighed against.</summary>
internal struct FloodWindow
{
    internal int PeerResets;
    internal int ForcedResets;
    internal int Settings;
    internal int Pings;
    internal int Empties;
    internal int Priorities;
    internal int WindowUpdates;
    internal int Unknowns;

    private long _beganMs;
    private int _useful;
    private int _usefulBefore;
    private int _dataSent;
    private int _dataSentBefore;

    /// <summary>Frames that carried something in this window and the one before.</summary>
    internal readonly int Useful => _useful + _usefulBefore;

    /// <summary>DATA frames that we sent in this window and the one before; the peer answers them with window updates.</summary>
    internal readonly int DataSent => _dataSent + _dataSentBefore;

    internal void CountUseful() => _useful++;

    internal void CountDataSent() => _dataSent++;

    /// <summary>Begins a new window if the present one is over.</summary>
    internal void Roll(long nowMs, int lengthMs)
    {
        var past = nowMs - _beganMs;
        if (past < lengthMs)
        {
            return;
        }

        this = new FloodWindow
        {
            _beganMs = nowMs,
            _usefulBefore = past < 2L * lengthMs ? _useful : 0,
            _dataSentBefore = past < 2L * lengthMs ? _dataSent : 0,
        };
    }
}

// SPDX-License-Identifier: Apache-2.0

namespace Weft.Wire.Ads;

/// <summary>How far a client is with one type.</summary>
public enum SyncState
{
    NotSent,
    Synced,
    Stale,
}

// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <summary>
/// What the connections of one thread share, so that an idle one holds next to nothing: streams and buffers at rest, the memory
/// in which header sections are decoded, and the counters.
/// </summary>
public sealed class Http2Pool
{
    private Http2Counters _counters;

    /// <summary>What the connections of this pool have seen.</summary>
    public ref readonly Http2Counters Counters => ref _counters;

    internal ref Http2Counters Count => ref _counters;
}

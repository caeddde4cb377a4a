// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Hpack;

namespace Weft.Protocols.Http2;

/// <summary>
/// What the connections of one thread share, so that an idle one holds next to nothing: streams and buffers at rest, the memory
/// in which header sections are decoded, and the counters.
/// </summary>
public sealed class Http2Pool
{
    /// <summary>Streams kept for later; more are left to the garbage collector.</summary>
    public const int MaxStreamsAtRest = 4096;

    private readonly Stack<Http2Stream> _streams = new();
    private Http2Counters _counters;

    /// <summary>What the connections of this pool have seen.</summary>
    public ref readonly Http2Counters Counters => ref _counters;

    internal ref Http2Counters Count => ref _counters;

    internal BufferShelf Buffers { get; } = new();

    internal HeaderSection Section { get; } = new();

    internal LineRewriter Rewriter { get; } = new();

    internal Http2Stream RentStream()
    {
        if (!_streams.TryPop(out var stream))
        {
            stream = new Http2Stream();
        }

        stream.Clear();
        return stream;
    }

    internal void Return(Http2Stream stream)
    {
        if (_streams.Count < MaxStreamsAtRest)
        {
            _streams.Push(stream);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;

namespace Weft.Proxy.Stacks;

/// <summary>Follows a chunked body that is forwarded as it is: finds its end, checks it, and counts its payload.</summary>
internal sealed class ChunkedBody
{
    private ChunkedReader _reader;

    internal bool IsDone => _reader.IsDone;

    internal string Problem => _reader.Error.Describe();

    internal void Reset() => _reader = default;

    /// <summary>False if the body is refused. Bytes above <paramref name="count"/> must be given again with what follows them.</summary>
    internal bool TryAdvance(ReadOnlySpan<byte> bytes, out int count, out long payload)
    {
        count = 0;
        payload = 0;
        while (true)
        {
            var status = _reader.Read(bytes[count..], Http1Rules.Default, out var consumed, out var piece);
            count += consumed;
            if (status != ChunkStatus.Payload)
            {
                return status != ChunkStatus.Invalid;
            }

            payload += piece.Length;
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Grpc;

/// <summary>Counts the messages of one gRPC stream by their prefixes, in pieces of any size, without keeping a byte. Keep one for each direction.</summary>
public struct GrpcMessageCounter
{
    private long _left;
    private uint _length;
    private int _prefix;

    /// <summary>Messages whose prefix has come.</summary>
    public long Count { get; private set; }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_left > 0)
            {
                var part = (int)Math.Min(_left, bytes.Length);
                _left -= part;
                bytes = bytes[part..];
                continue;
            }

            // The first octet says if the message is compressed, the others how long it is.
            _length = _prefix == 0 ? 0 : (_length << 8) | bytes[0];
            bytes = bytes[1..];
            if (++_prefix == GrpcFrame.PrefixLength)
            {
                Count++;
                _left = _length;
                _prefix = 0;
            }
        }
    }
}

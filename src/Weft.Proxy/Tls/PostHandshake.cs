// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Tls;

/// <summary>
/// Reads the handshake messages that come behind a handshake of TLS 1.3 (RFC 8446 §4.6): new keys, and tickets, which are passed over. A message
/// may be spread over records and records may hold several; no other kind is expected of a peer that was offered nothing else.
/// </summary>
internal struct PostHandshake
{
    internal const byte KeyUpdate = 24;

    /// <summary>The longest ticket that is passed over.</summary>
    internal const int LongestTicket = 64 * 1024;

    private const byte NewSessionTicket = 4;
    private const int HeadLength = 4;

    private uint _head;
    private int _headLength;
    private int _left;

    /// <summary>A message has begun and not ended: nothing else may come between (RFC 8446 §5.1).</summary>
    internal readonly bool IsBegun => _headLength > 0;

    internal PostHandshakeResult Take(ReadOnlySpan<byte> bytes, bool acceptsTickets)
    {
        while (!bytes.IsEmpty)
        {
            if (_headLength < HeadLength)
            {
                _head = (_head << 8) | bytes[0];
                bytes = bytes[1..];
                if (++_headLength < HeadLength)
                {
                    continue;
                }

                _left = (int)(_head & 0xFFFFFF);
                if (!IsExpected((byte)(_head >> 24), _left, acceptsTickets))
                {
                    return PostHandshakeResult.Wrong;
                }

                continue;
            }

            if (_head >> 24 == KeyUpdate)
            {
                // The old key ends with this record, so nothing may follow in it.
                _headLength = 0;
                return bytes.Length > 1 ? PostHandshakeResult.Wrong : bytes[0] switch
                {
                    0 => PostHandshakeResult.KeyUpdated,
                    1 => PostHandshakeResult.KeyUpdateRequested,
                    _ => PostHandshakeResult.Wrong,
                };
            }

            var part = Math.Min(_left, bytes.Length);
            bytes = bytes[part..];
            _left -= part;
            if (_left == 0)
            {
                _headLength = 0;
            }
        }

        return PostHandshakeResult.Nothing;
    }

    private static bool IsExpected(byte type, int length, bool acceptsTickets) => type switch
    {
        KeyUpdate => length == 1,
        NewSessionTicket => acceptsTickets && length is > 0 and <= LongestTicket,
        _ => false,
    };
}

/// <summary>What follows from messages behind a handshake.</summary>
internal enum PostHandshakeResult
{
    Nothing,

    /// <summary>What the peer seals from now on is sealed with its next key.</summary>
    KeyUpdated,

    /// <summary>The same, and the peer wants it of this side, too.</summary>
    KeyUpdateRequested,

    /// <summary>A message that has no place here.</summary>
    Wrong,
}

// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Weft.Proxy.Tls;

/// <summary>
/// The records of one TLS 1.3 connection once libssl has made its keys (RFC 8446 §5): one pass from the bytes to the record and back. libssl's own
/// session, several times as large, is not needed any more. The ciphers are OpenSSL's.
/// </summary>
internal sealed unsafe class TlsRecords : IDisposable
{
    internal const int HeaderLength = 5;
    internal const int TagLength = 16;
    internal const int LongestPlain = 16 * 1024;

    /// <summary>A record's bytes behind its header at most.</summary>
    internal const int LongestSealed = LongestPlain + 256;

    /// <summary>What a record is longer than what it carries.</summary>
    internal const int Overhead = HeaderLength + 1 + TagLength;

    /// <summary>Records under one key; AES-GCM is good for three times as many (RFC 8446 §5.5).</summary>
    internal const ulong RecordsPerKey = 1UL << 23;

    // Shorter ones are put together before they are sealed: one call of the cipher costs more than the copy.
    private const int CopiedLength = 1024;
    private const int NonceLength = 12;

    /// <summary>What is left of a message of the peer's that came in parts.</summary>
    internal PostHandshake Messages;

    private readonly TlsSuite _suite;
    private TrafficKey* _keys;

    /// <summary>Both secrets have the suite's length.</summary>
    internal TlsRecords(TlsSuite suite, ReadOnlySpan<byte> readSecret, ReadOnlySpan<byte> writeSecret)
    {
        _suite = suite;
        _keys = (TrafficKey*)NativeMemory.AllocZeroed(2 * (nuint)sizeof(TrafficKey));
        readSecret.CopyTo(new Span<byte>(Reading->Secret, TlsSuite.LongestSecret));
        writeSecret.CopyTo(new Span<byte>(Writing->Secret, TlsSuite.LongestSecret));
        try
        {
            Use(Reading, seal: 0);
            Use(Writing, seal: 1);
        }
        catch (TlsException)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The peer must be told of a new key before more is sealed.</summary>
    internal bool MustTurnWritingKey => IsNewKeyAsked || Writing->Sequence >= KeyLimit;

    /// <summary>The peer wants a new key, too.</summary>
    internal bool IsNewKeyAsked { get; set; }

    /// <summary>Records under one key before it is replaced.</summary>
    internal ulong KeyLimit { get; set; } = RecordsPerKey;

    /// <summary>Records without data since the last that had some.</summary>
    internal int IdleRecords { get; set; }

    /// <summary>The peer was told that nothing more comes.</summary>
    internal bool IsClosed { get; set; }

    private TrafficKey* Reading => _keys;

    private TrafficKey* Writing => _keys + 1;

    /// <summary>How long the record is that begins here, with its header; 0 if that cannot be told yet, -1 if it is longer than any may be.</summary>
    internal static int LengthOf(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderLength)
        {
            return 0;
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
        return length <= LongestSealed ? HeaderLength + length : -1;
    }

    /// <summary>Seals at most <see cref="LongestPlain"/> bytes; returns the record's length, or -1 if the cipher fails.</summary>
    internal int Seal(RecordType type, ReadOnlySpan<byte> plain, byte* record)
    {
        var length = plain.Length;
        record[0] = (byte)RecordType.Data;
        record[1] = record[2] = 3;
        BinaryPrimitives.WriteUInt16BigEndian(new Span<byte>(record + 3, 2), (ushort)(length + 1 + TagLength));
        var body = record + HeaderLength;
        int written;
        if (!Begin(Writing, record, seal: 1))
        {
            return -1;
        }

        bool sealing;
        if (length <= CopiedLength)
        {
            plain.CopyTo(new Span<byte>(body, length));
            body[length] = (byte)type;
            sealing = LibCrypto.Update(Writing->Context, body, &written, body, length + 1) == 1;
        }
        else
        {
            var last = (byte)type;
            fixed (byte* start = plain)
            {
                sealing = LibCrypto.Update(Writing->Context, body, &written, start, length) == 1 &&
                    LibCrypto.Update(Writing->Context, body + length, &written, &last, 1) == 1;
            }
        }

        return sealing && LibCrypto.End(Writing->Context, body + length + 1, &written) == 1 &&
            LibCrypto.Control(Writing->Context, LibCrypto.GetTag, TagLength, body + length + 1) == 1
            ? length + Overhead
            : -1;
    }

    /// <summary>
    /// Opens one whole record into <paramref name="plain"/>, which must have room for all of it. Returns the length of what it carries, more
    /// than <see cref="LongestPlain"/> if it is longer than one may be; -1 if it is not what the peer sealed as its next record.
    /// </summary>
    internal int Open(Span<byte> record, byte* plain, out RecordType type)
    {
        type = RecordType.None;
        var length = record.Length - HeaderLength - TagLength;
        if (length < 1 || record[0] != (byte)RecordType.Data)
        {
            return -1;
        }

        fixed (byte* start = record)
        {
            int written;
            var body = start + HeaderLength;
            if (!Begin(Reading, start, seal: 0) ||
                LibCrypto.Control(Reading->Context, LibCrypto.SetTag, TagLength, body + length) != 1 ||
                LibCrypto.Update(Reading->Context, plain, &written, body, length) != 1 ||
                LibCrypto.End(Reading->Context, plain + length, &written) != 1)
            {
                return -1;
            }
        }

        if (length > LongestPlain + 1)
        {
            // Padding counts: content, type and padding together have a limit (RFC 8446 §5.4).
            return LongestPlain + 1;
        }

        // Behind the content is its type, then zeros for as long as the sender liked.
        var end = new ReadOnlySpan<byte>(plain, length).LastIndexOfAnyExcept((byte)0);
        if (end >= 0)
        {
            type = (RecordType)plain[end];
        }

        return Math.Max(end, 0);
    }

    /// <summary>The peer seals with its next key from here on.</summary>
    internal void TurnReadingKey() => Turn(Reading, seal: 0);

    /// <summary>What is sealed from here on is sealed with the next key, as the peer was told.</summary>
    internal void TurnWritingKey() => Turn(Writing, seal: 1);

    public void Dispose()
    {
        if (_keys is not null)
        {
            LibCrypto.FreeContext(Reading->Context);
            LibCrypto.FreeContext(Writing->Context);
            CryptographicOperations.ZeroMemory(new Span<byte>(_keys, 2 * sizeof(TrafficKey)));
            NativeMemory.Free(_keys);
            _keys = null;
        }
    }

    private static bool Begin(TrafficKey* key, byte* header, int seal)
    {
        // The record's number is not sent: a record that is missing, twice there or elsewhere fails to open.
        var nonce = stackalloc byte[NonceLength];
        *(uint*)nonce = *(uint*)key->Mask;
        *(ulong*)(nonce + 4) = *(ulong*)(key->Mask + 4) ^ BinaryPrimitives.ReverseEndianness(key->Sequence);
        key->Sequence++;
        int written;
        return LibCrypto.Begin(key->Context, 0, 0, null, nonce, seal) == 1 && LibCrypto.Update(key->Context, null, &written, header, HeaderLength) == 1;
    }

    private void Turn(TrafficKey* key, int seal)
    {
        Span<byte> next = stackalloc byte[_suite.SecretLength];
        _suite.Expand(new ReadOnlySpan<byte>(key->Secret, _suite.SecretLength), "traffic upd"u8, next);
        next.CopyTo(new Span<byte>(key->Secret, TlsSuite.LongestSecret));
        CryptographicOperations.ZeroMemory(next);
        Use(key, seal);
    }

    private void Use(TrafficKey* key, int seal)
    {
        var secret = new ReadOnlySpan<byte>(key->Secret, _suite.SecretLength);
        Span<byte> bytes = stackalloc byte[_suite.KeyLength];
        _suite.Expand(secret, "key"u8, bytes);
        _suite.Expand(secret, "iv"u8, new Span<byte>(key->Mask, NonceLength));
        if (key->Context == 0)
        {
            key->Context = LibCrypto.NewContext();
        }

        fixed (byte* start = bytes)
        {
            if (LibCrypto.Begin(key->Context, _suite.Cipher, 0, start, null, seal) != 1)
            {
                throw new TlsException($"A record cipher cannot be used: {LibSsl.TakeError()}");
            }
        }

        CryptographicOperations.ZeroMemory(bytes);
        key->Sequence = 0;
    }

    private struct TrafficKey
    {
        internal nint Context;
        internal ulong Sequence;
        internal fixed byte Mask[NonceLength];
        internal fixed byte Secret[TlsSuite.LongestSecret];
    }
}

/// <summary>What a record carries.</summary>
internal enum RecordType : byte
{
    None = 0,
    Alert = 21,
    Handshake = 22,
    Data = 23,
}

// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Text;
using Weft.Proxy.Tls;
using Xunit;

namespace Weft.Proxy.Tests.Tls;

public sealed unsafe class TlsRecordsTests
{
    private static readonly byte[] _one = [.. Enumerable.Range(1, 48).Select(i => (byte)i)];
    private static readonly byte[] _other = [.. Enumerable.Range(101, 48).Select(i => (byte)i)];

    private readonly byte[] _plain = new byte[TlsRecords.LongestSealed];

    public static TheoryData<int> Suites => new(0x1301, 0x1302, 0x1303);

    [Fact]
    public void The_first_record_of_RFC_8448_is_sealed_as_printed_there()
    {
        var secret = Convert.FromHexString("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5");
        using var records = new TlsRecords(TlsSuite.Find(0x1301)!, secret, secret);
        Assert.Equal(
            "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4",
            Convert.ToHexStringLower(Sealed(records, [.. Enumerable.Range(0, 50).Select(i => (byte)i)])));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void What_one_side_seals_the_other_opens(int suite)
    {
        using var client = Records(suite, _one, _other);
        using var server = Records(suite, _other, _one);
        foreach (var length in (int[])[0, 1, 15, 16, 1023, 1024, 1025, TlsRecords.LongestPlain - 1, TlsRecords.LongestPlain])
        {
            var content = RandomNumberGenerator.GetBytes(length);
            foreach (var (from, to) in new[] { (client, server), (server, client) })
            {
                var record = Sealed(from, content);
                Assert.Equal(length + TlsRecords.Overhead, record.Length);
                Assert.Equal(record.Length, TlsRecords.LengthOf(record));
                Assert.Equal((RecordType.Data, Convert.ToHexString(content)), Opened(to, record));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void A_record_that_was_changed_moved_or_sent_twice_does_not_open(int suite)
    {
        var record = Sealed(Records(suite, _one, _other), "to be kept"u8.ToArray());
        for (var i = 0; i < record.Length; i++)
        {
            using var reader = Records(suite, _other, _one);
            var changed = (byte[])record.Clone();
            changed[i] ^= 1;
            Assert.Null(Opened(reader, changed).Content);
        }

        using var writer = Records(suite, _one, _other);
        var (first, second) = (Sealed(writer, "first"u8.ToArray()), Sealed(writer, "second"u8.ToArray()));
        using (var reader = Records(suite, _other, _one))
        {
            Assert.Null(Opened(reader, second).Content);
        }

        using (var reader = Records(suite, _other, _one))
        {
            Assert.NotNull(Opened(reader, first).Content);
            Assert.Null(Opened(reader, first).Content);
        }

        // Nor what the reader itself has sealed.
        using var echoed = Records(suite, _one, _other);
        Assert.Null(Opened(echoed, Sealed(echoed, "echo"u8.ToArray())).Content);
    }

    [Fact]
    public void Zeros_behind_the_content_are_dropped_and_a_record_of_zeros_is_of_no_type()
    {
        Assert.Equal((RecordType.Data, Convert.ToHexString("padded"u8)), Opened(Records(0x1301, _one, _other), MadeByHand([.. "padded"u8, 23, .. new byte[200]])));
        Assert.Equal((RecordType.Alert, "0228"), Opened(Records(0x1301, _one, _other), MadeByHand([2, 40, 21])));
        Assert.Equal((RecordType.None, ""), Opened(Records(0x1301, _one, _other), MadeByHand(new byte[30])));
    }

    [Fact]
    public void Content_and_padding_together_have_a_limit()
    {
        byte[] most = [.. "a"u8, 23, .. new byte[TlsRecords.LongestPlain - 1]];
        Assert.Equal((RecordType.Data, Convert.ToHexString("a"u8)), Opened(Records(0x1301, _one, _other), MadeByHand(most)));
        using var records = Records(0x1301, _one, _other);
        fixed (byte* plain = _plain)
        {
            Assert.Equal(TlsRecords.LongestPlain + 1, records.Open(MadeByHand([.. most, 0]), plain, out _));
        }
    }

    [Fact]
    public void A_length_is_told_from_five_bytes_on_and_is_limited()
    {
        Assert.Equal(0, TlsRecords.LengthOf([23, 3, 3, 0]));
        Assert.Equal(5 + 0x4100, TlsRecords.LengthOf([23, 3, 3, 0x41, 0]));
        Assert.Equal(-1, TlsRecords.LengthOf([23, 3, 3, 0x41, 1]));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Both_sides_turn_to_the_next_key_and_the_old_one_opens_nothing(int suite)
    {
        using var writer = Records(suite, _one, _other);
        using var reader = Records(suite, _other, _one);
        for (var turn = 0; turn < 3; turn++)
        {
            Assert.Equal(Convert.ToHexString("text"u8), Opened(reader, Sealed(writer, "text"u8.ToArray())).Content);
            writer.TurnWritingKey();
            reader.TurnReadingKey();
        }

        writer.TurnWritingKey();
        Assert.Null(Opened(reader, Sealed(writer, "text"u8.ToArray())).Content);
    }

    [Fact]
    public void A_key_is_old_after_so_many_records_and_new_once_turned()
    {
        using var records = Records(0x1301, _one, _other);
        Assert.Equal(1UL << 23, records.KeyLimit);
        records.KeyLimit = 3;
        for (var i = 0; i < 3; i++)
        {
            Assert.False(records.MustTurnWritingKey);
            Sealed(records, [1]);
        }

        Assert.True(records.MustTurnWritingKey);
        records.TurnWritingKey();
        Assert.False(records.MustTurnWritingKey);
    }

    [Fact]
    public void Secrets_are_read_from_a_key_log_and_other_lines_are_not()
    {
        var secrets = TlsSecrets.New();
        try
        {
            var suite = TlsSuite.Find(0x1301)!;
            secrets->Take("EXPORTER_SECRET 00 0102"u8);
            secrets->Take(Encoding.ASCII.GetBytes($"CLIENT_TRAFFIC_SECRET_0 00 {Convert.ToHexStringLower(_one[..32])}"));
            Assert.Null(secrets->Records(suite, isServer: false));
            secrets->Take(Encoding.ASCII.GetBytes($"SERVER_TRAFFIC_SECRET_0 00 {Convert.ToHexString(_other[..32])}"));
            Assert.Null(secrets->Records(TlsSuite.Find(0x1302)!, isServer: false));
            using var client = secrets->Records(suite, isServer: false)!;
            using var server = Records(0x1301, _one, _other);
            Assert.Equal(Convert.ToHexString("hello"u8), Opened(server, Sealed(client, "hello"u8.ToArray())).Content);
        }
        finally
        {
            TlsSecrets.Free(secrets);
        }
    }

    private static TlsRecords Records(int suite, byte[] read, byte[] write)
    {
        var found = TlsSuite.Find(suite)!;
        return new TlsRecords(found, read.AsSpan(0, found.SecretLength), write.AsSpan(0, found.SecretLength));
    }

    private static byte[] Sealed(TlsRecords records, byte[] content)
    {
        var record = new byte[content.Length + TlsRecords.Overhead];
        fixed (byte* start = record)
        {
            Assert.Equal(record.Length, records.Seal(RecordType.Data, content, start));
        }

        return record;
    }

    private (RecordType Type, string? Content) Opened(TlsRecords records, byte[] record)
    {
        fixed (byte* plain = _plain)
        {
            var length = records.Open((byte[])record.Clone(), plain, out var type);
            return (type, length < 0 ? null : Convert.ToHexString(_plain, 0, length));
        }
    }

    /// <summary>The first record that holds the bytes, by .NET's cipher.</summary>
    private static byte[] MadeByHand(byte[] inner)
    {
        var key = Expanded(_one, "key", 16);
        var nonce = Expanded(_one, "iv", 12);
        byte[] header = [23, 3, 3, (byte)((inner.Length + 16) >> 8), (byte)(inner.Length + 16)];
        var body = new byte[inner.Length];
        var tag = new byte[16];
        using var cipher = new AesGcm(key, 16);
        cipher.Encrypt(nonce, inner, body, tag, header);
        return [.. header, .. body, .. tag];
    }

    private static byte[] Expanded(byte[] secret, string label, int length) => HKDF.Expand(
        HashAlgorithmName.SHA256, secret[..32], length, [0, (byte)length, (byte)(6 + label.Length), .. "tls13 "u8, .. Encoding.ASCII.GetBytes(label), 0]);
}

// SPDX-License-Identifier: Apache-2.0

using System.Net.Security;
using Weft.Proxy.Tls;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Tls;

public sealed class ClientHelloTests
{
    [Fact]
    public void A_real_clients_hello_is_read_from_any_split()
    {
        var bytes = RealHello("Reviews.shop.Example", "h2", "http/1.1");
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(ClientHello.Verdict.NeedMore, ClientHello.Inspect(bytes.AsSpan(0, length), out _, out _));
        }

        Assert.Equal("reviews.shop.example [h2,http/1.1]", Read(bytes));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(64)]
    public void A_hello_is_put_together_from_many_records(int size)
    {
        var records = HelloMaker.Records(HelloMaker.Of("a.example", "istio").Message(), size);
        if (records.Length / (size + 5) > ClientHello.MaxRecords)
        {
            Assert.Contains("more than 64 records", Read(records), StringComparison.Ordinal);
            return;
        }

        for (var length = 0; length < records.Length; length++)
        {
            Assert.Equal(ClientHello.Verdict.NeedMore, ClientHello.Inspect(records.AsSpan(0, length), out _, out _));
        }

        Assert.Equal("a.example [istio]", Read([.. records, 1, 2, 3]));
    }

    [Fact]
    public void What_is_not_said_is_empty()
    {
        Assert.Equal(" []", Read(new HelloMaker().OneRecord()));
        Assert.Equal(" [h2]", Read(HelloMaker.Of("", "h2").OneRecord()));
        byte[] old = [3, 1, .. new byte[32], 0, 0, 2, 0, 0x2F, 1, 0];
        Assert.Equal(" []", Read(HelloMaker.Records([1, 0, 0, (byte)old.Length, .. old], int.MaxValue)));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1")]
    [InlineData("\x16")]
    [InlineData("\x15\x03")]
    [InlineData("\x16\x02\x01")]
    public void Other_bytes_are_not_tls(string text)
    {
        var bytes = text.Select(c => (byte)c).ToArray();
        Assert.Equal(
            bytes.Length == 1 && bytes[0] == 0x16 ? ClientHello.Verdict.NeedMore : ClientHello.Verdict.NotTls,
            ClientHello.Inspect(bytes, out _, out _));
    }

    [Fact]
    public void Limits_hold_at_n_and_not_at_n_plus_1()
    {
        Assert.Equal("a []", Read(HelloMaker.Records(HelloMaker.Of("a").Padded(ClientHello.MaxMessageBytes), 16_000)));
        Assert.Contains("longer than 16384", Read(HelloMaker.Records(HelloMaker.Of("a").Padded(ClientHello.MaxMessageBytes + 1), 16_000)), StringComparison.Ordinal);

        var message = HelloMaker.Of("a").Padded((ClientHello.MaxRecords * 10) - 4);
        Assert.Equal("a []", Read(HelloMaker.Records(message, 10)));
        message = HelloMaker.Of("a").Padded((ClientHello.MaxRecords * 10) - 3);
        Assert.Contains("more than 64 records", Read(HelloMaker.Records(message, 10)), StringComparison.Ordinal);

        var name = new string('n', ClientHelloBody.MaxNameBytes);
        Assert.Equal($"{name} []", Read(HelloMaker.Of(name).OneRecord()));
        Assert.Contains("no host name", Read(HelloMaker.Of(name + "n").OneRecord()), StringComparison.Ordinal);

        var protocols = Enumerable.Repeat("p", ClientHelloBody.MaxProtocols).ToArray();
        Assert.Equal($" [{string.Join(',', protocols)}]", Read(HelloMaker.Of("", protocols).OneRecord()));
        Assert.Contains("more than 64 protocols", Read(HelloMaker.Of("", [.. protocols, "p"]).OneRecord()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a\0b.example")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("é.example")]
    [InlineData("*.example")]
    public void A_name_that_is_none_is_refused(string name) =>
        Assert.Contains("no host name", Read(HelloMaker.Of(name).OneRecord()), StringComparison.Ordinal);

    [Fact]
    public void A_hello_that_two_readers_could_read_differently_is_refused()
    {
        var one = HelloMaker.List(2, [0, .. HelloMaker.List(2, "a"u8.ToArray())]);
        var two = HelloMaker.List(2, [0, .. HelloMaker.List(2, "a"u8.ToArray()), 0, .. HelloMaker.List(2, "b"u8.ToArray())]);
        Assert.Contains("more than one server name", Read(HelloMaker.Of("a").With(0, one).OneRecord()), StringComparison.Ordinal);
        Assert.Contains("exactly one host", Read(new HelloMaker().With(0, two).OneRecord()), StringComparison.Ordinal);
        Assert.Contains("exactly one host", Read(new HelloMaker().With(0, HelloMaker.List(2, [])).OneRecord()), StringComparison.Ordinal);
        Assert.Contains("exactly one host", Read(new HelloMaker().With(0, HelloMaker.List(2, [1, 0, 1, 65])).OneRecord()), StringComparison.Ordinal);
        Assert.Contains("malformed", Read(new HelloMaker().With(0, [.. one, 0]).OneRecord()), StringComparison.Ordinal);
        Assert.Contains("more than one list", Read(HelloMaker.Of("", "h2").With(16, HelloMaker.List(2, [1, 65])).OneRecord()), StringComparison.Ordinal);
        Assert.Contains("malformed", Read(new HelloMaker().With(16, HelloMaker.List(2, [])).OneRecord()), StringComparison.Ordinal);
        Assert.Contains("empty or cut off", Read(new HelloMaker().With(16, HelloMaker.List(2, [0])).OneRecord()), StringComparison.Ordinal);
        Assert.Contains("empty or cut off", Read(new HelloMaker().With(16, HelloMaker.List(2, [9, 65])).OneRecord()), StringComparison.Ordinal);
    }

    [Fact]
    public void What_begins_like_tls_and_goes_on_otherwise_is_refused()
    {
        var hello = HelloMaker.Of("a").OneRecord();
        Assert.Contains("does not begin with a ClientHello", Read([22, 3, 1, 0, 5, 2, 0, 0, 1, 0]), StringComparison.Ordinal);
        Assert.Contains("no allowed length", Read([22, 3, 1, 0, 0]), StringComparison.Ordinal);
        Assert.Contains("no allowed length", Read([22, 3, 1, 0x40, 1]), StringComparison.Ordinal);
        Assert.Contains("another kind", Read([.. HelloMaker.Records(hello[5..], 20)[..25], 23, 3, 1]), StringComparison.Ordinal);
        Assert.Contains("do not end where it ends", Read(HelloMaker.Records([1, 0, 0, 44, .. hello[9..51], 0, 9], int.MaxValue)), StringComparison.Ordinal);
        Assert.Contains("shorter than its fields", Read([22, 3, 1, 0, 8, 1, 0, 0, 4, 3, 3, 0, 0]), StringComparison.Ordinal);
    }

    [Fact]
    public void Fuzz_no_bytes_break_the_reader_and_records_do_not_matter()
    {
        string[] words = ["\x16\x03\x01", "\x01\0\0", "\0\0", "\0\x10", "\x02h2", "a.example", "\0\x05", "\x03\x03"];
        var random = new Random(5);
        var find = new FuzzDriver(FuzzDriver.ReadCorpus("tests", "corpus", "tlshello"), words, maxLength: 1200).Run(
            bytes =>
            {
                var whole = Read(bytes);
                var verdict = ClientHello.Verdict.NeedMore;
                for (var length = 0; length <= bytes.Length && verdict == ClientHello.Verdict.NeedMore; length++)
                {
                    verdict = ClientHello.Inspect(bytes.AsSpan(0, length), out var hello, out var problem);
                    if (verdict is ClientHello.Verdict.Found or ClientHello.Verdict.Malformed)
                    {
                        Assert.Equal(whole, Describe(hello, problem));
                    }
                }

                // The same message in other records says the same.
                if (bytes.Length > 9 && whole.EndsWith(']') && bytes[3] * 256 + bytes[4] == bytes.Length - 5)
                {
                    var message = bytes[5..];
                    var size = random.Next((message.Length / 60) + 1, message.Length + 1);
                    Assert.Equal(whole, Read(HelloMaker.Records(message, size)));
                }
            },
            seed: 20261121,
            iterations: 20_000,
            TimeProvider.System);
        Assert.True(find is null, find?.ToString());
    }

    private static string Read(byte[] bytes) => ClientHello.Inspect(bytes, out var hello, out var problem) switch
    {
        ClientHello.Verdict.NeedMore => "more",
        ClientHello.Verdict.NotTls => "not TLS",
        _ => Describe(hello, problem),
    };

    private static string Describe(ClientHello? hello, string? problem) =>
        problem ?? $"{hello!.ServerName} [{string.Join(',', hello.Protocols)}]";

    /// <summary>What the platform's own client sends.</summary>
    private static byte[] RealHello(string name, params string[] protocols)
    {
        using var sent = new Silence();
        using var client = new SslStream(sent);
        Assert.ThrowsAny<IOException>(() => client.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            TargetHost = name,
            ApplicationProtocols = [.. protocols.Select(p => new SslApplicationProtocol(p))],
        }));
        return sent.Written.ToArray();
    }

    /// <summary>Takes bytes and never answers.</summary>
    private sealed class Silence : Stream
    {
        internal MemoryStream Written { get; } = new();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => 0;

        public override long Position { get; set; }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => 0;

        public override void Write(byte[] buffer, int offset, int count) => Written.Write(buffer, offset, count);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}

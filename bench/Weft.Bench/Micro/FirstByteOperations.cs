// SPDX-License-Identifier: Apache-2.0

using System.Net.Security;
using System.Text;
using Weft.Protocols.ProxyProtocol;
using Weft.Proxy.Tls;

namespace Weft.Bench.Micro;

/// <summary>What is read before a connection's protocol is known: PROXY headers and TLS hellos.</summary>
internal static class FirstByteOperations
{
    public static IEnumerable<Operation> All()
    {
        var header = ProxyHeader.Of(ProxyAddress.V4(0x0A000001, 40_000), ProxyAddress.V4(0x0A000002, 443));
        var text = Written(output => ProxyHeaderWriter.WriteText(output, header));
        var binary = Written(output => ProxyHeaderWriter.WriteBinary(output, header));
        var hello = Hello();
        return
        [
            new("PROXY v1, read", text.Length, times => ReadHeaders(text, times)),
            new("PROXY v2, read", binary.Length, times => ReadHeaders(binary, times)),
            new("PROXY v2, write", binary.Length, times => WriteHeaders(header, times)),
            new("TLS hello, read", hello.Length, times => ReadHellos(hello, times)),
        ];
    }

    private static byte[] Written(Func<byte[], int> write)
    {
        var output = new byte[256];
        return output[..write(output)];
    }

    private static long ReadHeaders(byte[] bytes, int times)
    {
        var sum = 0L;
        for (var i = 0; i < times; i++)
        {
            ProxyHeaderReader.TryRead(bytes, out _, out var length, out _);
            sum += length;
        }

        return sum == (long)times * bytes.Length ? sum : throw new BenchException($"'{Encoding.Latin1.GetString(bytes)}' was not read.");
    }

    private static long WriteHeaders(ProxyHeader header, int times)
    {
        Span<byte> output = stackalloc byte[256];
        var sum = 0L;
        for (var i = 0; i < times; i++)
        {
            sum += ProxyHeaderWriter.WriteBinary(output, header);
        }

        return sum;
    }

    private static long ReadHellos(byte[] bytes, int times)
    {
        var sum = 0L;
        for (var i = 0; i < times; i++)
        {
            sum += ClientHello.Inspect(bytes, out var hello, out _) == ClientHello.Verdict.Found ? hello!.Protocols.Count : 0;
        }

        return sum == 2L * times ? sum : throw new BenchException("The TLS hello was not read.");
    }

    /// <summary>What a client of this runtime says first.</summary>
    private static byte[] Hello()
    {
        using var said = new Recording();
        using var client = new SslStream(said);
        try
        {
            client.AuthenticateAsClient(new SslClientAuthenticationOptions
            {
                TargetHost = "reviews.shop.svc.cluster.local",
                ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            });
        }
        catch (Exception ended) when (ended is IOException or System.Security.Authentication.AuthenticationException)
        {
            // Nobody answers.
        }

        return said.Written;
    }

    /// <summary>Keeps what is written and has nothing to read.</summary>
    private sealed class Recording : Stream
    {
        private readonly MemoryStream _written = new();

        internal byte[] Written => _written.ToArray();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => 0;

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => _written.Write(buffer, offset, count);
    }
}

// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Weft.Testing;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>
/// A server that takes every request that is complete, answers 200, and writes down what it got: request line, the fields that are
/// not the proxy's own additions, and the body. A request that breaks off is nothing that it would act on.
/// </summary>
internal sealed class RecordingOrigin : IDisposable
{
    private static readonly string[] _additions = ["x-request-id", "x-envoy-attempt-count", "x-envoy-peer-metadata", "host"];

    private readonly BlockingCollection<string> _seen = [];
    private readonly TestOrigin _origin;

    internal RecordingOrigin() => _origin = new TestOrigin(Serve);

    internal int Port => _origin.Port;

    public void Dispose()
    {
        _origin.Dispose();
        _seen.Dispose();
    }

    /// <summary>What the next request was; waits for it.</summary>
    internal string Take()
    {
        const int TimeLimitMs = 10_000;
        return _seen.TryTake(out var seen, TimeLimitMs) ? seen : throw new TimeoutException("no request came");
    }

    private void Serve(Peer peer)
    {
        while (peer.ReadHead() is { } head)
        {
            var text = Describe(head);
            if (Peer.Header(head, "expect") is not null)
            {
                peer.Write("HTTP/1.1 100 Continue\r\n\r\n");
            }

            string body;
            try
            {
                body = Peer.Header(head, "transfer-encoding") is null ? ReadLength(peer, head) : ReadChunks(peer);
            }
            catch (IOException)
            {
                return;
            }

            _seen.Add(body.Length == 0 ? text : $"{text} {HostileTable.Escape(body)}");
            peer.Write(TestOrigin.Response("ok"));
        }
    }

    private static string Describe(string head)
    {
        var lines = head.TrimEnd().Split("\r\n");
        var fields = lines[1..].Where(line => !_additions.Contains(line.Split(':')[0].ToLowerInvariant()) && line != "x-forwarded-proto: http");
        return string.Join(" | ", [lines[0], .. fields.OrderBy(line => line.Split(':')[0].ToLowerInvariant(), StringComparer.Ordinal)
            .Select(HostileTable.Escape)]);
    }

    private static string ReadLength(Peer peer, string head)
    {
        var length = long.Parse(Peer.Header(head, "content-length") ?? "0", CultureInfo.InvariantCulture);
        var body = peer.Read((int)Math.Min(length, 100_000));
        return body.Length == length ? body : throw new EndOfStreamException();
    }

    internal static string ReadChunks(Peer peer)
    {
        var body = new StringBuilder();
        while (true)
        {
            var line = ReadLine(peer);
            var size = int.Parse(line.Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (size == 0)
            {
                break;
            }

            var chunk = peer.Read(size);
            body.Append(chunk.Length == size ? chunk : throw new EndOfStreamException());
            ReadLine(peer);
        }

        while (ReadLine(peer) is { Length: > 0 } trailer)
        {
            body.Append(" + ").Append(trailer);
        }

        return body.ToString();
    }

    private static string ReadLine(Peer peer)
    {
        var line = new StringBuilder();
        while (!line.ToString().EndsWith("\r\n", StringComparison.Ordinal))
        {
            var next = peer.Read(1);
            line.Append(next.Length == 1 ? next : throw new EndOfStreamException());
        }

        return line.ToString()[..^2];
    }
}

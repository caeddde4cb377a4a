// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;
using System.Text;

namespace Weft.Proxy.Tests.Life;

/// <summary>A server that answers a request with its own target and body, so that an answer that belongs to another request shows.</summary>
internal sealed class EchoOrigin : IDisposable
{
    private readonly TestOrigin _origin = new(Serve);

    internal int Port => _origin.Port;

    public void Dispose() => _origin.Dispose();

    private static void Serve(Peer peer)
    {
        var bytes = new byte[16 * 1024];
        var filled = 0;
        while (true)
        {
            int head;
            while ((head = bytes.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0 || filled < head + 4 + BodyLength(bytes.AsSpan(0, head)))
            {
                var count = peer.Socket.Receive(bytes.AsSpan(filled));
                if (count == 0)
                {
                    return;
                }

                filled += count;
            }

            var target = Encoding.ASCII.GetString(bytes.AsSpan(0, head)).Split(' ')[1];
            var length = BodyLength(bytes.AsSpan(0, head));
            var body = Encoding.ASCII.GetString(bytes, head + 4, length);
            peer.Socket.Send(Encoding.ASCII.GetBytes(TestOrigin.Response($"{target} {body}")));
            filled -= head + 4 + length;
            bytes.AsSpan(head + 4 + length, filled).CopyTo(bytes);
        }
    }

    private static int BodyLength(ReadOnlySpan<byte> head)
    {
        var at = head.IndexOf("content-length: "u8);
        return at >= 0 && Utf8Parser.TryParse(head[(at + 16)..], out int length, out _) ? length : 0;
    }
}

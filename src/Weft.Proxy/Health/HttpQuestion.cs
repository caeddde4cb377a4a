// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Http1;
using Weft.Proxy.Io;

namespace Weft.Proxy.Health;

/// <summary>An HTTP health check on one connection: the bytes to send, and the verdict on what comes back.</summary>
internal sealed class HttpQuestion(byte[] request) : HealthQuestion
{
    /// <summary>A longer head of an answer fails the check.</summary>
    internal const int MaxHeadBytes = 16 * 1024;

    private readonly ResponseHead _head = new();
    private readonly byte[] _input = new byte[MaxHeadBytes];
    private int _length;

    /// <summary>The request.</summary>
    internal static byte[] For(string path, string host) => Encoding.ASCII.GetBytes(
        $"GET {(path.Length == 0 ? "/" : path)} HTTP/1.1\r\nhost: {host}\r\nuser-agent: Weft/HC\r\nconnection: close\r\n\r\n");

    internal override void Ask(ByteChannel channel) => channel.Write(request);

    /// <summary>2xx is well.</summary>
    internal override bool? Read(ReadOnlySpan<byte> data, long nowMs)
    {
        // What does not fit cannot be part of a head that is short enough.
        var taken = Math.Min(data.Length, MaxHeadBytes - _length);
        data[..taken].CopyTo(_input.AsSpan(_length));
        _length += taken;
        var input = _input.AsSpan(0, _length);
        while (true)
        {
            _head.Reset();
            var status = Http1Parser.TryParseResponse(input, _head, KnownMethod.Get, Http1Rules.Default);
            if (status == ParseStatus.Done && _head.IsInterim)
            {
                input = input[_head.Length..];
                continue;
            }

            return status switch
            {
                ParseStatus.Done => _head.Status is >= 200 and < 300,
                ParseStatus.NeedMore when _length < MaxHeadBytes => null,
                _ => false,
            };
        }
    }
}

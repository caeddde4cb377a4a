// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Text;

namespace Weft.Proxy.Tls;

/// <summary>What a client says before anything is encrypted: the server name and the protocols it offers.</summary>
/// <param name="ServerName">Lower case; empty if not said.</param>
/// <param name="Protocols">ALPN, in the client's order.</param>
internal sealed record ClientHello(string ServerName, IReadOnlyList<string> Protocols)
{
    /// <summary>Bytes of hello that are looked at; a longer one counts as not TLS.</summary>
    internal const int SizeLimit = 16 * 1024 + 5;

    private const byte HandshakeRecord = 22;
    private const byte HelloMessage = 1;
    private const int ServerNameExtension = 0;
    private const int AlpnExtension = 16;

    internal enum Verdict
    {
        NeedMore,
        NotTls,
        Found,
    }

    /// <summary>Reads the first record of a connection.</summary>
    internal static Verdict Inspect(ReadOnlySpan<byte> bytes, out ClientHello? hello)
    {
        hello = null;
        if (bytes.Length > 0 && bytes[0] != HandshakeRecord)
        {
            return Verdict.NotTls;
        }

        if (bytes.Length > 1 && bytes[1] != 3)
        {
            return Verdict.NotTls;
        }

        if (bytes.Length < 9)
        {
            return Verdict.NeedMore;
        }

        var recordLength = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
        var messageLength = (bytes[6] << 16) | BinaryPrimitives.ReadUInt16BigEndian(bytes[7..]);
        if (bytes[5] != HelloMessage || recordLength > 16 * 1024 || messageLength + 4 > recordLength)
        {
            return Verdict.NotTls;
        }

        if (bytes.Length < 9 + messageLength)
        {
            return Verdict.NeedMore;
        }

        hello = ReadBody(bytes.Slice(9, messageLength));
        return hello is null ? Verdict.NotTls : Verdict.Found;
    }

    private static ClientHello? ReadBody(ReadOnlySpan<byte> body)
    {
        // Version and random, then session id, cipher suites and compression methods, each with its length before it.
        if (!TrySkip(ref body, 34) || !TryTake(ref body, 1, out _) || !TryTake(ref body, 2, out _) ||
            !TryTake(ref body, 1, out _))
        {
            return null;
        }

        var serverName = "";
        List<string> protocols = [];
        if (body.IsEmpty)
        {
            return new ClientHello(serverName, protocols);
        }

        if (!TryTake(ref body, 2, out var extensions))
        {
            return null;
        }

        while (!extensions.IsEmpty)
        {
            if (extensions.Length < 4)
            {
                return null;
            }

            var kind = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[2..];
            if (!TryTake(ref extensions, 2, out var value) ||
                (kind == ServerNameExtension && !TryReadServerName(value, ref serverName)) ||
                (kind == AlpnExtension && !TryReadProtocols(value, protocols)))
            {
                return null;
            }
        }

        return new ClientHello(serverName, protocols);
    }

    private static bool TryReadServerName(ReadOnlySpan<byte> value, ref string serverName)
    {
        if (!TryTake(ref value, 2, out var list))
        {
            return false;
        }

        while (!list.IsEmpty)
        {
            var isHost = list[0] == 0;
            list = list[1..];
            if (!TryTake(ref list, 2, out var name))
            {
                return false;
            }

            if (isHost)
            {
                serverName = Encoding.ASCII.GetString(name).ToLowerInvariant();
            }
        }

        return true;
    }

    private static bool TryReadProtocols(ReadOnlySpan<byte> value, List<string> protocols)
    {
        if (!TryTake(ref value, 2, out var list))
        {
            return false;
        }

        while (!list.IsEmpty)
        {
            if (!TryTake(ref list, 1, out var protocol))
            {
                return false;
            }

            protocols.Add(TlsEngine.Intern(protocol));
        }

        return true;
    }

    private static bool TrySkip(ref ReadOnlySpan<byte> bytes, int count)
    {
        if (bytes.Length < count)
        {
            return false;
        }

        bytes = bytes[count..];
        return true;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> bytes, int prefix, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (bytes.Length < prefix)
        {
            return false;
        }

        var length = prefix == 1 ? bytes[0] : BinaryPrimitives.ReadUInt16BigEndian(bytes);
        if (bytes.Length < prefix + length)
        {
            return false;
        }

        value = bytes.Slice(prefix, length);
        bytes = bytes[(prefix + length)..];
        return true;
    }
}

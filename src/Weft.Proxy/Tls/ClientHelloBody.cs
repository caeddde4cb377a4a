// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Weft.Proxy.Tls;

/// <summary>The message inside: RFC 8446 §4.1.2, with the server name (RFC 6066 §3) and ALPN (RFC 7301 §3.1) read and the rest skipped.</summary>
internal static class ClientHelloBody
{
    /// <summary>Protocols that a client may offer.</summary>
    internal const int MaxProtocols = 64;

    /// <summary>Longest server name.</summary>
    internal const int MaxNameBytes = 255;

    private const int VersionAndRandomBytes = 34;
    private const int ServerNameExtension = 0;
    private const int AlpnExtension = 16;

    private static readonly SearchValues<byte> _nameBytes =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:"u8);

    /// <summary>Null, or what is wrong with it.</summary>
    internal static string? Read(ReadOnlySpan<byte> body, out ClientHello? hello)
    {
        hello = null;

        // Version and random, then session id, cipher suites and compression methods, each with its length before it.
        if (!TrySkip(ref body, VersionAndRandomBytes) || !TryTake(ref body, 1, out _) || !TryTake(ref body, 2, out _) ||
            !TryTake(ref body, 1, out _))
        {
            return "the ClientHello is shorter than its fields";
        }

        var extensions = body[..0];
        if (!body.IsEmpty && (!TryTake(ref body, 2, out extensions) || !body.IsEmpty))
        {
            return "the ClientHello's extensions do not end where it ends";
        }

        string? serverName = null;
        List<string>? protocols = null;
        while (!extensions.IsEmpty)
        {
            if (extensions.Length < sizeof(ushort))
            {
                return "an extension of the ClientHello is cut off";
            }

            var kind = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[sizeof(ushort)..];
            if (!TryTake(ref extensions, 2, out var value))
            {
                return "an extension of the ClientHello is cut off";
            }

            var problem = kind switch
            {
                ServerNameExtension => ReadServerName(value, ref serverName),
                AlpnExtension => ReadProtocols(value, ref protocols),
                _ => null,
            };
            if (problem is not null)
            {
                return problem;
            }
        }

        hello = new ClientHello(serverName ?? "", protocols ?? []);
        return null;
    }

    private static string? ReadServerName(ReadOnlySpan<byte> value, ref string? serverName)
    {
        // Routing and the server behind must not read two different names out of one hello.
        if (serverName is not null || !TryTake(ref value, 2, out var list) || !value.IsEmpty)
        {
            return "the ClientHello has more than one server name extension, or a malformed one";
        }

        if (list.IsEmpty || list[0] != 0 || !TrySkip(ref list, 1) || !TryTake(ref list, 2, out var name) || !list.IsEmpty)
        {
            return "the ClientHello does not name exactly one host";
        }

        if (name.Length is 0 or > MaxNameBytes || name.ContainsAnyExcept(_nameBytes))
        {
            return "the ClientHello's server name is no host name";
        }

        serverName = Encoding.ASCII.GetString(name).ToLowerInvariant();
        return null;
    }

    private static string? ReadProtocols(ReadOnlySpan<byte> value, ref List<string>? protocols)
    {
        if (protocols is not null || !TryTake(ref value, 2, out var list) || !value.IsEmpty || list.IsEmpty)
        {
            return "the ClientHello has more than one list of protocols, or a malformed one";
        }

        protocols = [];
        while (!list.IsEmpty)
        {
            if (!TryTake(ref list, 1, out var protocol) || protocol.IsEmpty)
            {
                return "a protocol that the ClientHello offers is empty or cut off";
            }

            if (protocols.Count == MaxProtocols)
            {
                return $"the ClientHello offers more than {MaxProtocols} protocols";
            }

            protocols.Add(TlsEngine.Intern(protocol));
        }

        return null;
    }

    private static bool TrySkip(scoped ref ReadOnlySpan<byte> bytes, int count)
    {
        if (bytes.Length < count)
        {
            return false;
        }

        bytes = bytes[count..];
        return true;
    }

    private static bool TryTake(scoped ref ReadOnlySpan<byte> bytes, int prefix, out ReadOnlySpan<byte> value)
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

// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text;
using Weft.Protocols.Http1;
using Weft.Proxy.Io;

namespace Weft.Proxy.Authorization;

/// <summary>The client's address as those tell it whom a chain believes.</summary>
internal static class RemoteAddress
{
    private const int LongestAddress = 45;

    /// <summary>
    /// At the edge the element of x-forwarded-for before which so many trusted proxies stand, and the connection's own end without any of
    /// them; inside the mesh the last element, which the peer's proxy wrote. What is no address is not believed.
    /// </summary>
    internal static IpEndpoint Of(in AccessFacts facts)
    {
        if (facts is not { Request: { } request, Trust: { } trust } || !request.Has(KnownHeader.XForwardedFor) || (trust.IsEdge && trust.TrustedProxies == 0))
        {
            return facts.Client;
        }

        var hops = trust.IsEdge ? trust.TrustedProxies : 1;
        var fields = request.Fields;
        for (var i = fields.Length - 1; i >= 0; i--)
        {
            if (fields[i].Known != KnownHeader.XForwardedFor || fields[i].IsHopByHop)
            {
                continue;
            }

            var list = fields[i].Value.Of(facts.Bytes);
            while (!list.IsEmpty)
            {
                var comma = list.LastIndexOf((byte)',');
                if (--hops == 0)
                {
                    return TryRead(list[(comma + 1)..].Trim(" \t"u8), out var told) ? told : facts.Client;
                }

                list = list[..Math.Max(comma, 0)];
            }
        }

        return facts.Client;
    }

    /// <summary>Reads an address of either family; one of version 6 costs an object.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> text, out IpEndpoint address)
    {
        address = default;
        if (text.Length > LongestAddress)
        {
            return false;
        }

        return text.Contains((byte)':') ? TryReadV6(text, out address) : TryReadV4(text, out address);
    }

    private static bool TryReadV4(ReadOnlySpan<byte> text, out IpEndpoint address)
    {
        address = default;
        var (bits, part, parts, digits) = (0u, 0u, 0, 0);
        foreach (var c in text)
        {
            if (c == '.' && digits > 0 && parts < 3)
            {
                (bits, part, parts, digits) = ((bits << 8) | part, 0, parts + 1, 0);
            }
            else if (c is >= (byte)'0' and <= (byte)'9' && digits < 3)
            {
                (part, digits) = ((part * 10) + c - '0', digits + 1);
            }
            else
            {
                return false;
            }

            if (part > byte.MaxValue)
            {
                return false;
            }
        }

        if (parts != 3 || digits == 0)
        {
            return false;
        }

        address = IpEndpoint.V4((bits << 8) | part, 0);
        return true;
    }

    private static bool TryReadV6(ReadOnlySpan<byte> text, out IpEndpoint address)
    {
        Span<char> characters = stackalloc char[LongestAddress];
        characters = characters[..Encoding.ASCII.GetChars(text, characters)];
        address = default;
        return IPAddress.TryParse(characters, out var parsed) && IpEndpoint.TryParse(parsed.ToString(), 0, out address);
    }
}

// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Authorization;
using Weft.Proxy.Io;

namespace Weft.Proxy.Stacks;

/// <summary>Writes the fields by which a proxy tells who its client is.</summary>
internal static class ForwardedLines
{
    internal const int LongestAddress = 64;

    /// <summary>True if a field that the client sent is replaced by this proxy's own, or is not believed.</summary>
    internal static bool Replaces(KnownHeader known, Exchange exchange) => known switch
    {
        KnownHeader.XForwardedFor => exchange.Service.Plan.Trust.IsEdge,
        KnownHeader.XForwardedClientCert => exchange.Service.Plan.Trust.ClientCertificate switch
        {
            ClientCertificateField.AlwaysForwardOnly => false,
            ClientCertificateField.ForwardOnly => exchange.Client.ForwardedCertificate.IsEmpty,
            _ => true,
        },
        _ => false,
    };

    /// <summary>
    /// The address of the client as far as it can be believed: at the edge so many hops back as there are proxies in front, inside the mesh the
    /// last that was told. What is no address counts as not told.
    /// </summary>
    internal static ReadOnlySpan<byte> ClientAddress(Exchange exchange)
    {
        var trust = exchange.Service.Plan.Trust;
        var hops = trust.IsEdge ? trust.TrustedProxies : trust.TrustedProxies + 1;
        var request = exchange.Request;
        var bytes = exchange.RequestBytes;
        for (var i = request.FieldCount - 1; i >= 0 && hops > 0; i--)
        {
            ref readonly var field = ref request.Fields[i];
            for (var list = field.Known == KnownHeader.XForwardedFor ? field.Value.Of(bytes) : default; !list.IsEmpty;)
            {
                var comma = list.LastIndexOf((byte)',');
                var element = list[(comma + 1)..].Trim(" \t"u8);
                list = list[..Math.Max(0, comma)];
                if (--hops == 0)
                {
                    return RemoteAddress.TryRead(element, out _) ? element : exchange.Client.PeerAddressText;
                }
            }
        }

        return exchange.Client.PeerAddressText;
    }

    internal static void Append(ref NativeBuffer head, Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        if (exchange.Service.Plan.Trust.IsEdge)
        {
            AppendAddress(ref head, exchange, bytes);
        }

        AppendCertificate(ref head, exchange, bytes);
    }

    /// <summary>
    /// The addresses that the client told, this connection's behind them, and the one that can be believed: so many hops from the right
    /// as there are proxies in front of this one; without enough of them the connection's own.
    /// </summary>
    private static void AppendAddress(ref NativeBuffer head, Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        var request = exchange.Request;
        head.Append("x-forwarded-for: "u8);
        var begin = head.Length;
        for (var i = 0; i < request.FieldCount; i++)
        {
            ref readonly var field = ref request.Fields[i];
            if (field.Known == KnownHeader.XForwardedFor && !field.IsHopByHop && field.Value.Length > 0)
            {
                head.Append(field.Value.Of(bytes));
                head.Append(","u8);
            }
        }

        var told = head.Bytes[begin..];
        var own = exchange.Client.PeerAddressText;
        var trusted = Hop(told, exchange.Service.Plan.Trust.TrustedProxies);

        // Copied, because what is appended next may move the buffer.
        trusted = trusted.IsEmpty || trusted.Length > LongestAddress ? own : trusted;
        Span<byte> external = stackalloc byte[LongestAddress];
        trusted.CopyTo(external);
        external = external[..trusted.Length];
        head.Append(own);
        head.Append("\r\n"u8);
        HeadWriter.AppendLine(ref head, "x-envoy-external-address"u8, external);
    }

    /// <summary>The nth element from the right of a list in which each has a comma behind it; empty if there are not so many.</summary>
    private static ReadOnlySpan<byte> Hop(ReadOnlySpan<byte> list, int hops)
    {
        ReadOnlySpan<byte> element = default;
        for (var hop = 0; hop < hops; hop++)
        {
            if (list.IsEmpty)
            {
                return default;
            }

            list = list[..^1];
            var comma = list.LastIndexOf((byte)',');
            element = list[(comma + 1)..].Trim(" \t"u8);
            list = list[..(comma + 1)];
        }

        return element;
    }

    private static void AppendCertificate(ref NativeBuffer head, Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        var own = exchange.Client.ForwardedCertificate;
        var way = exchange.Service.Plan.Trust.ClientCertificate;
        if (own.IsEmpty || way is not (ClientCertificateField.AppendForward or ClientCertificateField.SanitizeSet))
        {
            return;
        }

        head.Append("x-forwarded-client-cert: "u8);
        if (way == ClientCertificateField.AppendForward && exchange.Request.TryGet(KnownHeader.XForwardedClientCert, bytes, out var earlier))
        {
            head.Append(earlier);
            head.Append(","u8);
        }

        head.Append(own);
        head.Append("\r\n"u8);
    }
}

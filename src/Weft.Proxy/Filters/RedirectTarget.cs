// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>Puts the Location of a redirect together; what the route does not say stays as the client asked.</summary>
internal static class RedirectTarget
{
    internal static byte[] LocationLine(RedirectPlan redirect, RouteMatchPlan match, Exchange exchange)
    {
        var bytes = exchange.RequestBytes;
        var authority = exchange.Request.Authority.Of(bytes);
        Authorities.TrySplit(authority, out var hostLength, out var port);
        var host = redirect.Authority ?? Encoding.Latin1.GetString(authority[..hostLength]);
        var scheme = redirect.Scheme ?? SchemeOf(exchange);
        var text = new StringBuilder("location: ").Append(scheme).Append("://").Append(host);
        var shownPort = redirect.Port != 0 ? redirect.Port : KeptPort(redirect, port);
        if (shownPort != 0 && !(scheme == "http" && shownPort == 80) && !(scheme == "https" && shownPort == 443) &&
            !HasPort(redirect.Authority))
        {
            text.Append(CultureInfo.InvariantCulture, $":{shownPort}");
        }

        text.Append(PathOf(redirect, match, exchange));
        return Encoding.Latin1.GetBytes(text.Append("\r\n").ToString());
    }

    private static string SchemeOf(Exchange exchange) =>
        exchange.Request.TryGet(KnownHeader.XForwardedProto, exchange.RequestBytes, out var proto) && proto.SequenceEqual("https"u8)
            ? "https"
            : "http";

    /// <summary>A port that belonged to the old scheme or the old host is not carried over.</summary>
    private static int KeptPort(RedirectPlan redirect, int port) =>
        redirect.Authority is not null || (redirect.Scheme is not null && port is 80 or 443) ? 0 : port;

    private static bool HasPort(string? authority) =>
        authority is not null && Authorities.TrySplit(Encoding.Latin1.GetBytes(authority), out _, out var port) && port != 0;

    private static string PathOf(RedirectPlan redirect, RouteMatchPlan match, Exchange exchange)
    {
        var bytes = exchange.RequestBytes;
        var path = Encoding.Latin1.GetString(exchange.Request.PathOf(bytes));
        var query = exchange.Request.HasQuery ? "?" + Encoding.Latin1.GetString(exchange.Request.Query.Of(bytes)) : "";
        if (redirect.Path is not null)
        {
            // A new path that has a query of its own replaces the client's.
            return redirect.Path.Contains('?', StringComparison.Ordinal) ? redirect.Path : redirect.Path + query;
        }

        if (redirect.PrefixRewrite is not null && match.Path.Kind == TextMatchKind.Prefix)
        {
            return redirect.PrefixRewrite + path[Math.Min(path.Length, match.Path.Value.Length)..] + query;
        }

        return path + query;
    }
}

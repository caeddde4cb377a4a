// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;

namespace Weft.ApiServer.Expressions;

/// <summary>Kubernetes' functions for addresses, networks, URLs and amounts.</summary>
internal static class NetworkFunctions
{
    /// <summary>Not one of these when false.</summary>
    public static bool TryCall(string name, object?[] arguments, out object? result)
    {
        result = (name, arguments) switch
        {
            ("isURL", [string text]) => Url(text) is not null,
            ("url", [string text]) => Url(text) ?? throw Bad("url", text, "invalid URI for request"),
            ("isIP", [string text]) => Address(text) is not null,
            ("ip", [string text]) => Address(text) ?? throw Bad("ip", text, "unable to parse IP"),
            ("isCIDR", [string text]) => Network(text) is not null,
            ("cidr", [string text]) => Network(text) ?? throw Bad("cidr", text, "network address parse error"),
            ("isQuantity", [string text]) => Kubernetes.Quantity.Parse(text) is not null,
            ("quantity", [string text]) => new Amount(Kubernetes.Quantity.Parse(text) ?? throw Bad("quantity", text, "quantities must match the regular expression")),
            _ => null,
        };
        return result is not null;
    }

    public static object CallMethod(object target, string name, object?[] arguments) => (target, name, arguments) switch
    {
        (Uri url, "getScheme", []) => url.Scheme,
        (Uri url, "getHost", []) => url.IsDefaultPort && !url.OriginalString.Contains(url.Host + ":", StringComparison.OrdinalIgnoreCase) ? url.Host : url.Authority,
        (Uri url, "getHostname", []) => url.Host,
        (Uri url, "getPort", []) => url.IsDefaultPort ? "" : $"{url.Port}",
        (Uri url, "getEscapedPath", []) => url.AbsolutePath,
        (IPAddress address, "family", []) => address.AddressFamily == AddressFamily.InterNetwork ? 4L : 6L,
        (IPAddress address, "isLoopback", []) => IPAddress.IsLoopback(address),
        (IPAddress address, "isUnspecified", []) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any),
        (IPNetwork network, "prefixLength", []) => (long)network.PrefixLength,
        (IPNetwork network, "ip", []) => network.BaseAddress,
        (IPNetwork network, "containsIP", [string text]) => network.Contains(Address(text) ?? throw Bad("ip", text, "unable to parse IP")),
        (IPNetwork network, "containsIP", [IPAddress address]) => network.Contains(address),
        (IPNetwork network, "containsCIDR", [string text]) => Holds(network, Network(text) ?? throw Bad("cidr", text, "network address parse error")),
        (IPNetwork network, "containsCIDR", [IPNetwork inner]) => Holds(network, inner),
        (Amount amount, "isGreaterThan", [Amount other]) => amount.Value > other.Value,
        (Amount amount, "isLessThan", [Amount other]) => amount.Value < other.Value,
        (Amount amount, "compareTo", [Amount other]) => (long)amount.Value.CompareTo(other.Value),
        (Amount amount, "isInteger", []) => decimal.Truncate(amount.Value) == amount.Value,
        (Amount amount, "asInteger", []) => (long)amount.Value,
        (Amount amount, "asApproximateFloat", []) => (double)amount.Value,
        (Amount amount, "sign", []) => (long)Math.Sign(amount.Value),
        (Amount amount, "add", [Amount other]) => new Amount(amount.Value + other.Value),
        (Amount amount, "sub", [Amount other]) => new Amount(amount.Value - other.Value),
        _ => throw new ExpressionException($"no such overload: {name}"),
    };

    public static bool Owns(object? target) => target is Uri or IPAddress or IPNetwork or Amount;

    private static bool Holds(IPNetwork outer, IPNetwork inner) => inner.PrefixLength >= outer.PrefixLength && outer.Contains(inner.BaseAddress);

    private static Uri? Url(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && !text.StartsWith('/') ? url : null;

    /// <summary>Dotted or colon form without zone; 4-in-6 forms are refused, as Kubernetes does.</summary>
    private static IPAddress? Address(string text) =>
        IPAddress.TryParse(text, out var address) && !text.Contains('%', StringComparison.Ordinal) && !address.IsIPv4MappedToIPv6
        && (address.AddressFamily == AddressFamily.InterNetworkV6 || text.Count(letter => letter == '.') == 3)
            ? address
            : null;

    private static IPNetwork? Network(string text) => IPNetwork.TryParse(text, out var network) ? network : null;

    private static ExpressionException Bad(string function, string text, string why) => new($"{function}(\"{text}\"): {why}");

    /// <summary>An amount such as 500Mi.</summary>
    private sealed record Amount(decimal Value);
}

// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Routing;

/// <summary>Looks into the text of a query.</summary>
internal static class QueryText
{
    /// <summary>The first parameter of a name; names and values are taken as sent, without decoding, as Envoy does.</summary>
    internal static bool TryFind(ReadOnlySpan<byte> query, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        while (!query.IsEmpty)
        {
            var end = query.IndexOf((byte)'&');
            var pair = end < 0 ? query : query[..end];
            query = end < 0 ? default : query[(end + 1)..];
            var equals = pair.IndexOf((byte)'=');
            if ((equals < 0 ? pair : pair[..equals]).SequenceEqual(name))
            {
                value = equals < 0 ? default : pair[(equals + 1)..];
                return true;
            }
        }

        value = default;
        return false;
    }
}

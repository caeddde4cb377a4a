// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;

namespace Weft.Proxy.Routing;

/// <summary>A condition on the first query parameter of a name; names and values are compared as sent, without decoding, as Envoy does.</summary>
internal sealed class QueryMatcher(NamedMatchPlan plan)
{
    private readonly byte[] _name = Encoding.UTF8.GetBytes(plan.Name);
    private readonly TextMatcher _text = TextMatcher.Compile(plan.Text);

    public bool Matches(in RouteRequest request) =>
        TryFind(request.Head.Query.Of(request.Bytes), out var value)
            ? _text.Holds(value) != _text.Invert
            : _text.Invert;

    private bool TryFind(ReadOnlySpan<byte> query, out ReadOnlySpan<byte> value)
    {
        while (!query.IsEmpty)
        {
            var end = query.IndexOf((byte)'&');
            var pair = end < 0 ? query : query[..end];
            query = end < 0 ? default : query[(end + 1)..];
            var equals = pair.IndexOf((byte)'=');
            if ((equals < 0 ? pair : pair[..equals]).SequenceEqual(_name))
            {
                value = equals < 0 ? default : pair[(equals + 1)..];
                return true;
            }
        }

        value = default;
        return false;
    }
}

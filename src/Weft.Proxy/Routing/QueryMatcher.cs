// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;

namespace Weft.Proxy.Routing;

/// <summary>A condition on the first query parameter of a name; names and values are compared as sent.</summary>
internal sealed class QueryMatcher(NamedMatchPlan plan)
{
    private readonly byte[] _name = Encoding.UTF8.GetBytes(plan.Name);
    private readonly TextMatcher _text = TextMatcher.Compile(plan.Text);

    public bool Matches(in RouteRequest request) =>
        QueryText.TryFind(request.Head.Query.Of(request.Bytes), _name, out var value)
            ? _text.Holds(value) != _text.Invert
            : _text.Invert;
}

// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Protocols.Http1;

namespace Weft.Proxy.Routing;

/// <summary>A plan's wishes for paths as the rules of <see cref="PathNormalizer"/>.</summary>
internal static class PathForm
{
    internal static PathRules RulesOf(PathPlan plan)
    {
        var rules = plan.Normalize ? PathRules.Normalize : PathRules.None;
        rules |= plan.MergeSlashes ? PathRules.MergeSlashes : PathRules.None;
        return rules | plan.EscapedSlashes switch
        {
            EscapedSlashes.Refuse => PathRules.RefuseEscapedSlashes,
            EscapedSlashes.Redirect or EscapedSlashes.Decode => PathRules.DecodeSlashes,
            _ => PathRules.None,
        };
    }
}

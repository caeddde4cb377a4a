// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Wire.Tests.Plans;

/// <summary>Who may do what, at random.</summary>
internal sealed partial class PlanMaker
{
    private static readonly RequestTrait[] _caller =
    [
        RequestTrait.Principal, RequestTrait.Namespace, RequestTrait.ServiceAccount, RequestTrait.TrustDomain,
        RequestTrait.SourceAddress, RequestTrait.RemoteAddress, RequestTrait.Header, RequestTrait.TokenPrincipal,
        RequestTrait.TokenAudience, RequestTrait.TokenPresenter, RequestTrait.TokenClaim,
    ];

    private static readonly RequestTrait[] _asked =
    [
        RequestTrait.DestinationAddress, RequestTrait.DestinationPort, RequestTrait.ServerName, RequestTrait.Host,
        RequestTrait.Method, RequestTrait.Path,
    ];

    private AuthorizationPlan Authorization() => new(
        Pick(Enum.GetValues<AuthorizationAction>()),
        Sorted(Many(3, Rule).DistinctBy(rule => rule.Name).ToEquatableArray(), rule => rule.Name))
    {
        IsShadow = Coin(),
    };

    // A name is of one policy, so its origin is of one, too.
    private AuthorizationRulePlan Rule()
    {
        var number = _random.Next();
        return new AuthorizationRulePlan($"rule[{number}]", Some(2, () => Term(_caller)), Some(2, () => Term(_asked)), Maybe(Origin));
    }

    private AuthorizationTermPlan Term(RequestTrait[] attributes) => new(Many(2, () => new AuthorizationClausePlan(Coin(), Some(2, () => Match(Pick(attributes))))));

    private AttributeMatchPlan Match(RequestTrait attribute) => attribute switch
    {
        RequestTrait.SourceAddress or RequestTrait.RemoteAddress or RequestTrait.DestinationAddress =>
            new AttributeMatchPlan(attribute, "", AttributeMatchKind.Network, Coin() ? Address() : $"{Address()}/{_random.Next(33)}"),
        RequestTrait.DestinationPort => new AttributeMatchPlan(attribute, "", AttributeMatchKind.Exact, Port().ToString(CultureInfo.InvariantCulture)),
        RequestTrait.Path when Coin() => new AttributeMatchPlan(attribute, "", AttributeMatchKind.Template, "/a/{*}/{**}"),
        RequestTrait.Header => Compared(attribute, Name().ToLowerInvariant()),
        RequestTrait.TokenClaim => Compared(attribute, Coin() ? "groups" : "a\nhttps://b/c"),
        _ => Compared(attribute, ""),
    };

    private AttributeMatchPlan Compared(RequestTrait attribute, string key) => Pick(
        new AttributeMatchPlan(attribute, key, AttributeMatchKind.Present, ""),
        new AttributeMatchPlan(attribute, key, AttributeMatchKind.Regex, "a+b"),
        new AttributeMatchPlan(attribute, key, Pick(AttributeMatchKind.Exact, AttributeMatchKind.Prefix, AttributeMatchKind.Suffix), Name()));
}

// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Envoy.Config.Rbac.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Path.Match.UriTemplate.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf.WellKnownTypes;
using Weft.Model.Plan;
using HttpRbac = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;
using NetworkRbac = Envoy.Extensions.Filters.Network.Rbac.V3.RBAC;

namespace Weft.Wire.Plans;

/// <summary>Authorization plan → the settings of Envoy's RBAC filters.</summary>
internal static class AuthorizationEncoder
{
    /// <summary>Whose metadata Envoy has no other words for: what Istio's filters know of the peer and its token.</summary>
    public const string MetadataFilter = "istio_authn";

    public const string Scheme = "spiffe://";

    /// <summary>Envoy has no word for the presence of a name, but this pattern.</summary>
    public const string AnyText = ".+";

    public static Any Http(AuthorizationPlan plan) => Wrap.Any(TypeUrls.HttpRbac, plan.IsShadow
        ? new HttpRbac { ShadowRules = Encode(plan), ShadowRulesStatPrefix = ShadowPrefix(plan) }
        : new HttpRbac { Rules = Encode(plan) });

    public static Any Network(AuthorizationPlan plan, string statPrefix) => Wrap.Any(TypeUrls.NetworkRbac, plan.IsShadow
        ? new NetworkRbac { StatPrefix = statPrefix, ShadowRules = Encode(plan), ShadowRulesStatPrefix = ShadowPrefix(plan) }
        : new NetworkRbac { StatPrefix = statPrefix, Rules = Encode(plan) });

    public static string ShadowPrefix(AuthorizationPlan plan) => $"istio_dry_run_{(plan.Action == AuthorizationAction.Deny ? "deny" : "allow")}_";

    private static RBAC Encode(AuthorizationPlan plan)
    {
        var rbac = new RBAC
        {
            Action = plan.Action switch
            {
                AuthorizationAction.Allow => RBAC.Types.Action.Allow,
                AuthorizationAction.Deny => RBAC.Types.Action.Deny,
                _ => RBAC.Types.Action.Log,
            },
        };
        foreach (var rule in plan.Rules)
        {
            var policy = new Policy();
            policy.Principals.AddRange(rule.From.Select(EncodeFrom));
            policy.Permissions.AddRange(rule.To.Select(EncodeTo));
            rbac.Policies.Add(rule.Name, policy);
        }

        return rbac;
    }

    private static Principal EncodeFrom(AuthorizationTermPlan term)
    {
        if (term.Clauses.Count == 0)
        {
            return new Principal { Any = true };
        }

        var all = new Principal.Types.Set();
        foreach (var clause in term.Clauses)
        {
            var any = new Principal.Types.Set();
            any.Ids.AddRange(clause.AnyOf.Select(EncodeFrom));
            var held = new Principal { OrIds = any };
            all.Ids.Add(clause.Not ? new Principal { NotId = held } : held);
        }

        return new Principal { AndIds = all };
    }

    private static Permission EncodeTo(AuthorizationTermPlan term)
    {
        if (term.Clauses.Count == 0)
        {
            return new Permission { Any = true };
        }

        var all = new Permission.Types.Set();
        foreach (var clause in term.Clauses)
        {
            var any = new Permission.Types.Set();
            any.Rules.AddRange(clause.AnyOf.Select(EncodeTo));
            var held = new Permission { OrRules = any };
            all.Rules.Add(clause.Not ? new Permission { NotRule = held } : held);
        }

        return new Permission { AndRules = all };
    }

    private static Principal EncodeFrom(AttributeMatchPlan match) => match.Attribute switch
    {
        RequestTrait.Principal => new Principal { Authenticated = new Principal.Types.Authenticated { PrincipalName = PrincipalName(match) } },
        RequestTrait.SourceAddress => new Principal { DirectRemoteIp = Block(match.Value) },
        RequestTrait.RemoteAddress => new Principal { RemoteIp = Block(match.Value) },
        RequestTrait.Header => new Principal { Header = Header(match.Key, match) },
        _ when AuthorizationNames.Of(match.Attribute) is { } name => new Principal { Metadata = Metadata(name, match) },
        _ => throw new ArgumentException($"{match.Attribute} says nothing about the caller", nameof(match)),
    };

    private static Permission EncodeTo(AttributeMatchPlan match) => match.Attribute switch
    {
        RequestTrait.DestinationAddress => new Permission { DestinationIp = Block(match.Value) },
        RequestTrait.DestinationPort => new Permission { DestinationPort = uint.Parse(match.Value, System.Globalization.CultureInfo.InvariantCulture) },
        RequestTrait.ServerName => new Permission { RequestedServerName = Text(match) },
        RequestTrait.Host => new Permission { Header = Header(AuthorizationNames.Authority, match) },
        RequestTrait.Method => new Permission { Header = Header(AuthorizationNames.Method, match) },
        RequestTrait.Path when match.Kind == AttributeMatchKind.Template => new Permission
        {
            UriTemplate = new TypedExtensionConfig
            {
                Name = "uri-template",
                TypedConfig = Wrap.Any(TypeUrls.UriTemplate, new UriTemplateMatchConfig { PathTemplate = match.Value }),
            },
        },
        RequestTrait.Path => new Permission { UrlPath = new PathMatcher { Path = Text(match) } },
        _ => throw new ArgumentException($"{match.Attribute} says nothing about what is asked for", nameof(match)),
    };

    private static StringMatcher PrincipalName(AttributeMatchPlan match) => match.Kind is AttributeMatchKind.Exact or AttributeMatchKind.Prefix
        ? Text(match with { Value = Scheme + match.Value })
        : Text(match);

    private static HeaderMatcher Header(string name, AttributeMatchPlan match) => match.Kind == AttributeMatchKind.Present
        ? new HeaderMatcher { Name = name, PresentMatch = true }
        : new HeaderMatcher { Name = name, StringMatch = Text(match) };

    private static MetadataMatcher Metadata(string name, AttributeMatchPlan match)
    {
        var matcher = new MetadataMatcher
        {
            Filter = MetadataFilter,
            Value = match.Kind == AttributeMatchKind.Present ? new ValueMatcher { PresentMatch = true } : new ValueMatcher { StringMatch = Text(match) },
        };
        matcher.Path.Add(new MetadataMatcher.Types.PathSegment { Key = name });
        matcher.Path.AddRange(match.Key.Split(RequestTraits.KeySeparator, StringSplitOptions.RemoveEmptyEntries).Select(key => new MetadataMatcher.Types.PathSegment { Key = key }));
        return matcher;
    }

    private static StringMatcher Text(AttributeMatchPlan match) => MatchEncoder.EncodeText(new TextMatchPlan(
        match.Kind switch
        {
            AttributeMatchKind.Exact => TextMatchKind.Exact,
            AttributeMatchKind.Prefix => TextMatchKind.Prefix,
            AttributeMatchKind.Suffix => TextMatchKind.Suffix,
            AttributeMatchKind.Present or AttributeMatchKind.Regex => TextMatchKind.Regex,
            _ => throw new ArgumentException($"{match.Attribute} cannot be matched by {match.Kind}", nameof(match)),
        },
        match.Kind == AttributeMatchKind.Present ? AnyText : match.Value,
        IgnoreCase: match.Attribute == RequestTrait.Host));

    private static CidrRange Block(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return new CidrRange
        {
            AddressPrefix = slash < 0 ? text : text[..slash],
            PrefixLen = slash < 0 ? null : uint.Parse(text.AsSpan(slash + 1), System.Globalization.CultureInfo.InvariantCulture),
        };
    }
}

/// <summary>How attributes are called where Envoy has no field for them.</summary>
internal static class AuthorizationNames
{
    public const string Authority = ":authority";
    public const string Method = ":method";

    private static readonly (RequestTrait Attribute, string Name)[] _all =
    [
        (RequestTrait.Namespace, "source.namespace"),
        (RequestTrait.ServiceAccount, "source.serviceAccount"),
        (RequestTrait.TrustDomain, "source.trustDomain"),
        (RequestTrait.TokenPrincipal, "request.auth.principal"),
        (RequestTrait.TokenAudience, "request.auth.audiences"),
        (RequestTrait.TokenPresenter, "request.auth.presenter"),
        (RequestTrait.TokenClaim, "request.auth.claims"),
    ];

    public static string? Of(RequestTrait attribute) => Array.Find(_all, entry => entry.Attribute == attribute).Name;

    public static RequestTrait? Find(string name) => Array.FindIndex(_all, entry => entry.Name == name) is >= 0 and var index ? _all[index].Attribute : null;
}

// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Rbac.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Path.Match.UriTemplate.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;
using HttpRbac = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;
using NetworkRbac = Envoy.Extensions.Filters.Network.Rbac.V3.RBAC;

namespace Weft.Wire.Plans;

/// <summary>
/// The settings of Envoy's RBAC filters → authorization plan. Conditions may be nested as its encoder nests them; what else is nested is an
/// error, since a policy that is read otherwise than it was meant lets somebody pass.
/// </summary>
internal sealed class AuthorizationDecoder(DecodeScope scope, IReadOnlyDictionary<string, Origin> origins)
{
    private static readonly MessageParser<HttpRbac> _http = HttpRbac.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<NetworkRbac> _network = NetworkRbac.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<UriTemplateMatchConfig> _template = UriTemplateMatchConfig.Parser.WithDiscardUnknownFields(true);

    public AuthorizationPlan? Http(Any any) =>
        scope.Unpack(_http, any, TypeUrls.HttpRbac) is { } rbac ? Decode(rbac.Rules, rbac.ShadowRules) : null;

    public AuthorizationPlan? Network(Any any) =>
        scope.Unpack(_network, any, TypeUrls.NetworkRbac) is { } rbac ? Decode(rbac.Rules, rbac.ShadowRules) : null;

    private AuthorizationPlan? Decode(RBAC? rules, RBAC? shadow)
    {
        if (rules is not null && shadow is not null)
        {
            scope.Error("rules and shadow_rules in one filter are not supported; write two filters");
        }

        if ((rules ?? shadow) is not { } rbac)
        {
            return null;
        }

        using var at = scope.At(rules is null ? "shadow_rules" : "rules");
        var pairs = 0L;
        var decoded = new List<AuthorizationRulePlan>();
        foreach (var (name, policy) in rbac.Policies.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            using var step = scope.At($"policies[\"{name}\"]");
            decoded.Add(Rule(name, policy));
            pairs += (long)policy.Principals.Count * policy.Permissions.Count;
        }

        if (pairs > AuthorizationRulePlan.MaxPairs)
        {
            scope.Error($"the policies have {pairs} pairs of principals and permissions, at most {AuthorizationRulePlan.MaxPairs} are allowed");
        }

        return new AuthorizationPlan(Action(rbac.Action), decoded.ToEquatableArray()) { IsShadow = rules is null };
    }

    private AuthorizationAction Action(RBAC.Types.Action action)
    {
        switch (action)
        {
            case RBAC.Types.Action.Allow:
                return AuthorizationAction.Allow;
            case RBAC.Types.Action.Deny:
                return AuthorizationAction.Deny;
            case RBAC.Types.Action.Log:
                return AuthorizationAction.Audit;
            default:
                scope.Error($"action {action} is not known");
                return AuthorizationAction.Deny;
        }
    }

    private AuthorizationRulePlan Rule(string name, Policy policy)
    {
        if (policy.Principals.Count == 0 || policy.Permissions.Count == 0)
        {
            scope.Error("a policy needs principals and permissions");
        }

        return new AuthorizationRulePlan(
            name,
            [.. policy.Principals.Select(principal => Term(principal, PrincipalForm.Instance))],
            [.. policy.Permissions.Select(permission => Term(permission, PermissionForm.Instance))],
            origins.GetValueOrDefault(name));
    }

    private AuthorizationTermPlan Term<T>(T node, INodeForm<T> form) => form.All(node) is { } all
        ? new AuthorizationTermPlan([.. all.Select(clause => Clause(clause, form))])
        : form.IsAnything(node) ? AuthorizationTermPlan.Anything : new AuthorizationTermPlan([Clause(node, form)]);

    private AuthorizationClausePlan Clause<T>(T node, INodeForm<T> form)
    {
        var inner = form.Not(node) is { } turned ? turned : node;
        var any = form.AnyOf(inner) ?? [inner];
        return new AuthorizationClausePlan(form.Not(node) is not null, [.. any.Select(item => Match(item))]);
    }

    private AttributeMatchPlan Match<T>(T node)
    {
        var match = node switch
        {
            Principal principal => From(principal),
            Permission permission => To(permission),
            _ => null,
        };
        if (match is null)
        {
            scope.Error($"the condition {node} is not supported here");
        }

        return match ?? new AttributeMatchPlan(RequestTrait.Principal, "", AttributeMatchKind.Exact, "");
    }

    private AttributeMatchPlan? From(Principal principal) => principal.IdentifierCase switch
    {
        Principal.IdentifierOneofCase.Authenticated => PrincipalName(principal.Authenticated.PrincipalName),
        Principal.IdentifierOneofCase.DirectRemoteIp => Block(RequestTrait.SourceAddress, principal.DirectRemoteIp),
        Principal.IdentifierOneofCase.RemoteIp => Block(RequestTrait.RemoteAddress, principal.RemoteIp),
        Principal.IdentifierOneofCase.Header => Header(principal.Header),
        Principal.IdentifierOneofCase.Metadata => Metadata(principal.Metadata),
        _ => null,
    };

    private AttributeMatchPlan? To(Permission permission) => permission.RuleCase switch
    {
        Permission.RuleOneofCase.DestinationIp => Block(RequestTrait.DestinationAddress, permission.DestinationIp),
        Permission.RuleOneofCase.DestinationPort => new AttributeMatchPlan(
            RequestTrait.DestinationPort, "", AttributeMatchKind.Exact, permission.DestinationPort.ToString(CultureInfo.InvariantCulture)),
        Permission.RuleOneofCase.RequestedServerName => Text(RequestTrait.ServerName, "", permission.RequestedServerName),
        Permission.RuleOneofCase.Header => Header(permission.Header),
        Permission.RuleOneofCase.UrlPath => Text(RequestTrait.Path, "", permission.UrlPath.Path),
        Permission.RuleOneofCase.UriTemplate => scope.Unpack(_template, permission.UriTemplate.TypedConfig, TypeUrls.UriTemplate) is { } template
            ? new AttributeMatchPlan(RequestTrait.Path, "", AttributeMatchKind.Template, template.PathTemplate)
            : null,
        _ => null,
    };

    /// <summary>Without a name: whoever is authenticated.</summary>
    private AttributeMatchPlan? PrincipalName(StringMatcher? name)
    {
        if (name is null)
        {
            return new AttributeMatchPlan(RequestTrait.Principal, "", AttributeMatchKind.Present, "");
        }

        var match = Text(RequestTrait.Principal, "", name);
        if (match is not { Kind: AttributeMatchKind.Exact or AttributeMatchKind.Prefix })
        {
            return match;
        }

        return match.Value.StartsWith(AuthorizationEncoder.Scheme, StringComparison.Ordinal)
            ? match with { Value = match.Value[AuthorizationEncoder.Scheme.Length..] }
            : null;
    }

    private AttributeMatchPlan? Header(HeaderMatcher matcher)
    {
        var isPresence = matcher.HeaderMatchSpecifierCase != HeaderMatcher.HeaderMatchSpecifierOneofCase.StringMatch;
        if (matcher.InvertMatch || (isPresence && matcher.HasPresentMatch && !matcher.PresentMatch))
        {
            scope.Error("an inverted header condition is not supported here; use not_rule or not_id");
        }

        var (attribute, key) = matcher.Name switch
        {
            AuthorizationNames.Authority => (RequestTrait.Host, ""),
            AuthorizationNames.Method => (RequestTrait.Method, ""),
            var name => (RequestTrait.Header, name.ToLowerInvariant()),
        };
        return isPresence ? new AttributeMatchPlan(attribute, key, AttributeMatchKind.Present, "") : Text(attribute, key, matcher.StringMatch);
    }

    private AttributeMatchPlan? Metadata(MetadataMatcher matcher)
    {
        if (matcher.Filter != AuthorizationEncoder.MetadataFilter || matcher.Path.Count == 0 ||
            AuthorizationNames.Find(matcher.Path[0].Key) is not { } attribute)
        {
            return null;
        }

        var key = string.Join(RequestTraits.KeySeparator, matcher.Path.Skip(1).Select(segment => segment.Key));
        return matcher.Value?.MatchPatternCase switch
        {
            ValueMatcher.MatchPatternOneofCase.PresentMatch when matcher.Value.PresentMatch =>
                new AttributeMatchPlan(attribute, key, AttributeMatchKind.Present, ""),
            ValueMatcher.MatchPatternOneofCase.StringMatch => Text(attribute, key, matcher.Value.StringMatch),
            _ => null,
        };
    }

    private AttributeMatchPlan? Text(RequestTrait attribute, string key, StringMatcher? matcher)
    {
        var text = MatchDecoder.Text(scope, matcher, invert: false);
        if (text.IgnoreCase != (attribute == RequestTrait.Host))
        {
            scope.Error($"ignore_case of {attribute} must be {(attribute == RequestTrait.Host ? "true" : "false")}");
        }

        return text.Kind switch
        {
            TextMatchKind.Exact => new AttributeMatchPlan(attribute, key, AttributeMatchKind.Exact, text.Value),
            TextMatchKind.Prefix => new AttributeMatchPlan(attribute, key, AttributeMatchKind.Prefix, text.Value),
            TextMatchKind.Suffix => new AttributeMatchPlan(attribute, key, AttributeMatchKind.Suffix, text.Value),
            TextMatchKind.Regex when text.Value == AuthorizationEncoder.AnyText => new AttributeMatchPlan(attribute, key, AttributeMatchKind.Present, ""),
            TextMatchKind.Regex => new AttributeMatchPlan(attribute, key, AttributeMatchKind.Regex, text.Value),
            _ => null,
        };
    }

    private AttributeMatchPlan Block(RequestTrait attribute, CidrRange range)
    {
        var text = range.PrefixLen is { } length
            ? string.Create(CultureInfo.InvariantCulture, $"{range.AddressPrefix}/{length}")
            : range.AddressPrefix;
        if (!IPAddress.TryParse(range.AddressPrefix, out var address) || range.PrefixLen > (uint)(address.GetAddressBytes().Length * 8))
        {
            scope.Error($"\"{text}\" is no address range");
        }

        return new AttributeMatchPlan(attribute, "", AttributeMatchKind.Network, text);
    }
}
